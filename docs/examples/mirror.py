"""A mirror of a register's public counts, kept from its stream of events alone. Python 3.11, no other packages.

    python mirror.py follow https://registro.example.org mirror.db        # without end; again: goes on where it stopped
    python mirror.py count mirror.db --unit DEATHS --by YEAR,STATE        # as of all that has arrived
    python mirror.py count mirror.db --as-of 4711 --state 16 --from 2020-01 --to 2020-12

Events and position are one table of one SQLite file: an event is there, or it will be asked for again. Killed at any
moment, it has neither gaps nor doubles. Corrections, retractions and merges arrive as later events about the same
incident, so earlier sizes keep their counts. Counting follows national-count/1, whose section numbers are named below.
"""

import argparse
import contextlib
import hashlib
import http.client
import json
import random
import sqlite3
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

Json = dict[str, Any]
Bounds = tuple[int, int, int]

SILENCE_SECONDS = 45  # the register gives a sign of life every 15
LONGEST_PAUSE_SECONDS = 60
LARGEST_EVENT = 1 << 20  # a leaf has 64 KiB at most


# --- Following ----------------------------------------------------------------------------------------------------


def follow(url: str, database: sqlite3.Connection, until: int | None = None) -> None:
    """Take events as they come, for ever or until there are ``until``. Comes back after every end and failure."""
    pause = 1.0
    while until is None or size(database) < until:
        try:
            request = urllib.request.Request(
                f"{url}/v1/events/stream", headers={"Last-Event-ID": str(size(database))}
            )
            with urllib.request.urlopen(request, timeout=SILENCE_SECONDS) as response:
                for events in received(response):
                    take(database, events)
                    pause = 1.0
                    if until is not None and size(database) >= until:
                        return
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code != 429:
                sys.exit(f"{error}: asking again would not help")
            print(f"{error}", file=sys.stderr)
        except (OSError, EOFError, http.client.HTTPException) as error:
            print(f"{error!r}", file=sys.stderr)  # the register restarts, or the network is away
        time.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - so that not all mirrors come back at once
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def received(response: Any) -> Iterator[list[Json]]:
    """What has arrived, as whole events: all that there is each time, so that it can be stored in one transaction."""
    rest = b""
    while data := response.read1(65_536):
        *blocks, rest = (rest + data).split(b"\n\n")
        lines = [line for block in blocks for line in block.split(b"\n") if line.startswith(b"data:")]
        if lines:
            yield [json.loads(line[5:]) for line in lines]
        if len(rest) > LARGEST_EVENT:
            sys.exit("what is sent has no end: this is no register")
    raise EOFError("the stream ended; going on where it stopped")


def take(database: sqlite3.Connection, events: Iterable[Json]) -> None:
    """Store events, all or none, if they are the next ones and are what their hashes say."""
    with database:
        for event in events:
            leaf = json.dumps(
                event["data"]["leaf"], sort_keys=True, separators=(",", ":"), ensure_ascii=False
            ).encode()
            if event["position"] != size(database):
                sys.exit(
                    f"expected position {size(database)}, got {event['position']}: this is no honest log"
                )
            if hashlib.sha256(b"\0" + leaf).hexdigest() != event["leafhash"]:
                sys.exit(f"the leaf at {event['position']} is not what its hash says: this is no honest log")
            database.execute(
                "INSERT INTO events (position, source, type, leaf) VALUES (?, ?, ?, ?)",
                (event["position"], event["source"], event["type"], leaf),
            )
            (source,) = database.execute("SELECT source FROM events WHERE position = 0").fetchone()
            if event["source"] != source:
                sys.exit(f"this file has the log {source}; begin another file for {event['source']}")


def open_database(path: str) -> sqlite3.Connection:
    database = sqlite3.connect(path)
    # So that who counts for long does not stop who follows; on disk when a transaction ends, all the same.
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute(
        "CREATE TABLE IF NOT EXISTS events"
        " (position INTEGER PRIMARY KEY, source TEXT NOT NULL, type TEXT NOT NULL, leaf BLOB NOT NULL)"
    )
    return database


def size(database: sqlite3.Connection) -> int:
    """How much of the log is here, which is the position that comes next."""
    return int(database.execute("SELECT coalesce(max(position) + 1, 0) FROM events").fetchone()[0])


# --- Counting: national-count/1 -----------------------------------------------------------------------------------

