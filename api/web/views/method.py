"""The method: the definition that the log adopted, word for word, and the policy in force, as tables."""

from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

from markdown_it import MarkdownIt
from markupsafe import Markup

from api import labels, private_labels
from api.web.texts import Texts
from api.web.visit import Visit
from projections.counting.definition import DEFINITION_ID, definition_sha256, definition_text
from projections.models import adopted
from registry.disclosure.policy import Policy, Rule, Rung, Tier
from registry.text import Language

_SUMMARY: Final = "## Resumen en español\n"


class Ladder(NamedTuple):
    """A tier in words: what belongs to it, and what opens in which order."""

    number: int
    rules: Sequence[str]
    steps: Sequence["Step"]
    stops: Sequence[str]


class Step(NamedTuple):
    """A rung. ``crowd`` and ``students`` are numbers as they are usually and where it is already public."""

    facets: str
    crowd: str
    students: str
    wait: str


async def method(visit: Visit) -> str:
    """As of the checkpoint: another definition would be another program."""
    async with visit.site.backing.pool.acquire() as connection:
        in_force = await adopted.policy(connection, visit.size)
    summary, binding = definition()
    return visit.render(
        "method.html",
        summary=summary,
        binding=binding,
        definition=DEFINITION_ID,
        sha256=definition_sha256(),
        policy=in_force,
        ladders=[] if in_force is None else ladders(in_force.policy, visit.texts),
    )


@cache
def definition() -> tuple[Markup, Markup]:
    """The Spanish summary, and the English text that binds, as HTML; headings begin at the third level."""
    text = definition_text().decode()
    head, _, rest = text.partition(_SUMMARY)
    summary, _, sections = rest.partition("\n## ")
    return _html(summary), _html(f"{head.partition(chr(10))[2]}\n## {sections}")


def ladders(policy: Policy, words: Texts) -> list[Ladder]:
    """The first one that an incident belongs to is its own."""
    return [
        Ladder(
            tier.tier,
            [_rule(rule, words) for rule in tier.rules],
            [_step(rung, words) for rung in tier.rungs],
            _stops(tier, words),
        )
        for tier in policy.tiers
    ]


def _html(markdown: str) -> Markup:
    parser = MarkdownIt("commonmark", {"html": False})
    tokens = parser.parse(markdown)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{int(token.tag[1]) + 1}"
    return Markup(parser.renderer.render(tokens, parser.options, {}))


def _rule(rule: Rule, words: Texts) -> str:
    language: Language = words.language
    said = []
    if rule.kinds is not None:
        said.append(", ".join(labels.KINDS[kind].in_(language).lower() for kind in rule.kinds))
    if rule.outcome is not None:
        outcome = private_labels.OUTCOMES[rule.outcome].in_(language).lower()
        said.append(words.gettext("con el desenlace «%(outcome)s»") % {"outcome": outcome})
    if rule.all_in_scope is not None:
        outcomes = ", ".join(private_labels.OUTCOMES[one].in_(language).lower() for one in rule.all_in_scope)
        said.append(words.gettext("si a cada pasante le ocurrió: %(outcomes)s") % {"outcomes": outcomes})
    if rule.public_or_agreed:
        said.append(words.gettext("si ya es público o la familia está de acuerdo"))
    return "; ".join(said) or words.gettext("todo lo demás")


def _step(rung: Rung, words: Texts) -> Step:
    facets = ", ".join(labels.FIELDS[facet].in_(words.language) for facet in rung.facets)
    return Step(
        facets,
        _two(rung.k.default, rung.k.already_public, words),
        _two(rung.students.default, rung.students.already_public, words),
        _wait(rung, words),
    )


def _two(usual: int, already_public: int, words: Texts) -> str:
    if usual == already_public:
        return words.number(usual)
    return words.gettext("%(usual)s (%(public)s si ya es público)") % {
        "usual": words.number(usual),
        "public": words.number(already_public),
    }


def _wait(rung: Rung, words: Texts) -> str:
    said = []
    if rung.wait.first_release_of_quarter:
        said.append(words.gettext("primera publicación de un trimestre"))
    if rung.wait.days_after_report:
        said.append(
            words.gettext("al menos %(days)s días después del reporte")
            % {"days": words.number(rung.wait.days_after_report)}
        )
    if rung.wait.after_promotion:
        said.append(words.gettext("al terminar la promoción"))
    return ", ".join(said) or words.gettext("siguiente publicación")


def _stops(tier: Tier, words: Texts) -> list[str]:
    return [
        words.gettext("Si también corresponde al nivel %(tier)s, no se abre a partir de: %(facet)s.")
        % {"tier": words.number(stop.if_tier), "facet": labels.FIELDS[stop.before].in_(words.language)}
        for stop in tier.stops
    ]
