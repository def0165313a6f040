"""The data as catalogues and search engines describe them: schema.org ``Dataset`` and DCAT 3 (W3C), as JSON-LD."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from api.web.downloads.writing import FORMS
from api.web.pages import LANGUAGES, PAGES, Page
from projections.counting.definition import DEFINITION_ID, definition_sha256
from projections.mirror.description import LICENCE_URL, TITLE, AsOf
from registry.text import Language, Text

ROOT: Final = PAGES["data"]
"""Files lie below the page that leads to them, in each language."""

TABLES: Final = {
    "counts": Text("Conteos", "Counts"),
    "incidents": Text("Incidentes publicados", "Disclosed incidents"),
}
BUNDLE: Final = Page("todo.zip", "everything.zip")
CATALOGUE: Final = Page("catalogo.jsonld", "catalog.jsonld")
ZIP: Final = "application/zip"

_EVERYTHING: Final = Text("Todo, con su descripción", "Everything, with its description")
_ABOUT: Final = Text(
    "Incidentes, víctimas y muertes: agresiones y amenazas contra pasantes de medicina en servicio social en México, "
    "con mínimo, mejor estimación y máximo, por clase, tipo, año, mes, estado, municipio y certeza. Cada cifra puede "
    "volver a contarse desde una bitácora pública firmada.",
    "Incidents, victims and deaths: attacks on and threats against medical students in social service in Mexico, with "
    "low, best and high, by class, kind, year, month, state, municipality and certainty. Every figure can be counted "
    "again from a signed public log.",
)
_KEYWORDS: Final = Text(
    "pasantes de medicina, servicio social, violencia contra personal de salud, México",
    "medical students, social service, violence against health workers, Mexico",
)
_LANGUAGES: Final = "http://publications.europa.eu/resource/authority/language/"


class _File(NamedTuple):
    title: Text
    address: str
    media_type: str


def dataset(base: str, as_of: AsOf, language: Language) -> dict[str, Any]:
    """schema.org, in one language. ``base``: the address of the site."""
    return {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "@id": base + ROOT.es,
        "url": base + ROOT.path(language),
        "name": as_of.warned(TITLE).in_(language),
        "description": as_of.warned(_ABOUT).in_(language),
        "keywords": _KEYWORDS.in_(language),
        "inLanguage": language,
        "license": LICENCE_URL,
        "isAccessibleForFree": True,
        "identifier": as_of.name,
        "version": str(as_of.size),
        "dateModified": as_of.published_at.isoformat(timespec="seconds"),
        "creator": {"@type": "Organization", "name": f"Constancia, {as_of.origin}", "url": base},
        "spatialCoverage": {"@type": "Country", "name": "México", "identifier": "MX"},
        "measurementTechnique": f"{DEFINITION_ID}, sha256 {definition_sha256()}",
        "variableMeasured": ["INCIDENTS", "VICTIMISATIONS", "DEATHS"],
        "distribution": [
            {
                "@type": "DataDownload",
                "name": file.title.in_(language),
                "contentUrl": base + file.address,
                "encodingFormat": file.media_type,
                "inLanguage": language,
            }
            for file in _files(language)
        ],
    }


def catalogue(base: str, as_of: AsOf) -> dict[str, Any]:
    """DCAT, in both languages at once."""
    published = {"@type": "xsd:dateTime", "@value": as_of.published_at.isoformat(timespec="seconds")}
    publisher = {"@type": "foaf:Agent", "foaf:name": f"Constancia, {as_of.origin}"}
    licence = {"@id": LICENCE_URL}
    languages = [{"@id": f"{_LANGUAGES}{code}"} for code in ("SPA", "ENG")]
    return {
        "@context": {
            "dcat": "http://www.w3.org/ns/dcat#",
            "dct": "http://purl.org/dc/terms/",
            "foaf": "http://xmlns.com/foaf/0.1/",
            "xsd": "http://www.w3.org/2001/XMLSchema#",
        },
        "@id": f"{base}{ROOT.es}/{CATALOGUE.es}",
        "@type": "dcat:Catalog",
        "dct:title": _tagged(as_of.warned(TITLE)),
        "dct:publisher": publisher,
        "dct:license": licence,
        "dct:language": languages,
        "dct:modified": published,
        "dcat:dataset": {
            "@id": base + ROOT.es,
            "@type": "dcat:Dataset",
            "dct:title": _tagged(as_of.warned(TITLE)),
            "dct:description": _tagged(as_of.warned(_ABOUT)),
            "dct:identifier": as_of.name,
            "dcat:version": str(as_of.size),
            "dct:modified": published,
            "dct:publisher": publisher,
            "dct:license": licence,
            "dct:language": languages,
            "dct:spatial": {"@id": "http://publications.europa.eu/resource/authority/country/MEX"},
            "dcat:landingPage": {"@id": base + ROOT.es},
            "dcat:distribution": [
                _distribution(base, file, language) for language in LANGUAGES for file in _files(language)
            ],
        },
        "dcat:service": {
            "@type": "dcat:DataService",
            "dct:title": "GraphQL",
            "dcat:endpointURL": {"@id": f"{base}/graphql"},
            "dcat:servesDataset": {"@id": base + ROOT.es},
            "dct:license": licence,
        },
    }


def _files(language: Language) -> Iterator[_File]:
    root = ROOT.path(language)
    for table, title in TABLES.items():
        for form, (media_type, _) in FORMS.items():
            yield _File(title, f"{root}/{table}.{form}", media_type.partition(";")[0])
    yield _File(_EVERYTHING, f"{root}/{BUNDLE.path(language)}", ZIP)


def _distribution(base: str, file: _File, language: Language) -> dict[str, Any]:
    return {
        "@id": base + file.address,
        "@type": "dcat:Distribution",
        "dct:title": {"@language": language, "@value": file.title.in_(language)},
        "dcat:downloadURL": {"@id": base + file.address},
        "dcat:accessURL": {"@id": base + file.address},
        "dcat:mediaType": {"@id": f"https://www.iana.org/assignments/media-types/{file.media_type}"},
        "dct:license": {"@id": LICENCE_URL},
    }


def _tagged(text: Text) -> list[dict[str, str]]:
    return [{"@language": language, "@value": text.in_(language)} for language in LANGUAGES]
