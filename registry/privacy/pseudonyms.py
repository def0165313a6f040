"""Keyed pseudonyms: the same person, source or document is found again across institutions without being named.

HMAC-SHA-256 under a key derived from the master key, cut to 128 bits: a CURP can be enumerated, so a hash without a
key would name everybody.
"""

import unicodedata
from uuid import UUID

from registry.privacy.master import MasterKey

PSEUDONYM_BYTES = 16


class Pseudonyms:
    def __init__(self, master: MasterKey) -> None:
        self._master = master

    def person_by_curp(self, curp: str) -> str:
        """The national id names a person everywhere."""
        return self._pseudonym("curp", _normal(curp))

    def person_by_internal_id(self, institution: UUID, internal_id: str) -> str:
        """An institution's own number names a person only within that institution."""
        return self._pseudonym("internal", f"{institution}\n{_normal(internal_id)}")

    def source(self, name: str) -> str:
        """Who says something: an outlet, an office."""
        return self._pseudonym("source", _normal(name))

    def digest(self, digest: str) -> str:
        """A document, by its digest, whoever names it."""
        return self._pseudonym("digest", _normal(digest))

    def url(self, url: str) -> str:
        """A document, by where it was found."""
        return self._pseudonym("url", _normal(url))

    def _pseudonym(self, kind: str, name: str) -> str:
        return self._master.mac("pseudonym", f"{kind}\n{name}".encode())[:PSEUDONYM_BYTES].hex()


def _normal(name: str) -> str:
    """Case, width and spaces do not make another person."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
