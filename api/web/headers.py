"""What browsers are told beside a page: load from here only, run our files only, tell nobody where a reader was.

Content-Security-Policy: W3C, level 3. Nothing is inline, neither scripts nor styles, but the one style of pictures that
are opened by themselves, which is named by its digest.
"""

from collections.abc import Mapping
from typing import Final

from api.web.charts import style

PAGE: Final = {
    "default-src": "'none'",
    "style-src": "'self'",
    "img-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
VERIFIER: Final = {
    **PAGE,
    # Hashes are computed by WebAssembly, which counts as a script.
    "script-src": "'self' 'wasm-unsafe-eval'",
    "connect-src": "'self'",
    "worker-src": "'self'",
}
EMBEDDED: Final = {**PAGE, "form-action": "'none'", "frame-ancestors": "*"}
"""Made to stand in anybody's page. It has no form and no script, so nobody can be led to act in it."""

PICTURE: Final = {
    "default-src": "'none'",
    "style-src": style.dark_digest(),
    "form-action": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


def secure(policy: Mapping[str, str] = PAGE) -> dict[str, str]:
    """The headers of a page with its policy."""
    return {
        "content-security-policy": "; ".join(f"{name} {sources}" for name, sources in policy.items()),
        "cross-origin-opener-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }
