"""Paths of fields in a record, such as ``when.earliest`` or ``victims[0].role``, and records built from them."""

import re
from collections.abc import Sequence
from typing import Final

from registry.text import Text

_STEP: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)((?:\[[0-9]{1,2}\])*)")


Path = tuple[str | int, ...]


class BadPath(ValueError):
    """Not a path of fields; ``text`` says what one looks like."""

    def __init__(self, path: str) -> None:
        self.text = Text(
            f"«{path}» no es un campo. Se escribe como when.earliest o victims[0].role.",
            f"“{path}” is not a field. Write it like when.earliest or victims[0].role.",
        )
        super().__init__(str(self.text))


def parse_path(text: str) -> Path:
    """``victims[0].count.low`` → ("victims", 0, "count", "low"). Raises BadPath."""
    steps: list[str | int] = []
    for part in text.split("."):
        match = _STEP.fullmatch(part)
        if match is None:
            raise BadPath(text)
        steps.append(match[1])
        steps.extend(int(index) for index in re.findall(r"[0-9]+", match[2]))
    return tuple(steps)


def show_path(path: Path) -> str:
    """The inverse of ``parse_path``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def build(values: Sequence[tuple[Path, object]]) -> dict[str, object]:
    """A record from its fields. Lists keep the order of their indexes; indexes without a value leave no hole.

    Raises BadPath when one field is given as two different things (``when`` and ``when.latest``).
    """
    tree: dict[str | int, object] = {}
    for path, value in values:
        node = tree
        for step in path[:-1]:
            following = node.setdefault(step, {})
            if not isinstance(following, dict):
                raise BadPath(show_path(path))
            node = following
        if path[-1] in node:
            raise BadPath(show_path(path))
        node[path[-1]] = _Leaf(value)
    built = _plain(tree)
    if not isinstance(built, dict):
        raise BadPath(show_path(values[0][0]))
    return built


def value_at(document: object, path: str) -> object:
    """What a decoded JSON document holds at a path; None where there is nothing."""
    try:
        steps = parse_path(path)
    except BadPath:
        return None
    for step in steps:
        match document:
            case dict() if step in document:
                document = document[step]
            case list() if isinstance(step, int) and step < len(document):
                document = document[step]
            case _:
                return None
    return document


class _Leaf:
    """A given value, apart from the branches that paths make: a value may itself be an object."""

    def __init__(self, value: object) -> None:
        self.value = value


def _plain(node: object) -> object:
    if isinstance(node, _Leaf):
        return node.value
    if not isinstance(node, dict):
        raise TypeError(f"not a branch: {type(node).__name__}")
    if node and all(isinstance(step, int) for step in node):
        return [_plain(node[index]) for index in sorted(node)]
    if any(isinstance(step, int) for step in node):
        names = [str(step) for step in node]
        raise BadPath(".".join(names))
    return {step: _plain(below) for step, below in node.items()}
