"""Policies: every refusal of c2sp.org/tlog-policy, and what counts as a quorum."""

from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import MalformedLog
from registry.log.checkpoint import Checkpoint
from registry.log.cosignature import Cosigner
from registry.log.note import MAX_SIGNATURES, Signer, sign
from registry.log.policy import MAX_BYTES, Group, Log, Policy, Witness
from tests.unit.log.test_cosignature import REAL, REAL_LOG, REAL_WITNESSES

ORIGIN = "example.org/log"
LOG = Signer(ORIGIN, b"l" * 32)
NEXT_LOG = Signer(ORIGIN, b"n" * 32)
LOG_LINE = f"log {LOG.verifier.vkey()}\n"
CHECKPOINT = Checkpoint(ORIGIN, 3, b"r" * 32)


def cosigner(number: int) -> Cosigner:
    return Cosigner(Signer(f"w{number}.example/w", bytes([number]) * 32))


W = [cosigner(number) for number in range(20)]
VKEYS = [each.key.vkey() for each in W]


def witnesses(*numbers: int) -> str:
    return "".join(f"witness w{number} {VKEYS[number]}\n" for number in numbers)


# The specification's example: two of three X and one of three Y.
TWO_LEVELS = (
    f"{LOG_LINE}\n{witnesses(1, 2, 3)}group X-witnesses 2 w1 w2 w3\n\n{witnesses(4, 5, 6)}"
    "group Y-witnesses any w4 w5 w6\n\ngroup X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
)


def parse(text: str) -> Policy:
    return Policy.parse(text.encode(errors="surrogateescape"))


def subsets(policy: Policy) -> list[set[str]]:
    names = [each.name for each in policy.witnesses]
    return [set(each) for each in chain(*(combinations(names, size) for size in range(len(names) + 1)))]


# Reading


def test_the_specifications_example_is_read() -> None:
    policy = parse(TWO_LEVELS)
    assert policy.logs == (Log(LOG.verifier),)
    assert policy.witnesses == tuple(Witness(f"w{n}", W[n].key) for n in range(1, 7))
    assert policy.groups == (
        Group("X-witnesses", 2, ("w1", "w2", "w3")),
        Group("Y-witnesses", 1, ("w4", "w5", "w6")),
        Group("X-and-Y", 2, ("X-witnesses", "Y-witnesses")),
    )
    assert policy.quorum == "X-and-Y"


def test_spaces_tabs_comments_and_empty_lines_are_allowed() -> None:
    policy = parse(
        f"\t# of ours\n \n#\n  log\t {LOG.verifier.vkey()}  https://example.org/log\t\nquorum none"
    )
    assert policy == Policy((Log(LOG.verifier, "https://example.org/log"),))


def test_a_policy_without_logs_and_witnesses_is_one() -> None:
    assert parse("quorum none\n") == Policy()


def test_logs_and_witnesses_may_follow_the_quorum() -> None:
    assert len(parse(f"{witnesses(1)}quorum w1\n{witnesses(2)}{LOG_LINE}").witnesses) == 2


def test_addresses_are_kept_as_they_are() -> None:
    policy = parse(f"witness w1 {VKEYS[1]} https://w1.example/señal#\nquorum w1\n")
    assert policy.witnesses[0].url == "https://w1.example/señal#"


def test_names_are_octets_compared_as_such() -> None:
    kelvin, latin, broken = "\u212a", "K", "\udcff"
    policy = parse(
        f"witness {kelvin} {VKEYS[1]}\nwitness {latin} {VKEYS[2]}\nwitness {broken} {VKEYS[3]}\n"
        f"group none\u00a0all all {kelvin} {latin} {broken}\nquorum none\u00a0all\n"
    )
    assert policy.met_by([kelvin, latin, broken])
    assert not policy.met_by([kelvin, latin])
    assert Policy.parse(policy.serialise()) == policy


def test_32_logs_witnesses_and_groups_are_read() -> None:
    lines = [f"log {Signer('l.example', bytes([100 + n]) * 32).verifier.vkey()}" for n in range(32)]
    lines += [f"witness w{n} {cosigner(n).key.vkey()}" for n in range(32)]
    lines += ["group g0 1 w0", *(f"group g{n} 1 g{n - 1} w{n}" for n in range(1, 32)), "quorum g31"]
    policy = parse("\n".join(lines) + "\n")
    assert policy.met_by(["w7"])
    assert Policy.parse(policy.serialise()) == policy


BOTH = witnesses(1, 2)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "“quorum” is missing", id="nothing"),
        pytest.param(LOG_LINE, "“quorum” is missing", id="no quorum"),
        pytest.param("quorum none\nquorum none\n", "more than one", id="two quorums"),
        pytest.param("quorum\n", "expected “quorum", id="a quorum of nothing"),
        pytest.param(f"{BOTH}quorum w1 w2\n", "expected “quorum", id="a quorum of two names"),
        pytest.param(f"quorum w1\n{BOTH}", "not defined before", id="a quorum defined later"),
        pytest.param(f"{BOTH}quorum w3\n", "not defined before", id="a quorum of nobody"),
        pytest.param(f"{LOG_LINE}quorum {LOG.name}\n", "not defined before", id="a log as the quorum"),
        pytest.param("Quorum none\n", "none of log", id="a keyword in capitals"),
        pytest.param("mirror x\nquorum none\n", "line 1: it starts with none", id="another keyword"),
        pytest.param("log\nquorum none\n", "expected “log", id="a log without key"),
        pytest.param(f"{LOG_LINE[:-1]} https://a b\nquorum none\n", "expected “log", id="a log with more"),
        pytest.param(f"log {VKEYS[1]}\nquorum none\n", "type 1", id="a log with a witness's key"),
        pytest.param(f"log {LOG.verifier.vkey()[:-1]}\nquorum none\n", "base64", id="half a key"),
        pytest.param(f"log {LOG.verifier.vkey()} # ours\nquorum none\n", "expected", id="a comment after"),
        pytest.param(f"{LOG_LINE}{LOG_LINE}quorum none\n", "in the file already", id="a log twice"),
        pytest.param(
            f"{LOG_LINE}log {Signer('other.example', b'l' * 32).verifier.vkey()}\nquorum none\n",
            "in the file already",
            id="a log's key under another name",
        ),
        pytest.param("witness w1\nquorum none\n", "expected “witness", id="a witness without key"),
        pytest.param(f"witness {VKEYS[1]}\nquorum none\n", "expected “witness", id="a witness without name"),
        pytest.param(
            f"witness w1 {VKEYS[1]} a b\nquorum none\n", "expected “witness", id="a witness and more"
        ),
        pytest.param(f"witness w1 {LOG.verifier.vkey()}\nquorum none\n", "type 4", id="a log's kind of key"),
        pytest.param(f"witness none {VKEYS[1]}\nquorum none\n", "in use", id="a witness named none"),
        pytest.param(f"{witnesses(1)}witness w1 {VKEYS[2]}\nquorum w1\n", "in use", id="a name twice"),
        pytest.param(
            f"{witnesses(1)}witness w2 {VKEYS[1]}\nquorum w1\n", "in the file already", id="a witness twice"
        ),
        pytest.param(
            f"{witnesses(1)}witness w2 {Cosigner(Signer('b', bytes([1]) * 32)).key.vkey()}\nquorum w1\n",
            "in the file already",
            id="a witness's key under another name",
        ),
        pytest.param(
            f"{LOG_LINE}witness w1 {Cosigner(Signer('w', b'l' * 32)).key.vkey()}\nquorum w1\n",
            "in the file already",
            id="a log as its own witness",
        ),
        pytest.param("group g\nquorum none\n", "expected “group", id="a group of nothing"),
        pytest.param("group g all\nquorum none\n", "expected “group", id="a group without members"),
        pytest.param(f"{BOTH}group g 0 w1 w2\nquorum g\n", "from 1 to 2", id="a threshold of 0"),
        pytest.param(f"{BOTH}group g 3 w1 w2\nquorum g\n", "from 1 to 2", id="a threshold of all and one"),
        pytest.param(f"{BOTH}group g 01 w1 w2\nquorum g\n", "from 1 to 2", id="a leading zero"),
        pytest.param(f"{BOTH}group g +1 w1 w2\nquorum g\n", "from 1 to 2", id="a sign"),
        pytest.param(f"{BOTH}group g ١ w1 w2\nquorum g\n", "from 1 to 2", id="a digit of another script"),
        pytest.param(f"{BOTH}group g All w1 w2\nquorum g\n", "from 1 to 2", id="a threshold in capitals"),
        pytest.param(f"{BOTH}group g w1 w2\nquorum g\n", "from 1 to 1", id="no threshold"),
        pytest.param(f"{BOTH}group w1 all w2\nquorum w1\n", "in use", id="a group named like a witness"),
        pytest.param(f"{BOTH}group none all w2\nquorum none\n", "in use", id="a group named none"),
        pytest.param(f"{BOTH}group g all w1 none\nquorum g\n", "not defined before", id="none as a member"),
        pytest.param(f"{BOTH}group g all w3\nquorum g\n", "not defined before", id="nobody as a member"),
        pytest.param(f"{BOTH}group g all w1 g\nquorum g\n", "not defined before", id="itself as a member"),
        pytest.param(
            f"group g all w1 w2\n{BOTH}quorum g\n", "not defined before", id="members defined later"
        ),
        pytest.param(f"{BOTH}group g 1 w1 w1\nquorum g\n", "a member of a group", id="a member twice"),
        pytest.param(
            f"{BOTH}group g all w1\ngroup h all w1 w2\nquorum h\n",
            "line 4: “w1” is a member of a group",
            id="a member of two groups",
        ),
        pytest.param("quorum none\r\n", "control character", id="the line ends of another system"),
        pytest.param("quorum none\n# \x00\n", "control character", id="a null byte"),
        pytest.param("quorum none\n# \x7f\n", "control character", id="a delete"),
        pytest.param("quorum\vnone\n", "control character", id="a vertical tab"),
        pytest.param("quorum\u00a0none\n", "none of log", id="a Unicode space between"),
        pytest.param("\ufeffquorum none\n", "none of log", id="a byte order mark"),
        pytest.param("#" * MAX_BYTES + "\nquorum none\n", "too large", id="a file without end"),
    ],
)
def test_what_the_specification_does_not_allow_is_refused(text: str, says: str) -> None:
    with pytest.raises(MalformedLog, match=says) as refused:
        parse(text)
    assert refused.value.text.es.startswith("La política no se puede usar; línea ")


@given(st.binary(max_size=200) | st.text("logwitnesgrupqm 12#\n\t").map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        policy = Policy.parse(data)
    except MalformedLog:
        return
    assert Policy.parse(policy.serialise()) == policy


# Quorums


def test_no_quorum_is_always_met() -> None:
    policy = parse(f"{BOTH}quorum none\n")
    assert policy.met_by([])
    assert policy.smallest_quorum([]) == frozenset()


def test_two_levels_of_groups_need_both() -> None:
    policy = parse(TWO_LEVELS)
    for names in subsets(policy):
        enough = len(names & {"w1", "w2", "w3"}) >= 2 and bool(names & {"w4", "w5", "w6"})
        assert policy.met_by(names) == enough


def test_names_that_are_no_witness_do_not_count() -> None:
    policy = parse(f"{BOTH}group g any w1 w2\nquorum g\n")
    assert not policy.met_by(["g", "none", "W1", W[1].key.name])


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Any tree of groups over a few witnesses."""
    count = draw(st.integers(1, 6))
    free = [f"w{number}" for number in range(count)]
    lines = [witnesses(*range(count))]
    for number in range(draw(st.integers(0, 4))):
        members = draw(st.lists(st.sampled_from(free), min_size=1, unique=True))
        threshold = draw(st.sampled_from(["all", "any", str(len(members))]))
        lines.append(f"group g{number} {threshold} {' '.join(members)}\n")
        free = [name for name in free if name not in members] + [f"g{number}"]
    lines.append(f"quorum {draw(st.sampled_from(['none', *free]))}\n")
    return parse("".join(lines))


@given(policies())
def test_a_policy_survives_its_file(policy: Policy) -> None:
    assert Policy.parse(policy.serialise()) == policy


@given(policies())
def test_the_smallest_quorum_is_one_and_none_is_smaller(policy: Policy) -> None:
    for names in subsets(policy):
        smallest = policy.smallest_quorum(names)
        assert (smallest is not None) == policy.met_by(names)
        if smallest is not None:
            assert smallest <= names
            assert policy.met_by(smallest)
            smaller = [each for each in subsets(policy) if each <= names and len(each) < len(smallest)]
            assert not any(map(policy.met_by, smaller))


@given(policies(), st.data())
def test_more_cosignatures_never_break_a_quorum(policy: Policy, data: st.DataObject) -> None:
    every = [each.name for each in policy.witnesses]
    some = data.draw(st.sets(st.sampled_from(every)))
    more = some | data.draw(st.sets(st.sampled_from(every)))
    assert policy.met_by(more) or not policy.met_by(some)


def test_a_quorum_vouches_since_the_last_of_its_latest_cosignatures() -> None:
    policy = parse(f"{witnesses(1, 2, 3)}group g 2 w1 w2 w3\nquorum g\n")
    assert policy.quorum_time({"w1": 10, "w2": 30, "w3": 20}) == 20
    assert policy.quorum_time({"w1": 10, "w2": 2**62}) == 10  # one clock ahead makes nothing younger
    assert policy.quorum_time({"w1": 10}) is None
    nobody = parse(f"{witnesses(1, 2)}quorum none\n")
    assert nobody.quorum_time({"w1": 10, "w2": 30}) == 30
    assert nobody.quorum_time({}) is None


# Notes under a policy


def cosigned(*numbers: int, signer: Signer = LOG) -> str:
    lines = "".join(W[number].cosign(CHECKPOINT.text(), 1000 + number).line() for number in numbers)
    return CHECKPOINT.sign(signer) + lines


def test_a_note_is_opened_with_the_times_of_the_policys_witnesses() -> None:
    opened = parse(TWO_LEVELS).open(cosigned(1, 5, 9), ORIGIN)
    assert opened.checkpoint == CHECKPOINT
    assert opened.times == {"w1": 1001, "w5": 1005}


def test_a_real_checkpoint_meets_a_real_policy() -> None:
    lines = [f"witness {vkey.partition('+')[0]} {vkey}\n" for vkey in REAL_WITNESSES]
    names = " ".join(vkey.partition("+")[0] for vkey in REAL_WITNESSES)
    policy = parse(f"log {REAL_LOG}\n{''.join(lines)}group q 3 {names}\nquorum q\n")
    opened = policy.open(REAL, REAL_LOG.partition("+")[0])
    assert policy.met_by(opened.times)
    assert policy.quorum_time(opened.times) == 0x6A122120


def test_any_of_a_logs_keys_may_have_signed() -> None:
    policy = parse(f"{LOG_LINE}log {NEXT_LOG.verifier.vkey()}\nquorum none\n")
    for signers in [(LOG,), (NEXT_LOG,), (LOG, NEXT_LOG)]:
        assert policy.open(sign(CHECKPOINT.text(), *signers), ORIGIN).checkpoint == CHECKPOINT


def test_a_witness_is_no_log_even_under_the_logs_name() -> None:
    same_name = Cosigner(Signer(ORIGIN, b"x" * 32))
    policy = parse(f"{LOG_LINE}witness w1 {same_name.key.vkey()}\nquorum w1\n")
    alone = f"{CHECKPOINT.text()}\n{same_name.cosign(CHECKPOINT.text(), 1).line()}"
    with pytest.raises(MalformedLog, match="No known key"):
        policy.open(alone, ORIGIN)
    both = CHECKPOINT.sign(LOG) + same_name.cosign(CHECKPOINT.text(), 1).line()
    assert policy.open(both, ORIGIN).times == {"w1": 1}


@pytest.mark.parametrize(
    ("note", "says"),
    [
        pytest.param(cosigned(1, signer=NEXT_LOG), "No known key", id="signed by another key"),
        pytest.param(cosigned(1, 2).replace("\n3\n", "\n4\n"), "is false", id="another size"),
        pytest.param(
            cosigned(1) + W[2].cosign("other\n", 1).line(), "w2.example/w is false", id="a false cosignature"
        ),
        pytest.param(cosigned(1, 1), "twice", id="a witness twice"),
        pytest.param(cosigned(*range(MAX_SIGNATURES)), "more than 16", id="17 signatures"),
    ],
)
def test_a_note_with_a_false_signature_by_a_known_key_is_refused(note: str, says: str) -> None:
    with pytest.raises(MalformedLog, match=says):
        parse(TWO_LEVELS).open(note, ORIGIN)


def test_logs_are_added_once() -> None:
    policy = parse(f"{LOG_LINE[:-1]} https://example.org/log\nquorum none\n")
    both = policy.with_logs([Log(LOG.verifier), Log(NEXT_LOG.verifier)])
    assert both.logs == (Log(NEXT_LOG.verifier), Log(LOG.verifier, "https://example.org/log"))
    assert Policy.parse(both.serialise()) == both
