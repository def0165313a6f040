"""``pictures.css`` inside a picture: as attributes, which every program understands, and as a style for the dark.

A page refers to the style sheet. A file that is opened by itself, in a browser or a drawing program, has nothing to
refer to: colours are written on its elements (SVG 1.1, 6.4, presentation attributes), and the only style element is for
readers who prefer dark (CSS Cascade: rules come before attributes), the same in every file, so that a policy can allow
it by its digest (Content Security Policy level 3, 8.3).
"""

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

from markupsafe import Markup, escape

_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_BLOCK: Final = re.compile(r"([^{};]+)\{([^{}]*)\}")
_VARIABLE: Final = re.compile(r"var\((--[\w-]+)\)")
_TAG: Final = re.compile(r"<(/?)([\w:]+)([^<>]*?)(/?)>")
_CLASS: Final = re.compile(r' class="([^"]*)"')


class _Rule(NamedTuple):
    """``path``: names and classes (with their point) from the outermost to the element itself."""

    path: tuple[str, ...]
    declared: dict[str, str]

    @property
    def weight(self) -> tuple[int, int]:
        """Selectors level 3, 9: classes first, then names."""
        return sum(part.startswith(".") for part in self.path), len(self.path)

    def matches(self, opened: list[frozenset[str]]) -> bool:
        """``opened``: what each element is called, from the root to the one in question."""
        *outer, own = self.path
        if own not in opened[-1]:
            return False
        above = iter(opened[:-1])
        return all(any(part in one for one in above) for part in outer)


def source() -> bytes:
    """The style sheet itself."""
    return files("api.web.charts").joinpath("pictures.css").read_bytes()


@cache
def dark() -> str:
    """The rules of the dark, without variables."""
    _, colours, rules = _read()
    written = [
        f"{' '.join(rule.path)}{{{';'.join(f'{name}:{_value(value, colours)}' for name, value in said.items())}}}"
        for rule in rules
        if (said := {name: value for name, value in rule.declared.items() if _coloured(value, colours)})
    ]
    return f"@media screen and (prefers-color-scheme:dark){{{''.join(written)}}}"


@cache
def dark_digest() -> str:
    """``dark`` as a source of style in a Content-Security-Policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(dark().encode()).digest()).decode()}'"


def with_attributes(svg: Markup) -> Markup:
    """A picture that ``element`` wrote, with the light style written on its elements."""
    opened: list[frozenset[str]] = []

    def styled(tag: re.Match[str]) -> str:
        closing, name, attributes, alone = tag.groups()
        if closing:
            opened.pop()
            return tag[0]
        classes = _CLASS.search(attributes)
        called = frozenset({name, *(f".{one}" for one in classes[1].split())} if classes else {name})
        opened.append(called)
        written = "".join(f' {key}="{escape(value)}"' for key, value in _declared(tuple(opened)))
        if alone:
            opened.pop()
        return f"<{name}{attributes}{written}{alone}>"

    return Markup(_TAG.sub(styled, svg))


@cache
def _declared(opened: tuple[frozenset[str], ...]) -> tuple[tuple[str, str], ...]:
    """The attributes of an element."""
    colours, _, rules = _read()
    found: dict[str, str] = {}
    for rule in rules:
        if rule.matches(list(opened)):
            found.update(rule.declared)
    return tuple((name, _value(value, colours)) for name, value in found.items())


@cache
def _read() -> tuple[dict[str, str], dict[str, str], list[_Rule]]:
    """Variables of the light and of the dark, and the rules, the weightiest last."""
    palettes: list[dict[str, str]] = []
    rules = []
    for selector, block in _BLOCK.findall(_COMMENT.sub("", source().decode())):
        said = (one.partition(":") for one in block.split(";") if one.strip())
        declared = {name.strip(): value.strip() for name, _, value in said}
        if selector.strip() == ":root":
            palettes.append(declared)
        else:
            rules.append(_Rule(tuple(selector.split()), declared))
    light, dark_ = palettes
    return light, dark_, sorted(rules, key=lambda rule: rule.weight)


def _coloured(value: str, colours: dict[str, str]) -> bool:
    """Whether the dark says it otherwise; what takes a colour away stays beside what gives one."""
    named = _VARIABLE.search(value)
    return value == "none" if named is None else named[1] in colours


def _value(value: str, variables: dict[str, str]) -> str:
    return _VARIABLE.sub(lambda named: variables[named[1]], value)
