"""The guides and their examples: files that run as they are, shown as they are (``examples``)."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

EXAMPLES: Final = "/desarrollo/ejemplos"
"""Where the files are served, in whatever language the page around them is."""

GUIDES: Final[Mapping[str, str]] = {
    "first-submission": "first_submission",
    "first-query": "first_query",
    "first-subscription": "first_subscription",
}
"""The name of a page, and that of its examples."""


class Program(NamedTuple):
    """What runs an example. ``needs``: the oldest version that does."""

    name: str
    ending: str
    command: str
    needs: str
    media_type: str


PROGRAMS: Final = (
    Program("curl", ".sh", "bash", "curl 7.76", "text/x-shellscript; charset=utf-8"),
    Program("Python", ".py", "python3", "Python 3.11", "text/x-python; charset=utf-8"),
    Program("JavaScript", ".mjs", "node", "Node 20", "text/javascript; charset=utf-8"),
)


class Example(NamedTuple):
    """One file."""

    program: Program
    name: str
    text: str

    @property
    def path(self) -> str:
        return f"{EXAMPLES}/{self.name}"

    def commands(self, base_url: str) -> str:
        """Fetches the file and runs it against this register."""
        key = "CONSTANCIA_KEY=$KEY " if "CONSTANCIA_KEY" in self.text else ""
        return (
            f"curl --remote-name {base_url}{self.path}\n"
            f"CONSTANCIA_URL={base_url} {key}{self.program.command} {self.name}"
        )


@cache
def examples(guide: str) -> tuple[Example, ...]:
    """Those of one guide, by its page's name."""
    return tuple(_example(program, GUIDES[guide] + program.ending) for program in PROGRAMS)


def _example(program: Program, name: str) -> Example:
    text = files("api.web.developers").joinpath("examples", name).read_text(encoding="utf-8")
    return Example(program, name, text)


def key_commands(base_url: str) -> str:
    """Registers an institution of a demonstration and issues a key to it, for bash with curl and Python."""
    return f"""\
URL={base_url} ADMIN=$(cat data/admin.key)
post() {{ curl -sS "$URL$1" -H "Authorization: Bearer $ADMIN" -H 'Content-Type: application/json' -d "$2"; }}
field() {{ python3 -c "import json, sys; print(json.load(sys.stdin)['$1'])"; }}
INSTITUTION=$(post /v1/institutions \\
  '{{"name": "Universidad de Ejemplo", "kind": "UNIVERSITY", "state": "16"}}' | field id)
KEY=$(post /v1/keys \\
  '{{"institution": "'$INSTITUTION'", "role": "submitter", "expires_on": "2099-12-31"}}' | field key)"""
