"""What browsers are told beside a page: load from here only, run our files only, tell nobody where a reader was.

Content-Security-Policy: W3C, level 3. Nothing is inline, neither scripts nor styles.
"""

from typing import Final

_BASE: Final = {
    "default-src": "'none'",
    "style-src": "'self'",
    "img-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
_WITH_VERIFIER: Final = {
    **_BASE,
    # Hashes are computed by WebAssembly, which counts as a script.
    "script-src": "'self' 'wasm-unsafe-eval'",
    "connect-src": "'self'",
    "worker-src": "'self'",
}


def secure(scripts: bool = False) -> dict[str, str]:
    """The headers of every page; ``scripts``: of the one that runs the verifier."""
    policy = _WITH_VERIFIER if scripts else _BASE
    return {
        "content-security-policy": "; ".join(f"{name} {sources}" for name, sources in policy.items()),
        "cross-origin-opener-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }
