"""JSON Schemas of models, as the documents of OpenAPI and AsyncAPI hold them."""

from collections.abc import Iterable
from typing import Any

import msgspec

from registry.domain.codes import Ordered


def components(models: Iterable[Any], reference: str) -> dict[str, Any]:
    """Of the models and all that they hold, by name. ``reference`` has a place for the name.

    msgspec sorts codes; those that are defined by weight are told in that order, which is part of what they say.
    """
    _, schemas = msgspec.json.schema_components(models, ref_template=reference)
    for codes in Ordered.__subclasses__():
        if codes.__name__ in schemas:
            schemas[codes.__name__]["enum"] = list(codes)
    return schemas
