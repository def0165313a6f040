"""What caches may keep (RFC 9111), and how they ask again (RFC 9110 section 8.8.3): the same words for every answer."""

import base64
import hashlib
from typing import Final

FOR_EVER: Final = "public, max-age=31536000, immutable"
ASK_AGAIN: Final = "public, max-age=0, must-revalidate"
NEVER: Final = "no-store"


def entity_tag(data: bytes) -> str:
    """Names ``data`` by its SHA-256: the first 18 bytes of it, which base64 writes without padding."""
    return f'"{base64.urlsafe_b64encode(hashlib.sha256(data).digest()[:18]).decode()}"'


def is_known(if_none_match: str | None, tag: str) -> bool:
    """Whether the client has what the tag names. “*” says nothing about that."""
    held = {one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")}
    return tag in held
