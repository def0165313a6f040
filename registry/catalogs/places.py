"""Places by name: "Pueblo Nuevo, Durango" to its municipality; what is not certain comes back as choices. Pure.

A name resolves where it is exactly that of one municipality, now or in an earlier vintage, apart from case, accents,
punctuation and abbreviations. Everything else is for a person to choose: a name that several have, a misspelt one, a
state's name alone ("Durango" is both). The choices are the names most alike, each with a score.

::

    places = Places(municipalities)
    places.resolve("Pueblo Nuevo, Dgo.")             # Resolved(cvegeo="10023", …)
    places.resolve("Pueblo Nuevo")                   # Choices: one in Durango, one in Guanajuato
    places.resolve("Mpio. de Ocosingo", "Chiapas")   # Resolved(cvegeo="07059", …)
    places.resolve("San Felipe, BC", on=date(2015, 3, 1))   # Choices: it was made later
"""

import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Final, NamedTuple

from registry.catalogs.municipalities import Municipalities
from registry.catalogs.spelling import likeness, trigrams, written_out
from registry.catalogs.state_names import find_state
from registry.catalogs.states import State

MAX_CHOICES: Final = 8
MIN_SCORE: Final = 0.5
"""What is less alike is no help to whoever has to choose."""

_LOOKED_AT: Final = 24
"""Names that share most groups of three letters with the one asked for; only these are compared letter by letter."""

_SHORTENED: Final = 0.9
"""Score of "Acapulco" for "Acapulco de Juárez": whole words of the name, its first ones. Others score a tenth less."""

_KIND = re.compile(r"^(?:(?:el )?municipio|alcaldia|delegacion)(?: de(?:l)?)? (?=.)")
_PARTS = re.compile(r"\s*[,;/|()]\s*")
_NO_DATE: Final = (date.min, date.max)


class Resolved(NamedTuple):
    """The one municipality of that name. ``name`` is its newest one, ``vintage`` the newest that has it."""

    cvegeo: str
    name: str
    state: str
    vintage: str


class Choice(NamedTuple):
    """A municipality that may be meant; ``score`` up to 1 (the name is the same) orders them and is no probability."""

    cvegeo: str
    name: str
    state: str
    score: float


class Choices(NamedTuple):
    """Nothing certain; the likeliest first, none where nothing is alike."""

    items: tuple[Choice, ...]


class _Named(NamedTuple):
    cvegeo: str
    spelling: str


class Places:
    """Made once for a set of vintages, and asked often: a name that resolves takes a tenth of a millisecond, choices
    take a few.
    """

    def __init__(self, municipalities: Municipalities) -> None:
        self._municipalities = municipalities
        self._newest: dict[str, Resolved] = {}
        spellings: dict[_Named, None] = {}
        for vintage in municipalities.vintages:
            for one in vintage.municipalities.values():
                self._newest[one.cvegeo] = Resolved(one.cvegeo, one.name, one.cvegeo[:2], vintage.label)
                spellings[_Named(one.cvegeo, _spelling(one.name))] = None
        self._names = tuple(spellings)
        self._by_spelling: defaultdict[str, set[str]] = defaultdict(set)
        self._by_trigram: defaultdict[str, list[int]] = defaultdict(list)
        self._by_word: defaultdict[str, set[int]] = defaultdict(set)
        for number, named in enumerate(self._names):
            self._by_spelling[named.spelling].add(named.cvegeo)
            for word in named.spelling.split():
                self._by_word[word].add(number)
            for trigram in trigrams(named.spelling):
                self._by_trigram[trigram].append(number)

    def resolve(self, name: str, state: str | None = None, on: date | None = None) -> Resolved | Choices:
        """The municipality of a name, which may carry its state behind a comma ("Pueblo Nuevo, Durango").

        ``state``: its name or code, where that is known apart. ``on``: only what there may have been on that day.
        """
        wanted, within, certain = _read(name, state)
        exact = [
            cvegeo
            for cvegeo in sorted(self._by_spelling.get(wanted, ()))
            if self._held(cvegeo, on) and (within is None or cvegeo[:2] == within.code)
        ]
        if len(exact) == 1 and certain:
            return self._newest[exact[0]]
        return Choices(self._alike(wanted, within, on))

    def _held(self, cvegeo: str, on: date | None) -> bool:
        first, last = (on, on) if on else _NO_DATE
        return self._municipalities.known(cvegeo, first, last)

    def _alike(self, wanted: str, within: State | None, on: date | None) -> tuple[Choice, ...]:
        best: dict[str, float] = {}
        for number in self._candidates(wanted, within):
            cvegeo, spelling = self._names[number]
            if self._held(cvegeo, on):
                best[cvegeo] = max(best.get(cvegeo, 0.0), _score(wanted, spelling))
        choices = [
            Choice(cvegeo, self._newest[cvegeo].name, cvegeo[:2], round(score, 3))
            for cvegeo, score in best.items()
            if score >= MIN_SCORE
        ]
        choices.sort(key=lambda choice: (-choice.score, choice.cvegeo))
        same = sum(choice.score == 1 for choice in choices)
        return tuple(choices[: max(same, MAX_CHOICES)])

    def _candidates(self, wanted: str, within: State | None) -> Iterable[int]:
        """The names that have all the words, and those that share most groups of letters (Dice's coefficient)."""
        shared = Counter(number for group in trigrams(wanted) for number in self._by_trigram.get(group, ()))
        having = [self._by_word.get(word, frozenset[int]()) for word in wanted.split()]
        worded = frozenset[int]().union(*having[:1]).intersection(*having)
        if within is not None:
            shared = Counter({n: count for n, count in shared.items() if self._in(n, within)})
            worded = frozenset(number for number in worded if self._in(number, within))
        length = len(wanted) + 2
        nearest = heapq.nlargest(
            _LOOKED_AT, shared, key=lambda n: shared[n] / (length + len(self._names[n].spelling))
        )
        return worded.union(nearest)

    def _in(self, number: int, state: State) -> bool:
        return self._names[number].cvegeo[:2] == state.code


def _score(wanted: str, spelling: str) -> float:
    if wanted != spelling and f" {wanted} " in f" {spelling} ":
        return _SHORTENED if spelling.startswith(wanted) else _SHORTENED - 0.1
    return likeness(wanted, spelling)


def _read(name: str, state: str | None) -> tuple[str, State | None, bool]:
    """The municipality's spelling, its state, and whether nothing of what was said remains unclear."""
    parts = [part for part in _PARTS.split(name) if part]
    if state is not None:
        within = find_state(state)
        # "Ocosingo, Chiapas" beside its state again says nothing else.
        if len(parts) > 1 and (said := find_state(parts[-1])) is not None:
            parts.pop()
            if within is not None and said is not within:
                return _spelling(" ".join(parts)), None, False
        return _spelling(" ".join(parts)), within, within is not None
    if len(parts) < 2:
        text = parts[0] if parts else ""
        return _spelling(text), None, find_state(text) is None
    within = find_state(parts[-1])
    if within is None and (within := find_state(parts[0])) is not None:
        return _spelling(" ".join(parts[1:])), within, True
    if within is None:
        return _spelling(parts[0]), None, False
    return _spelling(" ".join(parts[:-1])), within, True


def _spelling(name: str) -> str:
    return _KIND.sub("", written_out(name))
