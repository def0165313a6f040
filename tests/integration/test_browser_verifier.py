"""The page's own verifier, in JavaScript: a second implementation of the log and of the definition, run under Node.

It shares no code with the register. Each case below is a log as files, what a page shows, and how it must end.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings

from api.web.texts import texts
from projections.counting.certificate import certify
from projections.counting.definition import definition_sha256
from projections.counting.fold import Fold, fold
from projections.counting.query import CountQuery, ask
from registry.log.canonical import JSON, encode
from registry.log.checkpoint import Checkpoint
from registry.log.cosignature import Cosigner
from registry.log.keys import LogKeys
from registry.log.lines import write_base64
from registry.log.merkle import leaf_hash, root
from registry.log.note import Signer
from registry.log.publisher import Publisher
from registry.log.tiles import bundle_path
from tests.histories import Public, histories, queries
from tests.integration.published import mirror
from tests.integration.test_verify import publisher
from tests.unit.counting.test_disclosure import CONTRADICTIONS, PUBLIC, changed
from tests.unit.counting.test_vectors import CASES
from tests.unit.verification.synthetic import (
    COUNT_KEY,
    FIRST_RUNG,
    KEY,
    ORIGIN,
    OTHER_KEY,
    Json,
    SyntheticLog,
    files,
    incident,
    signed,
    small_log,
    write,
)

__all__ = ["publisher"]

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "api" / "web" / "verifier"
BUILT = ROOT / "api" / "web" / "static" / "verify.js"
TESTS = ROOT / "tests" / "interop" / "browser"
NODE = shutil.which("node")

pytestmark = [
    pytest.mark.skipif(NODE is None, reason="node is absent: apt-get install nodejs"),
    pytest.mark.skipif(
        not (SOURCE / "node_modules").is_dir(),
        reason="its packages are absent: npm ci --ignore-scripts --prefix api/web/verifier",
    ),
]

WITNESS = Cosigner(Signer("witness.example", bytes(range(3, 35))))
WITNESSED = f"witness w {WITNESS.key.vkey()}\nquorum w\n".encode()


def node(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    assert NODE is not None
    return subprocess.run(
        [NODE, *arguments],
        cwd=SOURCE,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def certified(leaves: list[bytes], query: CountQuery, size: int, **lies: Any) -> str:
    """The certificate of a count over the first ``size`` leaves."""
    answer = fold(leaves[:size]).count(query)._replace(**lies)
    return certify([COUNT_KEY], ORIGIN, query, answer, size, root(map(leaf_hash, leaves[:size])))


def memory(note: str, *keys: Signer, policy: bytes = b"quorum none\n") -> str:
    """What the browser kept."""
    vkeys: list[JSON] = [key.verifier.vkey() for key in keys or [KEY]]
    return encode({"keys": vkeys, "note": note, "policy": write_base64(policy), "v": 1}).decode()


def shown(leaves: list[bytes], query: CountQuery) -> Json:
    low, best, high = fold(leaves).count(query).bounds
    return {"low": low, "best": best, "high": high}


class Register:
    """The small log of two bundles, its files, and cases of it in one directory."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.leaves = small_log(entries=300).leaves
        self.files = {**files(self.leaves), "policy": b"quorum none\n"}
        self.size = len(self.leaves)
        self.query = ask("VICTIMISATIONS", group_by=["YEAR", "STATE"])

    def case(
        self,
        name: str,
        refused: str | None = None,
        values: Json | None = None,
        outcomes: Json | None = None,
        *,
        content: dict[str, bytes] | None = None,
        altered: dict[str, bytes] | None = None,
        **page: Any,
    ) -> None:
        """``page``: what the page shows and the browser remembers, where not nothing."""
        write(self.place / name, {**(content or self.files), **(altered or {})})
        question = {"unit": "VICTIMISATIONS", "groupBy": ["YEAR", "STATE"], "filter": {"nexus": "STRICT"}}
        told = {
            "question": question,
            "asOf": None,
            "shown": None,
            "certificate": None,
            "memory": None,
            "full": False,
            **page,
        }
        told["expected"] = {"refused": refused, "values": values or {}, "outcomes": outcomes or {}}
        (self.place / name / "case.json").write_text(json.dumps(told), encoding="utf-8")

    def log(self, name: str, refused: str | None, log: SyntheticLog, **page: Any) -> None:
        """A case of another log than the small one."""
        self.case(name, refused, content={**files(log.leaves), "policy": b"quorum none\n"}, **page)