THREATS = frozenset({
    "VERBAL", "MESSAGE", "WRITTEN", "SURVEILLANCE", "ARMED_INTIMIDATION", "ORDER_TO_LEAVE", "AGAINST_FAMILY",
    "LYNCHING_THREAT", "UNKNOWN", "NOT_REPORTED",
})  # fmt: skip
ATTACKS = frozenset({
    "PHYSICAL_ASSAULT", "ARMED_ATTACK", "ABDUCTION", "COERCED_CARE", "SEXUAL_VIOLENCE", "HARASSMENT", "EXTORTION",
    "ROBBERY", "SITE_ATTACK", "OBSTRUCTION", "DISAPPEARANCE", "DEATH_UNDETERMINED", "UNKNOWN", "NOT_REPORTED",
})  # fmt: skip

MATCH, OUTSIDE = "MATCH", "OUTSIDE"
VERDICTS = [MATCH, "NOT_REPORTED", "UNKNOWN", "UNDISCLOSED"]
ENTERS = {"CONFIRMED": (1, 1, 1), "PROBABLE": (0, 1, 1), "POSSIBLE": (0, 0, 1)}


def count(database: sqlite3.Connection, query: Json, as_of: int) -> Json:
    """The answer to a question in its canonical form (section 3), in its canonical form (section 8)."""
    whole: Bounds = (0, 0, 0)
    disputed, excluded, rows = 0, Counter[str](), dict[tuple[tuple[int, str], ...], Bounds]()
    nexus = query["filter"]["nexus"].lower()
    for incident in disclosures(database, as_of):
        verdict = judge(incident, query["filter"])
        if verdict == OUTSIDE:
            continue
        reason = exclusion(incident, nexus) or (verdict if verdict != MATCH else None)
        if reason is not None:
            excluded[reason] += 1
            continue
        whole = plus(whole, contribution(incident, nexus, query["unit"]))
        disputed += incident["disputed"]
        for key, bounds in parts(incident, nexus, query):
            rows[key] = plus(rows.get(key, (0, 0, 0)), bounds)
    return {
        **numbers(whole),
        "disputed": disputed,
        "excluded": [{"incidents": number, "reason": reason} for reason, number in sorted(excluded.items())],
        "rows": [
            {"key": [cell(*pair) for pair in zip(query["group_by"], key, strict=True)], **numbers(bounds)}
            for key, bounds in sorted(rows.items())
            if query["group_by"] and bounds[2]
        ],
    }


def disclosures(database: sqlite3.Connection, as_of: int) -> list[Json]:
    """Section 1: of every incident what its last leaf shows. A facet is its value, or None where it is sealed."""
    found: dict[str, Json] = {}
    leaves = database.execute(
        "SELECT leaf FROM events WHERE type = 'incident.disclosed' AND position < ? ORDER BY position",
        (as_of,),
    )
    for (leaf,) in leaves:
        public = json.loads(leaf)["public"]
        facets = {name: facet.get("value") for name, facet in public["facets"].items()}
        if facets["sex"] == "NOT_APPLICABLE":
            facets["sex"] = {"strict": {}, "broad": {}}
        found[public["incident"]] = {**public, **facets}
    return list(found.values())


def judge(incident: Json, asked: Json) -> str:
    """Section 4."""
    kinds = THREATS if incident["class"] == "THREAT" else ATTACKS
    state, towns = incident["state"], asked["municipality"]
    verdicts = [
        listed(incident["class"], asked["class"]),
        OUTSIDE
        if asked["kind"] and kinds.isdisjoint(asked["kind"])
        else listed(incident["kind"], asked["kind"]),
        listed(state, asked["state"]),
        OUTSIDE
        if towns
        and "UNKNOWN" not in towns
        and state not in (None, "UNKNOWN")
        and not any(town.startswith(state) for town in towns)
        else listed(incident["municipality"], towns),
        within(incident["year"], incident["month"], asked["period"]),
    ]
    return OUTSIDE if OUTSIDE in verdicts else max(verdicts, key=VERDICTS.index)


def listed(value: str | None, wanted: list[str] | None) -> str:
    if wanted is None:
        return MATCH
    if value is None:
        return "UNDISCLOSED"
    if value in wanted:
        return MATCH
    return value if value in ("UNKNOWN", "NOT_REPORTED") else OUTSIDE


def within(year: str | None, month: str | None, period: Json | None) -> str:
    if period is None:
        return MATCH
    first, last = period["from"], period["to"]
    if month not in (None, "UNKNOWN"):
        return MATCH if first <= month <= last else OUTSIDE
    if year in (None, "UNKNOWN"):
        return "UNDISCLOSED" if year is None else "UNKNOWN"
    if first <= f"{year}-01" and f"{year}-12" <= last:
        return MATCH
    if f"{year}-12" < first or last < f"{year}-01":
        return OUTSIDE
    return "UNDISCLOSED" if month is None else "UNKNOWN"


