"""The page that verifies, in a real browser: it passes on the true log, and refuses each way to lie about it.

Lies are answers put in the place of the register's own. Where a lie needs a signature it has one: these tests hold the
register's private keys, so what is refused there is refused to the operator.
"""

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Request, Route, expect

from projections.counting.certificate import certify
from projections.counting.fold import fold
from projections.counting.query import ask
from registry.log.canonical import encode
from registry.log.checkpoint import Checkpoint
from registry.log.cosignature import Cosigner
from registry.log.keys import LogKeys, load_or_create
from registry.log.leaf import entry_leaf
from registry.log.lines import write_base64
from registry.log.merkle import leaf_hash, root
from registry.log.note import Signer, sign
from registry.log.tiles import TILE_WIDTH, bundle_path, decode_bundle, encode_bundle
from registry.text import Language
from tests.acceptance.conftest import Program
from tests.browser.conftest import PHONE
from tests.unit.verification.synthetic import files

STEPS = ["checkpoint", "witnesses", "leaves", "memory", "openings", "count", "certificate"]
VERIFY: dict[Language, str] = {"es": "/verificar", "en": "/en/verify"}
PATIENCE = 20_000
WITNESS = Cosigner(Signer("witness.example", bytes(range(3, 35))))
WITNESSED = f"witness w {WITNESS.key.vkey()}\nquorum w\n".encode()

Answers = dict[str, bytes]
"""By path below ``/log/``, or the whole path of a page or certificate. Nothing stands for a lost connection."""


class Log(NamedTuple):
    """The register's log, and what its operator could publish instead."""

    leaves: list[bytes]
    keys: LogKeys
    pages: dict[Language, str]

    @property
    def size(self) -> int:
        return len(self.leaves)

    def instead(self, leaves: list[bytes]) -> Answers:
        """Other leaves, signed by the register."""
        content = files(leaves, self.keys.log)
        del content["keys"]
        return content

    @property
    def root(self) -> bytes:
        return root([leaf_hash(leaf) for leaf in self.leaves])

    def note(self, origin: str | None = None) -> str:
        """The checkpoint, or another log's, signed by the register."""
        text = Checkpoint(origin or self.keys.origin, self.size, self.root).text()
        return sign(text, self.keys.log)