def honest_cases(register: Register) -> None:
    leaves, size, query = register.leaves, register.size, register.query
    early = size - 5  # the first release, before the second
    whole = shown(leaves, query)
    assert whole != shown(leaves[:early], query)
    outcomes = {"count": "agrees", "certificate": "agrees", "witnesses": "none", "memory": "prefix"}
    register.case(
        "an honest figure",
        outcomes=outcomes,
        shown=whole,
        asOf=size,
        certificate=certified(leaves, query, size),
        memory=memory(signed(leaves[:280])),
    )
    register.case(
        "an earlier figure",
        outcomes={**outcomes, "memory": "first"},
        shown=shown(leaves[:early], query),
        asOf=early,
        certificate=certified(leaves, query, early),
    )
    many = [*leaves, *(entry for entry in small_log(entries=2000).leaves if b'"entry"' in entry)]
    register.case(
        "a log of which this browser keeps a part",
        content={**files(many), "policy": b"quorum none\n"},
        outcomes={"count": "agrees"},
        shown=whole,
        asOf=size,
    )
    register.case("a log without a figure", outcomes={"count": "counted", "certificate": "absent"})
    # The full bundle may have taken the place of the partial one.
    grown = [*leaves, *small_log(entries=256).leaves]
    dropped = {path: data for path, data in register.files.items() if ".p/" not in path}
    dropped[bundle_path(1)] = files(grown)[bundle_path(1)]
    register.case("a log that grew while it was read", content=dropped)
    # A storage without room stops nothing, and hides nothing that it held.
    register.case("a first visit with a full storage", outcomes={"memory": "full"}, full=True)
    known = memory(signed(leaves[:280]))
    register.case("a visit with a full storage", outcomes={"memory": "stale"}, memory=known, full=True)
    note = register.files["checkpoint"].decode()
    cosigned = note + WITNESS.cosign(note[: note.index("\n\n") + 1], 1_700_000_000).line()
    witnessed = {"checkpoint": cosigned.encode(), "policy": WITNESSED}
    register.case("a log with witnesses", outcomes={"witnesses": "quorum"}, altered=witnessed)
    false = cosigned.encode()[:-6] + b"AAAA=\n"
    before = memory(signed(leaves[:280]), policy=WITNESSED)
    register.case(
        "a log with witnesses that asks for none any more",
        outcomes={"witnesses": "changed", "memory": "prefix"},
        altered={"checkpoint": cosigned.encode()},
        memory=before,
    )
    register.case(
        "a policy in another spelling",
        outcomes={"witnesses": "quorum"},
        altered=witnessed,
        memory=memory(signed(leaves[:280]), policy=b"# the same\n" + WITNESSED),
    )
    register.case("a quorum that was dropped", "POLICY_WEAKENED", {"quorum": "w"}, memory=before)
    register.case("a false cosignature", "SIGNATURE_FALSE", altered={**witnessed, "checkpoint": false})
    register.case("a quorum that is missed", "QUORUM_MISSED", altered={"policy": WITNESSED})
    both = Checkpoint(ORIGIN, size, root(map(leaf_hash, leaves))).sign(KEY, OTHER_KEY)
    vkeys = [KEY.verifier.vkey(), OTHER_KEY.verifier.vkey()]
    register.case(
        "a key that is being replaced",
        outcomes={"memory": "prefix"},
        altered={"checkpoint": both.encode(), "keys": json.dumps({"log": vkeys, "count": []}).encode()},
        memory=memory(signed(leaves[:9])),
    )


