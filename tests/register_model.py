"""The register's rules once more, in a few lines and in another form: what its commands must accept and refuse.

Nothing here comes from the program but its names of codes and rules. Records are numbers from 0 in the order in which
they were made; institutions are names, None is the operator. A command either changes the model or raises ``Refused``
with every rule that stands against it: the program names one of these.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal, NamedTuple

LEVELS = ("RUMOUR", "POSSIBLE", "PROBABLE", "CONFIRMED")


class Refused(Exception):
    def __init__(self, rules: Iterable[str]) -> None:
        self.rules = set(rules)
        super().__init__(*sorted(self.rules))


class Said(NamedTuple):
    """What a report claims, as far as certainty asks. ``days``: first and last, None if no date is given."""

    kind: Literal["THREAT", "ATTACK"]
    direct: bool = True
    outlet: str | None = None
    derived_from: int | None = None
    days: tuple[int, int] | None = (1, 1)
    municipality: str | None = "16012"


@dataclass
class Reported:
    institution: str
    said: Said
    withdrawn: bool = False
    out_of_scope: bool = False
    incident: int | None = None
    rejected: dict[int, str] = field(default_factory=dict)


@dataclass
class Harmed:
    """Of one person, or of ``count`` people alike."""

    person: int | None
    count: int
    killed: bool
    in_scope: bool


@dataclass
class Decided:
    """An incident."""

    kind: str
    reports: set[int]
    victims: list[Harmed] = field(default_factory=list)
    level: str | None = None
    documented: bool = False
    confirmed_by: set[str] = field(default_factory=set)
    shown: bool = False
    disputes: list[list[str | bool]] = field(default_factory=list)
    """[institution, ground, open]"""
    retracted_by: str | None = None
    merged_into: int | None = None
    split_from: int | None = None

    @property
    def stands(self) -> bool:
        return self.merged_into is None and self.retracted_by is None and self.level != "REFUTED"

    @property
    def disputed(self) -> bool:
        return any(still_open for *_, still_open in self.disputes)

    def count(self, *, deaths: bool = False) -> tuple[int, int, int]:
        """(low, best, high) of what a release shows of it."""
        if not self.stands or self.level not in LEVELS[1:]:
            return (0, 0, 0)
        people = sum(v.count for v in self.victims if v.in_scope and (v.killed or not deaths))
        one = people if deaths else min(people, 1)
        reached = LEVELS.index(self.level)
        return (one * (reached >= 3), one * (reached >= 2), one * (reached >= 1))


@dataclass
class Served:
    """An assignment. ``requests``: what became of the one of each version."""

    institution: str
    site: int
    version: int = 1
    started: bool = False
    suspended: bool = False
    ended: int | None = None
    """The version of its end."""
    requests: dict[int, Literal["ASKED", "GRANTED", "DENIED", "CARRIED_OUT"]] = field(default_factory=dict)


@dataclass
class Model:
    """``closures``: of each site, the days [from, to) on which nobody is sent there. ``day``: that of the next step."""

    reports: list[Reported] = field(default_factory=list)
    incidents: list[Decided] = field(default_factory=list)
    assignments: list[Served] = field(default_factory=list)
    closures: list[list[tuple[int, int | None]]] = field(default_factory=lambda: [[], []])
    day: int = 1

    # What every adjudication asks.

    def reviewing(self, who: str | None, reports: Iterable[int]) -> Iterator[str]:
        if who is None:
            yield "verifier-needs-institution"
        elif who in {self.reports[r].institution for r in reports}:
            yield "submitter-is-not-verifier"

    def standing(self, i: int) -> Iterator[str]:
        if self.incidents[i].merged_into is not None:
            yield "incident-merged"
        if self.incidents[i].retracted_by is not None:
            yield "incident-retracted"

    def deciding(self, who: str | None, i: int) -> Iterator[str]:
        yield from self.reviewing(who, self.incidents[i].reports)
        yield from self.standing(i)

    def linkable(self, r: int, i: int | None) -> Iterator[str]:
        report = self.reports[r]
        if report.withdrawn:
            yield "report-withdrawn"
        if report.out_of_scope:
            yield "report-out-of-scope"
        if report.incident is not None:
            yield "report-already-linked" if report.incident == i else "report-linked-elsewhere"
        if i in report.rejected:
            yield "match-rejected"

    # Reports.

    def submit(self, who: str, said: Said) -> None:
        self.reports.append(Reported(who, said))

    def amend(self, who: str | None, r: int, said: Said) -> None:
        report = self.reports[r]
        refuse(self.own(who, r))
        report.said, report.out_of_scope = said, False
        if report.incident is not None:
            self.hold_to_the_facts(report.incident)

    def withdraw(self, who: str | None, r: int) -> None:
        report = self.reports[r]
        refuse(self.own(who, r))
        report.withdrawn = True
        self.leave(r)

    def own(self, who: str | None, r: int) -> Iterator[str]:
        if who != self.reports[r].institution:
            yield "report-belongs-to-its-institution"
        if self.reports[r].withdrawn:
            yield "report-withdrawn"

    def set_aside(self, who: str | None, r: int, *, out_of_scope: bool, reconsidered: int | None) -> None:
        report = self.reports[r]
        rules = list(self.reviewing(who, [r]))
        if report.incident is not None:
            rules += self.reviewing(who, self.incidents[report.incident].reports)
        else:
            rules += ["report-withdrawn"] * report.withdrawn
            if reconsidered is not None and reconsidered not in report.rejected:
                rules.append("report-not-linked")
            elif reconsidered is not None and report.rejected[reconsidered] == who:
                rules.append("match-rejected-by-yourself")
        refuse(rules)
        if report.incident is not None:
            self.leave(r)
        elif reconsidered is not None:
            del report.rejected[reconsidered]
        report.out_of_scope = out_of_scope

    def reject(self, who: str | None, r: int, i: int) -> None:
        report = self.reports[r]
        rules = [*self.reviewing(who, [r]), *["report-withdrawn"] * report.withdrawn]
        rules += ["report-still-linked"] * (report.incident == i)
        rules += ["match-rejected"] * (i in report.rejected)
        refuse(rules)
        report.rejected[i] = str(who)

    # Incidents.

    def open(self, who: str | None, kind: str, reports: set[int]) -> None:
        refuse([*self.reviewing(who, reports), *(rule for r in reports for rule in self.linkable(r, None))])
        self.incidents.append(Decided(kind, set()))
        for r in reports:
            self.join(r, len(self.incidents) - 1)

    def link(self, who: str | None, i: int, r: int) -> None:
        rules = [
            *self.reviewing(who, {*self.incidents[i].reports, r}),
            *self.standing(i),
            *self.linkable(r, i),
        ]
        rules += ["refuted-is-final"] * (self.incidents[i].level == "REFUTED")
        refuse(rules)
        self.join(r, i)

    def unlink(self, who: str | None, i: int, r: int) -> None:
        incident = self.incidents[i]
        rules = list(self.reviewing(who, incident.reports))
        rules += ["incident-merged"] * (incident.merged_into is not None)
        rules += ["report-not-linked"] * (r not in incident.reports)
        refuse(rules)
        self.leave(r)

    def record_victim(self, who: str | None, i: int, victim: Harmed) -> None:
        refuse([*self.deciding(who, i), *self.known(i, victim.person)])
        self.incidents[i].victims.append(victim)

    def known(self, i: int, person: int | None) -> Iterator[str]:
        if person is not None and any(v.person == person and v.count for v in self.incidents[i].victims):
            yield "victim-recorded-once"

    def update_outcome(self, who: str | None, i: int, n: int, *, killed: bool, part: int | None) -> None:
        incident, victim = self.incidents[i], self.incidents[i].victims[n]
        rules = list(self.deciding(who, i))
        rules += ["victim-taken-out"] * (victim.count == 0)
        rules += ["killed-is-corrected"] * (victim.killed and not killed)
        rules += ["nothing-changes"] * (victim.killed == killed)
        refuse(rules)
        if part is None or part == victim.count:
            victim.killed = killed
        else:
            victim.count -= part
            incident.victims.append(Harmed(victim.person, part, killed, victim.in_scope))

    def correct_victim(
        self, who: str | None, i: int, n: int, what: Literal["NOBODY", "UNIDENTIFIED", "KILLED", "HURT"]
    ) -> None:
        victim = self.incidents[i].victims[n]
        before = (victim.person, victim.count, victim.killed)
        person, count, killed = before
        match what:
            case "NOBODY":
                count = 0
            case "UNIDENTIFIED":
                person = None
            case "KILLED" | "HURT":
                killed = what == "KILLED"
        rules = list(self.deciding(who, i))
        rules += ["nothing-changes"] * (before == (person, count, killed))
        refuse(rules)
        victim.person, victim.count, victim.killed = person, count, killed

    def correct_class(self, who: str | None, i: int, kind: str) -> None:
        incident = self.incidents[i]
        refuse([*self.deciding(who, i), *["nothing-changes"] * (incident.kind == kind)])
        incident.kind = kind
        self.hold_to_the_facts(i)

    def set_certainty(self, who: str | None, i: int, level: str, *, documented: bool) -> None:
        incident = self.incidents[i]
        rules = list(self.deciding(who, i))
        if incident.level == "REFUTED":
            rules.append("refuted-is-final")
        elif level != "REFUTED":
            lowers = incident.level is not None and LEVELS.index(level) < LEVELS.index(incident.level)
            if not lowers and LEVELS.index(level) > LEVELS.index(self.held(i, documented=documented)):
                rules.append("certainty-criteria-missing")
        refuse(rules)
        incident.documented = documented
        if level != "CONFIRMED":
            incident.level, incident.confirmed_by = level, set()
        else:
            incident.confirmed_by.add(str(who))
            if len(incident.confirmed_by) > 1:
                incident.level = "CONFIRMED"
            elif incident.level in (None, "RUMOUR", "POSSIBLE"):
                incident.level = "PROBABLE"

    def dispute(self, who: str, i: int, ground: str) -> None:
        refuse(
            [*self.standing(i), *["disputed-already"] * ([who, ground, True] in self.incidents[i].disputes)]
        )
        self.incidents[i].disputes.append([who, ground, True])

    def resolve(self, who: str | None, i: int, n: int) -> None:
        dispute = self.incidents[i].disputes[n]
        rules = list(self.deciding(who, i))
        rules += ["dispute-resolved-already"] * (not dispute[2])
        rules += ["disputant-does-not-resolve"] * (dispute[0] == who)
        refuse(rules)
        dispute[2] = False

    def retract(self, who: str | None, i: int) -> None:
        refuse(self.deciding(who, i))
        self.incidents[i].retracted_by = who

    def reinstate(self, who: str | None, i: int) -> None:
        incident = self.incidents[i]
        rules = list(self.reviewing(who, incident.reports))
        rules += ["incident-merged"] * (incident.merged_into is not None)
        rules += ["incident-not-retracted"] * (incident.retracted_by is None)
        rules += ["reinstated-by-another"] * (incident.retracted_by == who)
        refuse(rules)
        incident.retracted_by = None

    def merge(self, who: str | None, i: int, into: int) -> None:
        incident, target = self.incidents[i], self.incidents[into]
        rules = [*self.deciding(who, i), *self.reviewing(who, target.reports)]
        rules += ["merge-into-another"] * (i == into)
        rules += ["merge-target-stands"] * (not target.stands)
        rules += ["merge-target-undisclosed"] * (incident.shown and not target.shown)
        rules += ["merge-class-differs"] * (incident.kind != target.kind)
        rules += ["merge-without-reports"] * (not incident.reports)
        rules += ["dispute-open"] * incident.disputed
        rules += ["match-rejected"] * any(into in self.reports[r].rejected for r in incident.reports)
        refuse(rules)
        incident.merged_into = into
        for r in sorted(incident.reports):
            self.join(r, into)

    def split(self, who: str | None, i: int, reports: set[int], victims: set[int]) -> None:
        incident = self.incidents[i]
        rules = list(self.deciding(who, i))
        rules += ["report-not-linked"] * (not reports <= incident.reports)
        rules += ["split-leaves-a-report"] * (reports == incident.reports)
        rules += ["victim-taken-out"] * any(incident.victims[n].count == 0 for n in victims)
        refuse(rules)
        part = Decided(incident.kind, set(), split_from=i)
        self.incidents.append(part)
        for r in reports:
            self.leave(r)
            self.join(r, len(self.incidents) - 1)
        for n in sorted(victims):
            moved = incident.victims[n]
            part.victims.append(Harmed(moved.person, moved.count, moved.killed, moved.in_scope))
            moved.count = 0

    # Assignments and sites.

    def assign(self, who: str, site: int) -> None:
        self.assignments.append(Served(who, site))

    def serving(self, who: str, a: int, *also: str) -> Served:
        """The assignment, one event later. A stranger learns nothing but that there is none."""
        assignment = self.assignments[a]
        if assignment.institution != who:
            raise Refused(["not-found"])
        refuse([*also, *["assignment-ended"] * (assignment.ended is not None)])
        assignment.version += 1
        self.day += 1
        return assignment

    def start(self, who: str, a: int) -> None:
        self.serving(who, a, *["started-already"] * self.assignments[a].started).started = True

    def suspend(self, who: str, a: int) -> None:
        known = self.assignments[a]
        rules = ["suspension-needs-start"] * (not known.started) + ["suspended-already"] * known.suspended
        self.serving(who, a, *rules).suspended = True

    def resume(self, who: str, a: int) -> None:
        rules = ["resumption-needs-suspension"] * (not self.assignments[a].suspended)
        self.serving(who, a, *rules).suspended = False

    def ask_to_move(self, who: str, a: int) -> None:
        assignment = self.serving(who, a)
        assignment.requests[assignment.version] = "ASKED"

    def answer(self, who: str, a: int, request: int, decision: Literal["GRANTED", "DENIED"]) -> None:
        asked = self.assignments[a].requests.get(request)
        rules = ["no-such-request"] * (asked is None)
        rules += ["request-answered-once"] * (asked not in (None, "ASKED"))
        self.serving(who, a, *rules).requests[request] = decision

    def move(self, who: str, a: int, to: int, request: int | None) -> None:
        known = self.assignments[a]
        asked = None if request is None else known.requests.get(request)
        rules = ["site-suspended"] * self.closed(to) + ["relocation-needs-another-site"] * (known.site == to)
        if request is not None:
            rules += ["relocation-needs-granted-request"] * (asked not in ("GRANTED", "CARRIED_OUT"))
            rules += ["request-carried-out-once"] * (asked == "CARRIED_OUT")
        assignment = self.serving(who, a, *rules)
        assignment.site = to
        if request is not None:
            assignment.requests[request] = "CARRIED_OUT"

    def end(self, who: str, a: int) -> None:
        assignment = self.serving(who, a)
        assignment.ended = assignment.version

    def undo_end(self, who: str, a: int) -> None:
        """The end was recorded by mistake: corrections are what an ended assignment still takes."""
        assignment = self.assignments[a]
        if assignment.institution != who:
            raise Refused(["not-found"])
        assignment.ended = None
        assignment.version += 1

    def closed(self, site: int) -> bool:
        """Whether nobody is sent there on the day of the next step."""
        return any(from_ <= self.day and (to is None or self.day < to) for from_, to in self.closures[site])

    def close(self, site: int) -> None:
        refuse(["site-suspended-already"] * any(to is None for _, to in self.closures[site]))
        self.closures[site].append((self.day, None))
        self.day += 1

    def reopen(self, site: int) -> None:
        refuse(["site-not-suspended"] * all(to is not None for _, to in self.closures[site]))
        self.closures[site][-1] = (self.closures[site][-1][0], self.day)
        self.day += 1

    # What follows from it.

    def join(self, r: int, i: int) -> None:
        incident = self.incidents[i]
        incident.reports.add(r)
        incident.confirmed_by.discard(self.reports[r].institution)
        self.reports[r].incident = i
        self.reports[r].out_of_scope = False
        self.hold_to_the_facts(i)

    def leave(self, r: int) -> None:
        i, self.reports[r].incident = self.reports[r].incident, None
        if i is not None:
            self.incidents[i].reports.discard(r)
            self.hold_to_the_facts(i)

    def held(self, i: int, *, documented: bool) -> str:
        """The highest level that the linked reports and the cited document hold."""
        linked = [self.reports[r] for r in self.incidents[i].reports]
        originals = [
            one for one in linked if one.said.derived_from is None and one.said.kind == self.incidents[i].kind
        ]
        if any(_agree(one, other) for one, other in combinations(originals, 2)):
            return "CONFIRMED" if documented else "PROBABLE"
        return "POSSIBLE" if any(one.said.direct for one in linked) else "RUMOUR"

    def hold_to_the_facts(self, i: int) -> None:
        incident = self.incidents[i]
        if incident.level is None or incident.level == "REFUTED":
            return
        held = self.held(i, documented=incident.documented)
        if incident.level == "CONFIRMED" and len(incident.confirmed_by) < 2:
            held = min(held, "PROBABLE", key=LEVELS.index)
        claimed = "CONFIRMED" if incident.confirmed_by else incident.level
        if LEVELS.index(held) < LEVELS.index(claimed):
            incident.level = min(held, incident.level, key=LEVELS.index)
            incident.confirmed_by = set()

    def killed_twice(self) -> bool:
        dead = [
            v.person
            for incident in self.incidents
            if incident.stands
            for v in incident.victims
            if v.killed and v.count and v.person is not None
        ]
        return len(set(dead)) < len(dead)


def refuse(rules: Iterable[str]) -> None:
    """Nothing, unless there are any."""
    if listed := list(rules):
        raise Refused(listed)


def _agree(one: Reported, other: Reported) -> bool:
    """Two organisations say the same day and the same municipality."""
    a, b = one.said, other.said
    if (a.outlet or one.institution) == (b.outlet or other.institution):
        return False
    if a.municipality is None or a.municipality != b.municipality or a.days is None or b.days is None:
        return False
    return a.days[0] <= b.days[1] and b.days[0] <= a.days[1]