def exclusion(incident: Json, nexus: str) -> str | None:
    """Section 5: the first reason that applies."""
    if incident["status"] in ("RETRACTED", "MERGED"):
        return str(incident["status"])
    if incident["certainty"] in ("REFUTED", "RUMOUR"):
        return str(incident["certainty"])
    if incident["tally"] is None:
        return "UNDISCLOSED"
    return "NO_IN_SCOPE_VICTIM" if incident["tally"][nexus]["victims"][2] == 0 else None


def contribution(incident: Json, nexus: str, unit: str) -> Bounds:
    """Section 6."""
    victims, deaths = incident["tally"][nexus]["victims"], incident["tally"][nexus]["deaths"]
    amount = {"INCIDENTS": [min(n, 1) for n in victims], "VICTIMISATIONS": victims, "DEATHS": deaths}[unit]
    return admitted(amount, incident["certainty"])


def admitted(amount: list[int], certainty: str) -> Bounds:
    low, best, high = (number * enters for number, enters in zip(amount, ENTERS[certainty], strict=True))
    return low, best, high


def parts(incident: Json, nexus: str, query: Json) -> Iterator[tuple[tuple[tuple[int, str], ...], Bounds]]:
    """Section 7: the rows that one incident adds to; with SEX one for each sex of its dead."""
    amounts = {None: contribution(incident, nexus, query["unit"])}
    if "SEX" in query["group_by"] and amounts[None][2] == 0:
        return
    if "SEX" in query["group_by"] and incident["sex"] is not None:
        amounts = {sex: admitted(dead, incident["certainty"]) for sex, dead in incident["sex"][nexus].items()}
    for sex, amount in amounts.items():
        values = [sex if name == "SEX" else incident[name.lower()] for name in query["group_by"]]
        yield tuple(order(value) for value in values), amount


def order(value: str | None) -> tuple[int, str]:
    """Known values by their code, then UNKNOWN, then what is sealed."""
    if value is None:
        return 2, "UNDISCLOSED"
    return (1, value) if value == "UNKNOWN" else (0, value)


def cell(dimension: str, place: tuple[int, str]) -> Json:
    rank, value = place
    return {"dimension": dimension, "state": value if rank else "KNOWN", "value": None if rank else value}


def plus(one: Bounds, other: Bounds) -> Bounds:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def numbers(bounds: Bounds) -> Json:
    return dict(zip(("low", "best", "high"), bounds, strict=True))


# --- The command --------------------------------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Keeps a register's public counts from its stream alone.")
    commands = parser.add_subparsers(dest="command", required=True)
    following = commands.add_parser("follow")
    following.add_argument("url")
    following.add_argument("database")
    following.add_argument("--until", type=int, help="end when so many events are here")
    counting = commands.add_parser("count")
    counting.add_argument("database")
    counting.add_argument("--as-of", type=int, help="a size of the log; default: all that is here")
    counting.add_argument("--unit", default="INCIDENTS", choices=["INCIDENTS", "VICTIMISATIONS", "DEATHS"])
    counting.add_argument("--nexus", default="STRICT", choices=["STRICT", "BROAD"])
    counting.add_argument(
        "--by", default="", help="CLASS, KIND, YEAR, MONTH, STATE, MUNICIPALITY, CERTAINTY, SEX"
    )
    for name in ("class", "kind", "state", "municipality"):
        counting.add_argument(f"--{name}", help="accepted values, separated by commas")
    counting.add_argument("--from", help="the first month, YYYY-MM")
    counting.add_argument("--to", help="the last month, YYYY-MM")
    given = vars(parser.parse_args(arguments))
    database = open_database(given["database"])
    if given["command"] == "follow":
        with contextlib.suppress(KeyboardInterrupt):
            follow(given["url"].rstrip("/"), database, given["until"])
        return
    query = {
        "unit": given["unit"],
        "group_by": [name for name in given["by"].split(",") if name],
        "filter": {
            "nexus": given["nexus"],
            "period": {"from": given["from"] or "0000-01", "to": given["to"] or "9999-12"}
            if given["from"] or given["to"]
            else None,
            **{
                name: sorted(given[name].split(",")) if given[name] else None
                for name in ("class", "kind", "state", "municipality")
            },
        },
    }
    have = size(database)
    as_of = have if given["as_of"] is None else given["as_of"]
    if as_of > have:
        sys.exit(f"only {have} events are here yet")
    print(json.dumps({"as_of": as_of, "query": query, "result": count(database, query, as_of)}, indent=1))


if __name__ == "__main__":
    main()