def tampered_cases(register: Register) -> None:
    leaves, size, query = register.leaves, register.size, register.query
    # The leaves.
    bundle = bytearray(register.files[bundle_path(0)])
    bundle[len(bundle) // 2] ^= 1
    register.case("a flipped leaf", "LEAF_CHANGED", altered={bundle_path(0): bytes(bundle)})
    swapped = files([leaves[0], leaves[2], leaves[1], *leaves[3:]])
    swapped["checkpoint"] = register.files["checkpoint"]
    register.case("leaves and tiles changed together", "ROOT_DIFFERS", altered=swapped)
    register.case("half a bundle", "BUNDLE_MALFORMED", altered={bundle_path(0): bytes(bundle[:-1])})
    missing = {path: data for path, data in register.files.items() if "entries" not in path}
    endless = Checkpoint(ORIGIN, 2**53 - 1, bytes(32)).sign(KEY).encode()
    register.case("more leaves than there are", "UNAVAILABLE", altered={"checkpoint": endless})
    flood = bytes(256 * (2 + 65_535) + 1)
    for path in ("keys", "checkpoint", "policy", bundle_path(0)):
        name = f"a flood of {path.replace('/', ' ')}"
        register.case(name, "FILE_TOO_LONG", {"path": path}, altered={path: flood})
    register.case("no bundles", "UNAVAILABLE", {"path": bundle_path(0)}, content=missing)
    # The signature.
    note = register.files["checkpoint"].decode()
    register.case(
        "a forged size",
        "SIGNATURE_FALSE",
        altered={"checkpoint": note.replace(f"\n{size}\n", f"\n{size - 1}\n").encode()},
    )
    other = signed(leaves, OTHER_KEY)
    register.case("another key's signature", "NOT_SIGNED", altered={"checkpoint": other.encode()})
    elsewhere = Signer("elsewhere.example/log", bytes(32))
    keys = json.dumps({"log": [KEY.verifier.vkey(), elsewhere.verifier.vkey()], "count": []}).encode()
    register.case("keys of two logs", "KEY_MALFORMED", altered={"keys": keys})
    register.case("keys that are no list", "KEY_MALFORMED", altered={"keys": b"<html>"})
    register.case("a checkpoint that is none", "NOTE_MALFORMED", altered={"checkpoint": b"\xff"})
    register.case("a policy that is none", "POLICY_MALFORMED", {"line": 1}, altered={"policy": b"<html>"})
    # The figure and its certificate.
    numbers = shown(leaves, query)
    register.case("a wrong count", "COUNT_DIFFERS", shown={**numbers, "best": numbers["best"] + 1})
    register.case("a figure of the future", "FIGURE_AHEAD", asOf=size + 1)
    honest = certified(leaves, query, size)
    wrong = certified(leaves, query, size, disputed=1)
    register.case(
        "a certificate of a wrong count", "CERTIFICATE_DIFFERS", {"parts": "result"}, certificate=wrong
    )
    register.case(
        "a forged certificate", "SIGNATURE_FALSE", certificate=honest.replace('"disputed":0', '"disputed":1')
    )
    whole = certified(leaves, query.whole(), size)
    register.case(
        "another question's certificate", "CERTIFICATE_DIFFERS", {"parts": "query, result"}, certificate=whole
    )
    register.case(
        "a certificate of another size", "CERTIFICATE_DIFFERS", certificate=certified(leaves, query, 280)
    )
    register.case("a checkpoint for a certificate", "NOT_SIGNED", certificate=note)
    # What the browser saw before.
    more = [*leaves, leaves[0]]
    register.case(
        "a log that was rolled back", "ROLLED_BACK", {"before": size + 1}, memory=memory(signed(more))
    )
    forked = [leaves[1], leaves[0], *leaves[2:]]
    register.case("a fork of the same size", "FORKED", memory=memory(signed(forked)))
    register.case("a fork further back", "FORKED", {"before": 270}, memory=memory(signed(forked[:270])))
    register.case("a key that nobody knew", "NOT_SIGNED", memory=memory(other, OTHER_KEY))
    no_policy = memory(note, policy=b"<html>")
    register.case("a memory of a policy that is none", "MEMORY_DAMAGED", memory=no_policy)
    register.case("a damaged memory", "MEMORY_DAMAGED", memory='{"v":1}')
    unsigned = memory(signed(leaves[:270]).replace("\n270\n", "\n271\n"))
    register.case("a memory that nobody signed", "MEMORY_DAMAGED", memory=unsigned)
    full = memory(signed(more))
    register.case("a log that was rolled back, with a full storage", "ROLLED_BACK", memory=full, full=True)
    register.case("a memory that is no note", "MEMORY_DAMAGED", memory=memory("x"))


def false_logs(register: Register) -> None:
    """Signed like this, and still wrong: what only who reads the leaves finds."""

    def log() -> SyntheticLog:
        made = SyntheticLog()
        made.adopt()
        made.disclose(incident(1))
        made.release()
        return made

    def other_value(public: Json) -> None:
        public["facets"]["state"]["value"] = "17"

    def without_key(public: Json) -> None:
        public["facets"]["state"] = {"value": "16"}

    def other_year(public: Json) -> None:
        public["facets"]["year"]["value"] = "2019"

    def two(public: Json) -> None:
        public["disclosed"] = 2

    opened = (*FIRST_RUNG, "state")
    for name, refused, change in (
        ("a wrong opening", "OPENING_FALSE", other_value),
        ("an opening without its key", "OPENING_FALSE", without_key),
        ("a silent change", "FACET_CHANGED", other_year),
    ):
        made = log()
        made.disclose(incident(1), opened=opened, change=change)
        made.release()
        register.log(name, refused, made, values={"leaf": 4, "incident": incident(1)})
    sealed_again = log()
    sealed_again.disclose(incident(1), reseal=True, change=lambda public: public.update(reason=None))
    register.log("a seal that is made anew without a reason", "FACET_CHANGED", sealed_again)
    miscounted = log()
    miscounted.release(two)
    register.log(
        "a release that says more than it did", "RELEASE_FALSE", miscounted, values={"field": "disclosed"}
    )
    unordered = log()
    unordered.disclose(incident(3))
    unordered.disclose(incident(2))
    register.log("a release out of order", "RELEASE_FALSE", unordered, values={"leaf": 5})
    unknown = log()
    unknown.open("site.closed", {})
    register.log("a leaf of an unknown type", "LEAF_UNKNOWN", unknown, values={"type": "site.closed"})
    respelled = log()
    respelled.leaves.append(respelled.leaves[0].replace(b'"v":1', b'"v": 1'))
    register.log("a leaf in another spelling", "LEAF_MALFORMED", respelled, values={"leaf": 4})
    deep = log()
    deep.leaves.append(b"[" * 30_000 + b"]" * 30_000)
    register.log("a leaf nested deeply", "LEAF_MALFORMED", deep, values={"leaf": 4})

    def countless(public: Json) -> None:
        scope = {"victims": [2**53 - 1] * 3, "deaths": [0, 0, 0]}
        public["facets"]["tally"]["value"] = {"strict": scope, "broad": scope}

    beyond = SyntheticLog()
    beyond.adopt()
    beyond.disclose(incident(1), change=countless)
    beyond.disclose(incident(2), change=countless)
    register.log("a sum that has no spelling", "COUNT_TOO_LARGE", beyond)
    malformed = log()
    malformed.disclose(incident(2), change=lambda public: public.update(disputed=0))
    register.log("a disclosure that is malformed", "LEAF_MALFORMED", malformed, values={"field": "disputed"})
    redefined = log()
    redefined.open("definition.adopted", {"id": "national-count/2", "sha256": "0" * 64})
    register.log("another definition", "DEFINITION_UNKNOWN", redefined, values={"adopted": "0" * 64})
    register.log(
        "a figure from before it",
        None,
        redefined,
        outcomes={"count": "agrees"},
        asOf=4,
        shown=shown(redefined.leaves[:4], register.query),
    )
    register.log("an empty log", "DEFINITION_UNKNOWN", SyntheticLog())


def test_it_verifies_what_is_true_and_refuses_what_is_not(tmp_path: Path) -> None:
    register = Register(tmp_path)
    honest_cases(register)
    tampered_cases(register)
    false_logs(register)

    done = node("--test", TESTS / "verify.test.mjs", CONSTANCIA_CASES=str(tmp_path))

    assert done.returncode == 0, done.stdout
    assert f"# pass {len(list(tmp_path.iterdir()))}\n" in done.stdout


async def test_it_verifies_what_a_register_published(
    pool: asyncpg.Pool, publisher: Publisher, log_keys: LogKeys, tmp_path: Path
) -> None:
    place = await mirror(pool, tmp_path / "cases" / "what was published")
    (place / "policy").write_bytes(b"quorum none\n")
    (place / "keys").write_text(json.dumps(log_keys.vkeys()), encoding="utf-8")
    case = {
        "question": {"unit": "VICTIMISATIONS"},
        "asOf": None,
        "shown": {"low": 0, "best": 0, "high": 4},
        "certificate": None,
        "memory": None,
        "full": False,
        "expected": {"refused": None, "outcomes": {"count": "agrees"}},
    }
    (place / "case.json").write_text(json.dumps(case), encoding="utf-8")

    done = node("--test", TESTS / "verify.test.mjs", CONSTANCIA_CASES=str(tmp_path / "cases"))

    assert done.returncode == 0, done.stdout
    assert "# pass 1\n" in done.stdout


def test_its_parsers_refuse_everything_else() -> None:
    done = node("--test", TESTS / "parsers.test.mjs", TESTS / "texts.test.mjs")
    assert done.returncode == 0, done.stdout


class Counter:
    """The definition in JavaScript, asked line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._asked: IO[str] = process.stdin
        self._answers: IO[str] = process.stdout

    def count(self, leaves: list[Json], query: JSON) -> str:
        """The answer in its canonical form, or which field is malformed."""
        self._asked.write(json.dumps({"leaves": leaves, "query": query}) + "\n")
        self._asked.flush()
        return self._answers.readline().removesuffix("\n")


@pytest.fixture(scope="module")
def counter() -> Iterator[Counter]:
    assert NODE is not None
    command = [NODE, str(TESTS / "answers.mjs")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Counter(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0


def disclosed(public: Public) -> Json:
    return {"type": "incident.disclosed", "public": public}


def test_it_answers_as_the_vectors_say(counter: Counter) -> None:
    for case in CASES:
        leaves, question = case.values
        assert isinstance(leaves, list)
        assert isinstance(question, dict)
        answer = counter.count(leaves[: question["as_of"]], question["query"])
        assert answer == encode(question["result"]).decode(), (case.id, question["why"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(histories, queries())
def test_it_answers_as_the_fold_does(counter: Counter, history: list[Public], query: CountQuery) -> None:
    fold = Fold()
    for position, public in enumerate(history):
        fold.add_open(position, "incident.disclosed", public)

    answer = counter.count([*map(disclosed, history)], query.canonical())

    assert answer == encode(fold.count(query).canonical()).decode()


def test_a_leaf_that_contradicts_itself_has_no_count_even_when_a_later_one_replaces_it(
    counter: Counter,
) -> None:
    assert "malformed" not in counter.count([disclosed(PUBLIC)], ask().canonical())
    for path, value in CONTRADICTIONS:
        answer = counter.count([disclosed(changed(path, value)), disclosed(PUBLIC)], ask().canonical())
        assert answer.startswith('{"malformed":'), path


def test_it_holds_the_definition_that_the_register_counts_by() -> None:
    assert f'"{definition_sha256()}"' in (SOURCE / "recount.js").read_text(encoding="utf-8")


def test_its_types_hold() -> None:
    done = node(SOURCE / "node_modules" / "typescript" / "bin" / "tsc", "--project", ".")
    assert done.returncode == 0, done.stdout


def test_what_is_served_is_what_its_sources_give(tmp_path: Path) -> None:
    done = node(SOURCE / "build.mjs", tmp_path / "verify.js")
    assert done.returncode == 0, done.stderr
    built = (tmp_path / "verify.js").read_bytes()
    assert hashlib.sha256(built).digest() == hashlib.sha256(BUILT.read_bytes()).digest(), "run make verifier"
    # Nothing is fetched from elsewhere, and nothing is run that a Content-Security-Policy forbids.
    assert set(re.findall(rb"https?://[^ )\n]*", built)) == set()
    assert not re.search(rb"sourceMappingURL|\beval\(|new Function\(", built)


def test_its_part_of_the_page_has_every_word_that_it_says_in_both_languages() -> None:
    page = (SOURCE.parent / "templates" / "verifier.html").read_text(encoding="utf-8")
    for text in re.findall(r"\{% trans %\}(.*?)\{% endtrans %\}", page):
        values = [sorted(re.findall(r"\{\w+\}", said)) for said in (text, texts("en").gettext(text))]
        assert values[0] == values[1], text
    listed = node(
        "--input-type=module", "--eval", "import { NAMES } from './texts.js'; console.log(NAMES.join('\\n'))"
    )
    assert sorted(re.findall('data-text="([^"]+)"', page)) == sorted(listed.stdout.split())
