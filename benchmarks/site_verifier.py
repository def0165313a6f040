"""What it costs to check a whole log in the reader's browser, against ``constancia verify`` of the same mirror.

The page is the register's own part of its page with the script that is served, in Chromium without a window; the files
come over HTTP from this process's memory. One leaf in ten discloses an incident: 100,000 leaves have about as many
openings as a register of many years. The command also checks tiles of hashes and every crowd, the page does not.
"""

import asyncio
import os
import re
import shutil
import tempfile
import time
from pathlib import Path

from playwright.async_api import BrowserContext, async_playwright

from benchmarks.harness import Bench, Comparison, Side, Timed
from benchmarks.log_audit import Silent
from benchmarks.log_mirror import KEY, write_mirror
from projections.verification.sources import Directory
from projections.verification.verifier import Options, verify_log
from registry.log.canonical import encode

LEAVES, QUICK_LEAVES = 100_000, 4_000
DISCLOSED_OF = 10
_WEB = Path(__file__).parents[1] / "api" / "web"
_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'"

_VERIFY = """() => new Promise((resolve) => {
  const verdict = document.querySelector("[data-verdict]");
  const started = performance.now();
  new MutationObserver(() => {
    if (verdict.dataset.verdict) resolve([verdict.dataset.verdict, (performance.now() - started) / 1000]);
  }).observe(verdict, { attributes: true });
  document.querySelector("button[data-verify]").click();
})"""
"""Presses the button; how it ended, and after how many seconds."""


async def run(bench: Bench) -> list[Comparison]:
    """A first visit, and one by a browser that keeps what it verified before."""
    size = bench.size(LEAVES, QUICK_LEAVES)
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        raise RuntimeError(
            "There is no Chromium to measure in: apt-get install chromium, or name it in CHROMIUM."
        )
    with tempfile.TemporaryDirectory(prefix="constancia-mirror-") as place:
        write_mirror(Path(place), size, DISCLOSED_OF)
        files = {f"/log/{path.relative_to(place)}": path.read_bytes() for path in _files(Path(place))}
        source = Directory(Path(place))
        options = Options(vkeys=(KEY.verifier.vkey(),))

        async def command(_: int) -> Timed:
            started = time.perf_counter()
            verify_log(source, options, Silent())
            took = time.perf_counter() - started
            return Timed(size, took, [took])

        server = await asyncio.start_server(_Site(files).answer, "127.0.0.1", 0)
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        async with async_playwright() as playwright, server:
            browser = await playwright.chromium.launch(executable_path=chromium, args=arguments)
            known = await browser.new_context()

            async def first(_: int) -> Timed:
                fresh = await browser.new_context()
                timed = await _visit(fresh, address, size)
                await fresh.close()
                return timed

            async def again(_: int) -> Timed:
                return await _visit(known, address, size)

            theirs = Side("constancia verify", size, command)
            comparisons = [
                await bench.compare(
                    f"the page's verifier, {name}",
                    Side("Chromium", size, ours),
                    theirs,
                    unit="leaves",
                    reach=None,
                )
                for name, ours in (("first visit", first), ("second visit", again))
            ]
            await browser.close()
    return comparisons


async def _visit(context: BrowserContext, address: str, size: int) -> Timed:
    page = await context.new_page()
    await page.goto(address)
    verdict, took = await page.evaluate(_VERIFY)
    if verdict != "passed":
        raise RuntimeError(f"The page did not verify the mirror: {await page.inner_text('[data-steps]')}")
    await page.close()
    return Timed(size, took, [took])


class _Site:
    """The page and the log's files, from memory, over HTTP/1.1."""

    def __init__(self, files: dict[str, bytes]) -> None:
        part = (_WEB / "templates" / "verifier.html").read_text(encoding="utf-8")
        words = re.sub(r"\{#.*?#\}|\{% (end)?trans %\}", "", part, flags=re.DOTALL)
        page = (
            f'<!doctype html><html lang="es"><meta charset="utf-8"><section id="verify">{words}'
            '<ol data-steps></ol></section><script type="module" src="/verify.js"></script></html>'
        )
        self._answers = {
            **{path: ("application/octet-stream", data) for path, data in files.items()},
            "/": ("text/html", page.encode()),
            "/verify.js": ("text/javascript", (_WEB / "static" / "verify.js").read_bytes()),
            "/log/policy": ("text/plain", b"quorum none\n"),
            "/log/keys": ("application/json", encode({"count": [], "log": [KEY.verifier.vkey()]})),
        }

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers one connection until the browser closes it."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split(b" ", 2)[1].decode()
                status, (kind, data) = 200, self._answers.get(path, ("", b""))
                if not kind:
                    status, kind = 404, "text/plain"
                lines = [
                    f"HTTP/1.1 {status} -",
                    f"Content-Type: {kind}",
                    f"Content-Length: {len(data)}",
                    f"Content-Security-Policy: {_POLICY}",
                ]
                writer.write("\r\n".join([*lines, "", ""]).encode() + data)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def _files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]