@pytest.fixture(scope="module")
def log(register: Program) -> Log:
    with register.client() as client:

        def read(path: str) -> bytes:
            return client.get(f"/log/{path}").raise_for_status().content

        origin, digits, *_ = read("checkpoint").decode().split("\n")
        leaves: list[bytes] = []
        while len(leaves) < int(digits):
            width = min(TILE_WIDTH, int(digits) - len(leaves))
            leaves += decode_bundle(read(bundle_path(len(leaves) // TILE_WIDTH, width)), width)
        pages = {language: client.get(path).text for language, path in VERIFY.items()}
    return Log(leaves, load_or_create(register.data, origin), pages)


class Reader:
    """Somebody who opens the page, and the answers that come in the place of the register's."""

    def __init__(self, context: BrowserContext) -> None:
        self.answers: Answers = {}
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.page = context.new_page()
        self.page.on("console", lambda said: self.complaints.append(f"{said.type}: {said.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        context.route(re.compile("/log/|/certificado|/verificar|/verify$"), self._answer)

    def _answer(self, route: Route, request: Request) -> None:
        path = httpx.URL(request.url).path
        self.asked.append(path)
        answer = self.answers.get(path.removeprefix("/log/"))
        if answer is None:
            route.continue_()
        elif answer:
            route.fulfill(body=answer, content_type="text/html" if path in VERIFY.values() else "text/plain")
        else:
            route.abort()

    def open(self, language: Language = "es") -> None:
        self.page.goto(VERIFY[language])

    def verify(self) -> str:
        """Presses the button; the verdict."""
        self.page.locator("button[data-verify]").click()
        verdict = self.page.locator("[data-verdict]")
        expect(verdict).to_have_attribute("data-verdict", re.compile("."), timeout=PATIENCE)
        return verdict.get_attribute("data-verdict") or ""

    def state(self, step: str) -> str:
        return self.page.locator(f"[data-step={step}]").get_attribute("data-state") or ""

    def outcome(self, step: str) -> str:
        return self.page.locator(f"[data-step={step}] [data-part=outcome]").inner_text()

    def bundles(self) -> int:
        """How many bundles were asked for."""
        return sum("/tile/entries/" in path for path in self.asked)


@pytest.fixture
def reader(context: BrowserContext) -> Reader:
    return Reader(context)


def test_it_passes_on_the_true_log_and_keeps_what_it_verified(reader: Reader, log: Log) -> None:
    reader.open()

    assert reader.verify() == "passed"

    assert [reader.state(step) for step in STEPS] == ["passed", "noted", "passed", "noted", *["passed"] * 3]
    expect(reader.page.locator("button[data-verify]")).to_be_focused()
    low, best, high = fold(log.leaves).count(ask()).bounds
    assert f"mínimo {low}, mejor {best}, máximo {high}" in reader.outcome("count")
    assert reader.page.locator(".figure .best").inner_text() == str(best)
    whole = -(-log.size // TILE_WIDTH)
    assert reader.bundles() == whole

    reader.asked.clear()
    reader.open("en")
    assert reader.verify() == "passed"
    kept = log.size // (8 * TILE_WIDTH) * 8
    assert kept > 0
    assert reader.bundles() == whole - kept
    assert f"{kept * TILE_WIDTH:,} were kept in this browser" in reader.outcome("leaves")
    assert reader.state("memory") == "passed"

    # Somebody who can write into the browser's storage changes nothing but how much is fetched.
    reader.page.evaluate(SPOIL)
    assert reader.verify() == "passed"
    assert "thrown away" in reader.outcome("leaves")
    assert reader.verify() == "passed"
    assert "were kept" in reader.outcome("leaves")

    reader.page.locator("button[data-forget]").click()
    expect(reader.page.locator("[data-verdict]")).to_have_text(re.compile("like the first"))
    assert reader.page.evaluate("async () => [localStorage.length, (await caches.keys()).length]") == [0, 0]
    # Nothing that the page's policy forbids was tried: a browser says so on its console.
    assert reader.complaints == []


SPOIL = """async () => {
  const cache = await caches.open("constancia/bundles");
  for (const request of await cache.keys()) {
    const bytes = new Uint8Array(await (await cache.match(request)).arrayBuffer());
    bytes[1000] ^= 1;
    await cache.put(request, new Response(bytes));
  }
}"""


class Lie(NamedTuple):
    """What comes instead, which step refuses it, and what it says."""

    answers: Answers
    step: str
    said: str
    language: Language = "es"


def flipped_leaf(log: Log) -> Lie:
    bundle = encode_bundle(log.leaves[:TILE_WIDTH])
    flipped = bundle[:9] + bytes([bundle[9] ^ 1]) + bundle[10:]
    return Lie(
        {bundle_path(0): flipped}, "leaves", "La hoja 0 fue cambiada: las hojas no dan la raíz firmada."
    )


def truncated_bundle(log: Log) -> Lie:
    bundle = encode_bundle(log.leaves[:TILE_WIDTH])
    said = f"{bundle_path(0)} no contiene las entradas que debe."
    return Lie({bundle_path(0): bundle[:-1]}, "leaves", said)


def forged_signature(log: Log) -> Lie:
    forged = log.note().replace(f"\n{log.size}\n", f"\n{log.size - 1}\n")
    said = f"La firma de {log.keys.origin} es falsa: el texto fue alterado o la clave no es la suya."
    return Lie({"checkpoint": forged.encode()}, "checkpoint", said)


def wrong_key(log: Log) -> Lie:
    other = Signer(log.keys.origin, bytes(range(7, 39)))
    keys = {"log": [other.verifier.vkey()], "count": []}
    return Lie({"keys": encode(keys)}, "checkpoint", "No lleva la firma de ninguna clave conocida")


def foreign_origin(log: Log) -> Lie:
    note = log.note("elsewhere.example/log").encode()
    return Lie(
        {"checkpoint": note}, "checkpoint", "El punto de control es de otra bitácora: elsewhere.example/log."
    )


def changed_policy(log: Log) -> Lie:
    return Lie({"policy": WITNESSED}, "witnesses", "Faltan cofirmas para el quórum w. Cofirmaron: -.")


def public_part(leaf: bytes) -> dict[str, Any]:
    return dict(json.loads(leaf).get("public", {}))


def opens_the_kind(numbered: tuple[int, dict[str, Any]]) -> bool:
    """Of an attack, with the key of an earlier seal."""
    public = numbered[1]
    return "key" in public.get("facets", {}).get("kind", {}) and public["class"] == "ATTACK"


def wrong_opening(log: Log) -> Lie:
    """Signed like this: another kind than the one that was sealed."""
    number, public = next(filter(opens_the_kind, enumerate(map(public_part, log.leaves))))
    kind = public["facets"]["kind"]["value"]
    other = "ROBBERY" if kind != "ROBBERY" else "EXTORTION"
    spoilt = log.leaves[number].replace(f'"value":"{kind}"'.encode(), f'"value":"{other}"'.encode())
    said = f"incidente {public['incident']}: «kind» no se abrió con el valor que se había sellado."
    return Lie(log.instead([*log.leaves[:number], spoilt, *log.leaves[number + 1 :]]), "openings", said)


def wrong_count(log: Log) -> Lie:
    low, best, high = fold(log.leaves).count(ask()).bounds
    page = log.pages["es"].replace(f'data-best="{best}"', f'data-best="{best + 1}"')
    said = f"La página muestra {low} / {best + 1} / {high} y las hojas dan {low} / {best} / {high}"
    return Lie({VERIFY["es"]: page.encode()}, "count", said)


def wrong_count_in_english(log: Log) -> Lie:
    low, best, high = fold(log.leaves).count(ask()).bounds
    page = log.pages["en"].replace(f'data-low="{low}"', f'data-low="{low + 1}"')
    said = f"The page shows {low + 1} / {best} / {high}, and the leaves give {low} / {best} / {high}"
    return Lie({VERIFY["en"]: page.encode()}, "count", said, "en")


def wrong_certificate(log: Log) -> Lie:
    answer = fold(log.leaves).count(ask())
    answer = answer._replace(disputed=answer.disputed + 1)
    note = certify([log.keys.count], log.keys.origin, ask(), answer, log.size, log.root)
    return Lie(
        {"/certificado": note.encode()},
        "certificate",
        "El certificado no concuerda con las hojas en: result.",
    )


LIES: list[Callable[[Log], Lie]] = [
    flipped_leaf,
    truncated_bundle,
    forged_signature,
    wrong_key,
    foreign_origin,
    changed_policy,
    wrong_opening,
    wrong_count,
    wrong_count_in_english,
    wrong_certificate,
]


@pytest.mark.parametrize("tell", LIES, ids=lambda tell: tell.__name__)
def test_it_refuses(tell: Callable[[Log], Lie], reader: Reader, log: Log) -> None:
    lie = tell(log)
    reader.answers = lie.answers
    reader.open(lie.language)

    assert reader.verify() == "failed"

    assert lie.said in reader.outcome(lie.step)
    assert lie.said in reader.page.locator("[data-verdict]").inner_text()
    at = STEPS.index(lie.step)
    assert reader.state(lie.step) == "failed"
    assert {reader.state(step) for step in STEPS[:at]} <= {"passed", "noted"}
    assert {reader.state(step) for step in STEPS[at + 1 :]} <= {"unreached"}


def test_it_refuses_what_contradicts_the_last_visit(reader: Reader, log: Log) -> None:
    longer = [*log.leaves, entry_leaf(uuid4(), write_base64(bytes(32)))]
    reader.answers = log.instead(longer)
    reader.open()
    assert reader.verify() == "passed"
    reader.answers = {}
    # A storage without room for more hides nothing that it holds.
    reader.page.evaluate(FILL)

    assert reader.verify() == "failed"

    said = (
        f"La bitácora retrocedió: este navegador vio {len(longer):,} hojas y ahora se muestran {log.size:,}."
    )
    assert said in reader.outcome("memory")
    evidence = reader.page.locator("[data-part=evidence]")
    assert [note.split("\n")[1] for note in evidence.all_inner_texts()] == [str(len(longer)), str(log.size)]

    reader.answers = log.instead([log.leaves[1], log.leaves[0], *longer[2:]])
    assert reader.verify() == "failed"
    assert f"las primeras {len(longer):,} hojas ya no son las que este navegador vio" in reader.outcome(
        "memory"
    )

    reader.page.locator("button[data-forget]").click()
    reader.page.evaluate(FILL)
    reader.answers = {}
    assert reader.verify() == "passed"
    assert "no tiene lugar para más" in reader.outcome("memory")
    reader.page.evaluate("localStorage.clear()")
    text, note = Checkpoint(log.keys.origin, log.size, log.root).text(), log.note()
    cosigned = note + WITNESS.cosign(text, 1_700_000_000).line()
    reader.answers = {"policy": WITNESSED, "checkpoint": cosigned.encode()}
    assert reader.verify() == "passed"
    assert reader.state("witnesses") == "passed"
    reader.answers = {}
    assert reader.verify() == "failed"
    assert "pide otros testigos que cuando este navegador lo verificó" in reader.outcome("witnesses")
    assert evidence.all_inner_texts()[0] == WITNESSED.decode()


FILL = """() => {
  for (let size = 1 << 20, number = 0; size >= 1; number += 1) {
    try { localStorage.setItem(number, "x".repeat(size)); } catch { size >>= 1; }
  }
}"""


def test_a_page_that_shows_half_a_figure_is_not_compared_with_nothing(reader: Reader, log: Log) -> None:
    page, changes = re.subn(r'data-low="\d+" data-best="\d+"', 'data-best="999"', log.pages["es"])
    assert changes == 1
    reader.answers = {VERIFY["es"]: page.encode()}
    reader.open()

    assert reader.verify() == "unproven"

    assert reader.outcome("checkpoint").startswith("La página no dice bien qué cifra muestra.")


@pytest.mark.parametrize("lack", ["ED25519", "SIMD", "WORKERS"])
def test_it_says_what_is_missing_where_nothing_can_be_proved(lack: str, browser: Browser, site: str) -> None:
    script, step, said = WITHOUT[lack]
    with browser.new_context(base_url=site, viewport=PHONE) as context:
        context.add_init_script(script)
        reader = Reader(context)
        reader.open()
        assert reader.verify() == "unproven"
        assert re.fullmatch(said, reader.outcome(step))
        assert reader.page.locator("#verify a[href='#command']").is_visible()
        assert "constancia verify" in reader.page.locator("section:has(> #command)").inner_text()


WITHOUT = {
    "ED25519": (
        """
const { importKey } = SubtleCrypto.prototype;
SubtleCrypto.prototype.importKey = function (format, data, algorithm, ...rest) {
  const refused = new DOMException("Unrecognized name.", "NotSupportedError");
  if (algorithm.name === "Ed25519") return Promise.reject(refused);
  return importKey.call(this, format, data, algorithm, ...rest);
};
""",
        "checkpoint",
        "Este navegador no comprueba firmas Ed25519, o la página no llegó por https. Actualícelo o use el comando.",
    ),
    "SIMD": (
        "WebAssembly.instantiate = () => Promise.reject(new WebAssembly.CompileError('SIMD'));",
        "checkpoint",
        "Este navegador no ejecuta WebAssembly con SIMD, con lo que se calculan las huellas. Permítalo, .*",
    ),
    # They are lost before anything is asked of them, as where the network is.
    "WORKERS": (
        "globalThis.Worker = class extends Worker { constructor() { super('/static/none.js'); } };",
        "leaves",
        r"No se pudo leer /static/verify\.js\. Revise la conexión .*",
    ),
}
"""What the browser is made to lack, which step says so, and what it says."""


def test_it_goes_on_after_the_network_was_lost_and_after_it_was_stopped(reader: Reader) -> None:
    lost = bundle_path(9)
    reader.answers = {lost: b""}
    reader.open()
    assert reader.verify() == "unproven"
    assert reader.outcome("leaves").startswith(
        f"No se pudo leer {lost}. Revise la conexión y vuelva a intentarlo"
    )
    assert "No se ha demostrado nada" in reader.page.locator("[data-verdict]").inner_text()

    held: list[Route] = []
    for path, step in ((lost, "leaves"), ("checkpoint", "checkpoint")):
        reader.page.route(f"**/log/{path}", lambda route: held.append(route))
        reader.page.locator("button[data-verify]").click()
        expect(reader.page.locator(f"[data-step={step}]")).to_have_attribute("data-state", "running")
        reader.page.locator("button[data-stop]").click()
        expect(reader.page.locator("[data-verdict]")).to_have_attribute("data-verdict", "unproven")
        assert reader.outcome(step) == "Usted lo detuvo."

    reader.page.unroute_all()
    reader.answers = {}
    assert reader.verify() == "passed"
