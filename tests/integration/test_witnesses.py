"""Step 6 of the publisher: witnesses that behave, and witnesses that do what witnesses must not."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import asyncpg
import httpx
import pytest

from registry.errors import PublisherRefused, QuorumMissed
from registry.log import publisher as publisher_module
from registry.log import quorum as quorum_module
from registry.log import reader, storage
from registry.log.checkpoint import Checkpoint
from registry.log.keys import LogKeys, Purpose, load_or_create
from registry.log.last_signed import LastSigned, TreeHead
from registry.log.note import Signer, split_note
from registry.log.policy import Cosigned, Log, Policy
from registry.log.publisher import Publisher
from registry.log.witnessed import FILE
from tests.integration.publisher.leaves import ORIGIN, append, expected_root
from tests.witness_server import SILENCE, Network, WitnessServer, posts, shows, stale


@pytest.fixture
def keys(tmp_path: Path) -> LogKeys:
    return load_or_create(tmp_path, ORIGIN)


@pytest.fixture
def witnesses(keys: LogKeys, tmp_path: Path) -> list[WitnessServer]:
    return [
        WitnessServer(name, [keys.verifiers(Purpose.LOG)[0]], tmp_path / name) for name in ("w1", "w2", "w3")
    ]


@pytest.fixture
def policy(keys: LogKeys, witnesses: list[WitnessServer]) -> Policy:
    """Two of three."""
    lines = "".join(each.line for each in witnesses)
    policy = Policy.parse(f"{lines}group two 2 w1 w2 w3\nquorum two\n".encode())
    return policy.with_logs([Log(keys.verifiers(Purpose.LOG)[0])])


@pytest.fixture
def start(
    pool: asyncpg.Pool, keys: LogKeys, tmp_path: Path, policy: Policy, witnesses: list[WitnessServer]
) -> Callable[[], Publisher]:
    """A publisher as a process has it that has just started."""
    return lambda: Publisher(pool, keys, ORIGIN, tmp_path, policy, Network(*witnesses))


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quorum_module, "COLLECT_SECONDS", 3.0)
    monkeypatch.setattr(quorum_module, "LATECOMERS_SECONDS", 0.5)


def head(size: int) -> TreeHead:
    return TreeHead(size, expected_root(size))


def signed(keys: LogKeys, tree: TreeHead) -> str:
    return Checkpoint(ORIGIN, tree.size, tree.root).sign(*keys.signers(Purpose.LOG))


async def published(pool: asyncpg.Pool, policy: Policy) -> Cosigned | None:
    note = await reader.checkpoint_note(pool)
    return policy.open(note, ORIGIN) if note else None


async def cosigners(pool: asyncpg.Pool, policy: Policy) -> set[str]:
    shown = await published(pool, policy)
    return set() if shown is None else set(shown.times)


# Witnesses that behave


async def test_every_checkpoint_carries_the_cosignatures_of_its_witnesses(
    start: Callable[[], Publisher], pool: asyncpg.Pool, policy: Policy, witnesses: list[WitnessServer]
) -> None:
    publisher = start()
    for size in (0, 1, 5, 5, 300, 700):
        await append(pool, size - await storage.count_events(pool))
        assert (await publisher.publish_once()).size == size
        shown = await published(pool, policy)
        assert shown is not None
        assert shown.checkpoint == Checkpoint(ORIGIN, size, head(size).root)
        assert shown.times.keys() == {"w1", "w2", "w3"}
    # Each proof starts where the witness stands: no request is refused.
    assert [each.olds for each in witnesses] == [[0, 0, 1, 5, 5, 300]] * 3


async def test_the_same_checkpoint_is_cosigned_anew(
    start: Callable[[], Publisher], pool: asyncpg.Pool, policy: Policy, witnesses: list[WitnessServer]
) -> None:
    await append(pool, 3)
    publisher = start()
    await publisher.publish_once()
    for each in witnesses:
        each.now += 86_400
    await publisher.publish_once()
    shown = await published(pool, policy)
    assert shown is not None
    assert set(shown.times.values()) == {1_800_086_400}
    assert await pool.fetchval("SELECT count(*) FROM checkpoints") == 1


async def test_what_each_witness_cosigned_last_survives_a_restart(
    start: Callable[[], Publisher], pool: asyncpg.Pool, witnesses: list[WitnessServer]
) -> None:
    await append(pool, 3)
    await start().publish_once()
    await append(pool, 4)
    await start().publish_once()
    assert [each.olds for each in witnesses] == [[0, 3]] * 3


@pytest.mark.parametrize("content", [None, "", "[]", "{", '{"w": "x"}', '{"w": -1}'])
async def test_without_that_memory_the_witness_says_where_it_stands(
    start: Callable[[], Publisher],
    pool: asyncpg.Pool,
    policy: Policy,
    witnesses: list[WitnessServer],
    tmp_path: Path,
    content: str | None,
) -> None:
    await append(pool, 3)
    await start().publish_once()
    await append(pool, 4)
    (tmp_path / FILE).unlink()
    if content is not None:
        (tmp_path / FILE).write_text(content)
    await start().publish_once()
    assert [each.olds for each in witnesses] == [[0, 0, 3]] * 3
    assert await cosigners(pool, policy) == {"w1", "w2", "w3"}


async def test_a_size_beyond_what_was_signed_is_not_remembered(
    start: Callable[[], Publisher], pool: asyncpg.Pool, witnesses: list[WitnessServer], tmp_path: Path
) -> None:
    (tmp_path / FILE).write_text(f'{{"{witnesses[0].cosigner.key.vkey()}": {2**60}}}')
    await append(pool, 3)
    await start().publish_once()
    assert witnesses[0].olds == [3, 0]


async def test_an_answer_that_was_lost_does_no_harm(
    start: Callable[[], Publisher], pool: asyncpg.Pool, policy: Policy, witnesses: list[WitnessServer]
) -> None:
    publisher = start()
    await publisher.publish_once()
    await append(pool, 3)
    # It persisted the checkpoint, and its answer never arrived.
    note = signed(publisher._keys, head(3))
    witnesses[0].witness.add_checkpoint(f"old 0\n\n{note}".encode())
    await publisher.publish_once()
    assert witnesses[0].olds == [0, 0, 3]
    assert await cosigners(pool, policy) == {"w1", "w2", "w3"}


# Witnesses that do not


MISBEHAVIOURS = [
    pytest.param(posts(SILENCE), "No answer in time: w3", id="silence"),
    pytest.param(posts(httpx.Response(500)), "answered HTTP 500", id="500"),
    pytest.param(posts(httpx.Response(429)), "answered HTTP 429", id="429"),
    pytest.param(posts(httpx.Response(302, headers={"Location": "http://x"})), "HTTP 302", id="a redirect"),
    pytest.param(posts(httpx.Response(400)), "does not understand", id="400"),
    pytest.param(posts(httpx.Response(403)), "does not know this log's key", id="403"),
    pytest.param(posts(httpx.Response(404)), "does not know this log ", id="404"),
    pytest.param(posts(httpx.Response(409)), "refuses a correct", id="409 without body"),
    pytest.param(posts(httpx.Response(422)), "refuses a correct", id="422"),
    pytest.param(stale(0), "refuses a correct", id="409 with the size it was sent"),
    pytest.param(stale(2**60), "claims to have cosigned 1152921504606846976", id="a size of 2^60"),
    pytest.param(stale(8), "claims to have cosigned 8", id="a size of one more"),
    pytest.param(stale("many"), "refuses a correct", id="a size that is no number"),
    pytest.param(posts(httpx.Response(200)), "did not answer with a cosignature", id="an empty answer"),
    pytest.param(posts(httpx.Response(200, content=b"\xff")), "what is no text", id="bytes"),
    pytest.param(
        posts(httpx.Response(200, content=b"x" * 100_000)),
        "more than 65536 bytes",
        id="an answer without end",
    ),
]


@pytest.mark.parametrize(("spoil", "says"), MISBEHAVIOURS)
async def test_one_witness_that_misbehaves_stops_nothing_and_two_stop_publishing(
    start: Callable[[], Publisher],
    pool: asyncpg.Pool,
    policy: Policy,
    witnesses: list[WitnessServer],
    spoil: Callable[[httpx.Request], httpx.Response | None],
    says: str,
) -> None:
    await append(pool, 3)
    witnesses[2].spoil = spoil
    publisher = start()
    await publisher.publish_once()
    assert await cosigners(pool, policy) == {"w1", "w2"}
    first = await storage.latest_checkpoint(pool)

    await append(pool, 4)
    witnesses[1].spoil = posts(httpx.Response(503))
    with pytest.raises(
        QuorumMissed, match=says.replace("4", "[48]", 1) if says.endswith("4") else says
    ) as missed:
        await publisher.publish_once()
    assert "Cosigned: w1." in missed.value.text.en
    assert "Witness w2 answered HTTP 503." in missed.value.text.en
    assert await storage.latest_checkpoint(pool) == first

    # As soon as one is well again, the next try publishes.
    witnesses[1].spoil = None
    assert (await publisher.publish_once()).size == 7
    assert await cosigners(pool, policy) == {"w1", "w2"}


async def test_a_cosignature_of_something_else_is_none(
    start: Callable[[], Publisher],
    pool: asyncpg.Pool,
    policy: Policy,
    witnesses: list[WitnessServer],
    keys: LogKeys,
) -> None:
    await append(pool, 3)
    text = Checkpoint(ORIGIN, 3, head(3).root).text()
    cosigner = witnesses[2].cosigner
    answers = {
        "another text": cosigner.cosign("other\n", 1).line(),
        "another text that it brings along": "x\n\n" + cosigner.cosign(f"{text}\nx\n", 1).line(),
        "twice": cosigner.cosign(text, 1).line() + cosigner.cosign(text, 2).line(),
        "another witness": witnesses[0].cosigner.cosign(text, 1).line(),
        "a plain signature": Signer(cosigner.key.name, b"w3".ljust(32, b"_")).sign(text).line(),
        "no newline": cosigner.cosign(text, 1).line()[:-1],
        "seventeen lines": cosigner.cosign(text, 1).line()
        + witnesses[0].cosigner.cosign(text, 1).line() * 16,
    }
    for content in answers.values():
        witnesses[2].spoil = posts(httpx.Response(200, content=content.encode()))
        await start().publish_once()
        assert await cosigners(pool, policy) == {"w1", "w2"}
    # Lines by other keys beside the right one are ignored.
    stranger = Signer("stranger.example", b"s" * 32).sign(text).line()
    right = stranger + cosigner.cosign(text, 7).line() + stranger
    witnesses[2].spoil = posts(httpx.Response(200, content=right.encode()))
    await start().publish_once()
    note = await reader.checkpoint_note(pool)
    assert note is not None
    assert await cosigners(pool, policy) == {"w1", "w2", "w3"}
    assert "stranger" not in note


async def test_the_quorum_is_not_kept_waiting_by_the_slowest(
    start: Callable[[], Publisher], pool: asyncpg.Pool, witnesses: list[WitnessServer]
) -> None:
    witnesses[0].spoil = posts(SILENCE)
    loop = asyncio.get_running_loop()
    before = loop.time()
    await start().publish_once()
    assert loop.time() - before < 2.5


async def test_a_claim_without_proof_is_an_alarm(
    start: Callable[[], Publisher],
    pool: asyncpg.Pool,
    witnesses: list[WitnessServer],
    keys: LogKeys,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await append(pool, 3)
    ahead = Checkpoint(ORIGIN, 9, b"x" * 32)
    witnesses[2].spoil = shows(ORIGIN, ahead.sign(Signer(ORIGIN, b"x" * 32)), stale(9))
    await start().publish_once()
    alarms = [record for record in caplog.records if record.levelno == logging.CRITICAL]
    assert ["Witness w3 claims to have cosigned 9 leaves" in each.getMessage() for each in alarms] == [True]


# What stops us


async def test_a_checkpoint_by_our_key_that_is_ahead_stops_us(
    start: Callable[[], Publisher], pool: asyncpg.Pool, witnesses: list[WitnessServer], keys: LogKeys
) -> None:
    await append(pool, 3)
    publisher = start()
    first = await publisher.publish_once()
    await append(pool, 1)
    note = signed(keys, head(9))
    witnesses[2].spoil = shows(ORIGIN, note, stale(9))
    with pytest.raises(
        PublisherRefused, match="w3 shows a checkpoint of this log, signed by its key, of 9 leaves"
    ) as stop:
        await publisher.publish_once()
    assert note in stop.value.text.en
    assert await storage.latest_checkpoint(pool) == first


@pytest.mark.parametrize("answer", [409, 422])
async def test_another_root_by_our_key_stops_us(
    start: Callable[[], Publisher],
    pool: asyncpg.Pool,
    witnesses: list[WitnessServer],
    keys: LogKeys,
    answer: int,
) -> None:
    await append(pool, 3)
    publisher = start()
    await publisher.publish_once()
    for size in (2, 3):
        witnesses[2].spoil = shows(
            ORIGIN, signed(keys, TreeHead(size, b"x" * 32)), posts(httpx.Response(answer))
        )
        with pytest.raises(PublisherRefused, match=f"whose root for {size} leaves is not the one here"):
            await publisher.publish_once()


async def test_at_the_start_a_witness_that_is_ahead_is_believed_before_anything_is_signed(
    start: Callable[[], Publisher], pool: asyncpg.Pool, witnesses: list[WitnessServer], tmp_path: Path
) -> None:
    """The database and last_signed are both of yesterday; the witness is of today."""
    await append(pool, 3)
    await start().publish_once()
    yesterday = (tmp_path / "last_signed.json").read_bytes()
    await append(pool, 4)
    await start().publish_once()
    await pool.execute("DELETE FROM checkpoints WHERE size = 7")
    await pool.execute("DELETE FROM events WHERE position >= 3")
    await pool.execute("TRUNCATE log_tiles")
    (tmp_path / "last_signed.json").write_bytes(yesterday)
    for each in witnesses:
        each.requests.clear()
    with pytest.raises(PublisherRefused, match="of 7 leaves, and 3 were signed here"):
        await start().publish_once()
    assert LastSigned(tmp_path).read() == head(3)
    assert [each.olds for each in witnesses] == [[]] * 3


async def test_at_the_start_another_history_is_noticed(
    start: Callable[[], Publisher], pool: asyncpg.Pool, witnesses: list[WitnessServer], keys: LogKeys
) -> None:
    await append(pool, 3)
    await start().publish_once()
    witnesses[0].spoil = shows(ORIGIN, signed(keys, TreeHead(2, b"x" * 32)), posts(httpx.Response(500)))
    with pytest.raises(PublisherRefused, match="two histories under one key"):
        await start().publish_once()


@pytest.mark.parametrize("answer", [httpx.Response(404), httpx.Response(500), SILENCE])
async def test_at_the_start_witnesses_that_show_nothing_stop_nothing(
    start: Callable[[], Publisher], pool: asyncpg.Pool, witnesses: list[WitnessServer], answer: httpx.Response
) -> None:
    await append(pool, 3)
    for each in witnesses:
        each.spoil = lambda request: answer if request.method == "GET" else None
    assert (await start().publish_once()).size == 3


# While it runs


async def test_without_a_quorum_it_tries_again_and_says_so_meanwhile(
    start: Callable[[], Publisher],
    pool: asyncpg.Pool,
    policy: Policy,
    witnesses: list[WitnessServer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publisher_module, "QUORUM_PAUSE", 0.05)
    await append(pool, 3)
    for each in witnesses:
        each.spoil = posts(httpx.Response(503))
    publisher, stopping = start(), asyncio.Event()
    running = asyncio.create_task(publisher.run(0.2, stopping))
    while len(witnesses[0].olds) < 3:  # noqa: ASYNC110 - the server under test tells nobody
        await asyncio.sleep(0.01)
    assert publisher.missed is not None
    assert publisher.refused is None
    assert await reader.checkpoint_note(pool) is None
    for each in witnesses:
        each.spoil = None
    while await reader.checkpoint_note(pool) is None:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    stopping.set()
    await running
    assert vars(publisher)["missed"] is None
    assert len(await cosigners(pool, policy)) >= 2


def test_the_pauses_between_tries_grow_up_to_an_hour_and_never_beyond_the_cadence(
    keys: LogKeys, tmp_path: Path
) -> None:
    async def pauses(every: float) -> list[float]:
        publisher = Publisher(None, keys, ORIGIN, tmp_path)  # type: ignore[arg-type]
        return [publisher._ask_later(every) for _ in range(9)]

    assert asyncio.run(pauses(86_400)) == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    assert asyncio.run(pauses(2)) == [2] * 9


# Policies of other shapes


async def test_witnesses_without_a_quorum_are_asked_and_waited_for_a_little(
    pool: asyncpg.Pool, keys: LogKeys, tmp_path: Path, witnesses: list[WitnessServer]
) -> None:
    text = "".join(each.line for each in witnesses) + "quorum none\n"
    policy = Policy.parse(text.encode()).with_logs([Log(keys.verifiers(Purpose.LOG)[0])])
    witnesses[0].spoil = posts(SILENCE)
    publisher = Publisher(pool, keys, ORIGIN, tmp_path, policy, Network(*witnesses))
    await publisher.publish_once()
    assert await cosigners(pool, policy) == {"w2", "w3"}


async def test_a_note_carries_sixteen_signatures_a_quorum_among_them(
    pool: asyncpg.Pool, keys: LogKeys, tmp_path: Path
) -> None:
    many = [
        WitnessServer(f"w{number:02}", [keys.verifiers(Purpose.LOG)[0]], tmp_path / f"{number}")
        for number in range(18)
    ]
    lines = "".join(each.line for each in many)
    policy = Policy.parse(f"{lines}group last all w16 w17\nquorum last\n".encode())
    policy = policy.with_logs([Log(keys.verifiers(Purpose.LOG)[0])])
    await Publisher(pool, keys, ORIGIN, tmp_path, policy, Network(*many)).publish_once()
    note = await reader.checkpoint_note(pool)
    assert note is not None
    assert len(split_note(note)[1]) == 16
    assert {"w16", "w17"} < policy.open(note, ORIGIN).times.keys()


async def test_without_witnesses_nobody_is_asked(
    pool: asyncpg.Pool, keys: LogKeys, tmp_path: Path, witnesses: list[WitnessServer]
) -> None:
    for policy in (
        None,
        Policy(),
        Policy.parse(f"witness w1 {witnesses[0].cosigner.key.vkey()}\nquorum none\n".encode()),
    ):
        await Publisher(pool, keys, ORIGIN, tmp_path, policy, Network(*witnesses)).publish_once()
    assert [each.requests for each in witnesses] == [[]] * 3
