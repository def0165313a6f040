"""Where to take the data from: what was asked as files, everything at once, and how to cite it."""

from collections.abc import Sequence
from typing import NamedTuple

import orjson
from markupsafe import Markup

from api.web import questions
from api.web.downloads.bundle import as_of_visit
from api.web.downloads.catalogue import BUNDLE, CATALOGUE, ROOT, TABLES, dataset
from api.web.downloads.writing import FORMS
from api.web.figures import figure
from api.web.visit import Visit
from projections.mirror.description import LICENCE, LICENCE_URL


class Files(NamedTuple):
    """A table. ``links``: the name of each form, and where it is."""

    title: str
    links: Sequence[tuple[str, str]]
    metadata: str


async def data(visit: Visit) -> str:
    """Every link is pinned to the checkpoint of the page."""
    root, pinned = ROOT.path(visit.language), f"as_of={visit.size}"
    answer = await visit.count(visit.asked)
    described = dataset(visit.site.backing.base_url, as_of_visit(visit), visit.language)
    return visit.render(
        "data.html",
        figure=figure(visit, answer),
        tables=[_files(visit, root, table) for table in TABLES],
        everything=f"{root}/{BUNDLE.path(visit.language)}?{pinned}",
        citation=f"{root}/CITATION.cff?{pinned}",
        catalogue=f"{root}/{CATALOGUE.path(visit.language)}",
        licence=(LICENCE["name"], LICENCE_URL),
        # A data block, which no browser runs (HTML, 4.12.1); nothing in it closes it.
        dataset=Markup(orjson.dumps(described).decode().replace("<", "\\u003c")),
    )


def _files(visit: Visit, root: str, table: str) -> Files:
    query = questions.one_by_one(visit.asked) if table == "incidents" else visit.asked
    asked = questions.write(query, visit.size)
    links = [(form.upper(), f"{root}/{table}.{form}?{asked}") for form in FORMS]
    return Files(TABLES[table].in_(visit.language), links, f"{root}/{table}-metadata.json?{asked}")
