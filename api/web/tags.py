"""Entity tags (RFC 9110 section 8.8.3) of what the site serves as of a checkpoint."""

from importlib.metadata import version
from typing import Final

import orjson

from api.caching import entity_tag
from api.web.rendering import looks
from api.web.visit import Visit
from projections.counting.definition import definition_sha256

_PROGRAM: Final = version("constancia")


def tag(visit: Visit, path: str, asked: object) -> str:
    """Names an answer: its address, the checkpoint, and all that it is made with.

    :param asked: what else decides the answer, as JSON.
    """
    told = [
        _PROGRAM,
        looks(),
        definition_sha256(),
        visit.site.vkeys(),
        visit.site.invented,
        visit.site.outlines and visit.site.outlines.digest,
        path,
        asked,
        visit.size,
    ]
    return entity_tag(orjson.dumps(told, option=orjson.OPT_SORT_KEYS))
