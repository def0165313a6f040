"""The verification as one numbered proof. Each step rests on the ones before it and on nothing else.

1. The checkpoint is a signed note of the log's key (c2sp.org/signed-note, c2sp.org/tlog-checkpoint), cosigned by a
   quorum of witnesses (c2sp.org/tlog-cosignature, c2sp.org/tlog-policy) and not older than asked.
2. Every entry, hashed again from the first, gives the signed root (RFC 6962 s2.1, c2sp.org/tlog-tiles).
3. The checkpoint remembered from an earlier run is a prefix of this log: no fork, no rollback. Witnesses and quorum
   are remembered too, and a change of them is told.
4. Every tile of hashes, full or partial, at every level, is the one that the entries give: what proofs of
   inclusion are made from (c2sp.org/tlog-tiles).
5. Every leaf is well-formed, every opening matches its commitment, every release says true and opens no more than the
   policy allows.
6. The leaves, folded by the published definition, give these counts.
7. The server, or the files of counts beside the log, say the same, number by number.
8. A certificate that was handed in agrees with the log at its size.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from projections.counting.count import Count
from projections.counting.disclosure import NexusScope
from projections.counting.fold import Fold
from projections.counting.query import CountQuery, Unit, ask
from projections.verification.audit import Audited, audit
from projections.verification.certificates import differences, open_certificate, question
from projections.verification.comparison import Ask, compare
from projections.verification.crowds import Crowds
from projections.verification.errors import CannotStart, DataUnavailable, Missing, VerificationFailed
from projections.verification.figures import PublishedFigures
from projections.verification.history import (
    Signed,
    check_not_shorter,
    check_prefix,
    compare_policies,
    memory_of,
    remembered,
    remembered_policy,
)
from projections.verification.memory import recall, remember
from projections.verification.recount import Recount, check_definition, recount
from projections.verification.report import Report
from projections.verification.sources import TEXT_LIMIT, Source
from projections.verification.trust import Keyring, gather, open_signed
from projections.verification.witnesses import check_witnesses
from registry.log.certificate import CountCertificate
from registry.log.checkpoint import Checkpoint
from registry.log.lines import write_base64
from registry.log.policy import Policy
from registry.text import Text


class Verdict(Enum):
    """How a verification without failure ends."""

    VERIFIED = auto()
    SELF_CONSISTENT = auto()


@dataclass(frozen=True)
class Options:
    """What the person asked for. ``certificate`` is the text of a count certificate, ``max_age`` in hours, ``now``
    in POSIX seconds."""

    vkeys: tuple[str, ...] = ()
    state: Path | None = None
    trust_on_first_use: bool = False
    certificate: str | None = None
    policy: Policy | None = None
    max_age: float | None = None
    now: Callable[[], float] = time.time


def verify_log(source: Source, options: Options, report: Report, send: Ask | None = None) -> Verdict:
    """Verifies the log in ``source`` and, where ``send`` reaches its GraphQL, the figures that it gives.

    Raises VerificationFailed, CannotStart or DataUnavailable; the text says what failed, where, what it means.
    """
    if options.trust_on_first_use and options.state is None:
        raise CannotStart(
            "--trust-on-first-use necesita --state ARCHIVO, donde recordar la clave.",
            "--trust-on-first-use needs --state FILE to remember the key in.",
        )
    memory = recall(options.state) if options.state is not None else None
    logs = [] if options.policy is None else [log.key for log in options.policy.logs]
    keyring = gather(source, options.vkeys, memory, options.trust_on_first_use, logs)
    earlier = None if memory is None else remembered(memory, keyring)
    earlier_policy = None if memory is None else remembered_policy(memory)
    policy = options.policy or earlier_policy
    signed = _check_signature(source, keyring, report)
    if earlier is not None:
        check_not_shorter(earlier, signed)
    check_witnesses(signed.note, keyring, policy, options.max_age, options.now(), report)
    compare_policies(signed.note, keyring, earlier_policy, policy, report)
    certificate = (
        None if options.certificate is None else _check_handed_in(options.certificate, keyring, signed)
    )
    sizes = {item.size for item in (earlier, certificate) if item is not None}
    audited = audit(source, signed.checkpoint, sizes, report)
    with audited.entries:
        _tell_audited(audited, report)
        if earlier is not None:
            check_prefix(earlier, signed, audited, report)
        if options.state is not None and keyring.authenticated:
            # Now, not at the end: whatever is wrong with the figures, this log may never take these leaves back.
            remember(options.state, memory_of(keyring, signed, policy))
        _check_tiles(audited, report)
        figures = PublishedFigures(source)
        result, answer = _recount(audited, certificate, figures, source.counted(), report)
    _check_figures(figures, report)
    if send is not None:
        _compare(send, result, audited.checkpoint, keyring, figures, report)
    elif not figures.files:
        report.remark(
            Text(
                "Una carpeta sin archivos de conteos no da cifras propias: no se comparó ningún número publicado.",
                "A directory without files of counts gives no figures of its own: no published number was compared.",
            )
        )
    if certificate is not None and answer is not None:
        _check_certificate(certificate, audited, keyring, answer, report)
    return Verdict.VERIFIED if keyring.authenticated else Verdict.SELF_CONSISTENT


def _check_signature(source: Source, keyring: Keyring, report: Report) -> Signed:
    note = _text(source.read("checkpoint", TEXT_LIMIT))
    checkpoint = open_signed(note, keyring)
    report.step(
        Text(
            f"{keyring.origin} firmó que su bitácora tiene {checkpoint.size} hojas y la raíz "
            f"{write_base64(checkpoint.root)} (con {keyring.trust.value.es}).",
            f"{keyring.origin} signed that its log has {checkpoint.size} leaves and root "
            f"{write_base64(checkpoint.root)} (with {keyring.trust.value.en}).",
        )
    )
    return Signed(note, checkpoint)


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise VerificationFailed(
            "El checkpoint no es texto UTF-8, como pide c2sp.org/signed-note.",
            "The checkpoint is not UTF-8 text, as c2sp.org/signed-note requires.",
        ) from error


def _tell_audited(audited: Audited, report: Report) -> None:
    report.step(
        Text(
            f"Las {audited.checkpoint.size} hojas, con su hash calculado de nuevo, dan la raíz firmada: ninguna fue "
            "cambiada, quitada ni agregada.",
            f"The {audited.checkpoint.size} leaves, hashed again one by one, give the signed root: none was changed, "
            "removed or added.",
        )
    )


def _check_tiles(audited: Audited, report: Report) -> None:
    audited.tiles.require_equal()
    report.step(
        Text(
            f"Los {audited.tiles.compared} mosaicos de hashes son los que dan las hojas: las pruebas de inclusión que "
            "se hacen de ellos son verdaderas.",
            f"The {audited.tiles.compared} tiles of hashes are those that the leaves give: the proofs of inclusion "
            "made from them are true.",
        )
    )


def _recount(
    audited: Audited,
    certificate: CountCertificate | None,
    figures: PublishedFigures,
    counted: Collection[int],
    report: Report,
) -> tuple[Recount, Count | None]:
    """The leaves once through; on the way the files of counts as of their sizes, and the certificate's answer."""
    answers: list[Count] = []
    pauses: defaultdict[int, list[Callable[[Fold], None]]] = defaultdict(list)
    for size in {audited.checkpoint.size, *counted}:
        pauses[size].append(figures.compare)
    if certificate is not None:
        query = question(certificate)
        pauses[certificate.size].append(lambda fold: answers.append(fold.count(query)))
    result = recount(audited.entries, pauses)
    openings, releases = result.openings, result.releases
    report.step(
        Text(
            f"Hojas abiertas en su forma: {result.open_leaves}. Incidentes divulgados: {openings.incidents}, en "
            f"publicaciones: {releases.published}. Aperturas que concuerdan con su compromiso: {openings.opened}. "
            f"Facetas que siguen selladas sin cambio: {openings.sealed}.",
            f"Open leaves in their form: {result.open_leaves}. Incidents disclosed: {openings.incidents}, in "
            f"releases: {releases.published}. Openings that match their commitments: {openings.opened}. "
            f"Facets that stay sealed unchanged: {openings.sealed}.",
        )
    )
    report.step(_crowds(result.crowds))
    if releases.pending:
        report.remark(
            Text(
                f"{len(releases.pending)} divulgaciones pertenecen a una publicación que aún no se cierra.",
                f"{len(releases.pending)} disclosures belong to a release that is not closed yet.",
            )
        )
    check_definition(result)
    report.step(_counts(result))
    return result, answers[0] if answers else None


def _crowds(crowds: Crowds) -> Text:
    parts = {facet: crowds.parts(facet) for facet in ("state", "kind", "municipality", "month")}
    names = {"state": "estado", "kind": "tipo", "municipality": "municipio", "month": "mes"}
    en = "; ".join(f"{facet} {'/'.join(map(str, numbers))}" for facet, numbers in parts.items())
    es = "; ".join(f"{names[facet]} {'/'.join(map(str, numbers))}" for facet, numbers in parts.items())
    return Text(
        f"Cada faceta abierta tenía el grupo que pide la política ({crowds.opened}), salvo las que su hoja "
        f"exceptúa ({crowds.waived}: el motivo lo atestigua el registro). Abiertas, desconocidas y no divulgadas "
        f"suman todos los incidentes: {es}.",
        f"Every facet that opened had the crowd that the policy asks for ({crowds.opened}), but for those that "
        f"their leaf exempts ({crowds.waived}: the register attests why). Open, unknown and undisclosed sum to all "
        f"incidents: {en}.",
    )


def _counts(result: Recount) -> Text:
    figures = []
    for unit in Unit:
        for nexus in NexusScope:
            low, best, high = result.fold.count(ask(unit, nexus=nexus)).bounds
            figures.append(f"{unit.value} {nexus.value} {low}/{best}/{high}")
    listed = "; ".join(figures)
    return Text(
        f"Recontadas con national-count/1, las hojas dan (mínimo/mejor/máximo): {listed}.",
        f"Recounted by national-count/1, the leaves give (low/best/high): {listed}.",
    )


def _check_figures(figures: PublishedFigures, report: Report) -> None:
    figures.require_equal()
    if figures.files:
        report.step(
            Text(
                f"Los {figures.files} archivos de conteos dicen lo que dan las hojas: {figures.numbers} números.",
                f"The {figures.files} files of counts say what the leaves give: {figures.numbers} numbers agree.",
            )
        )


def _compare(
    send: Ask,
    result: Recount,
    checkpoint: Checkpoint,
    keyring: Keyring,
    figures: PublishedFigures,
    report: Report,
) -> None:
    try:
        agreed = compare(send, result.fold, checkpoint, keyring)
    except Missing as error:
        if figures.files:  # a mirror behind a plain web server: its figures are its files
            return
        raise DataUnavailable(
            "La bitácora quedó verificada, pero no hay cifras publicadas que comparar: ni /graphql ni archivos de "
            "conteos. Si es un espejo, cópielo y verifique la carpeta.",
            "The log was verified, but there are no published figures to compare: neither /graphql nor files of "
            "counts. If this is a mirror, copy it and verify the directory.",
        ) from error
    report.step(
        Text(
            f"El servidor dice lo mismo: {agreed} números iguales, por unidad, nexo, clase, año y estado.",
            f"The server says the same: {agreed} numbers agree, by unit, nexus, class, year and state.",
        )
    )
    if not keyring.count:
        report.remark(
            Text(
                "No hay clave de conteos: las firmas de los certificados no se comprobaron. Agréguela con --vkey.",
                "There is no key for counts: the certificates' signatures were not checked. Add it with --vkey.",
            )
        )
    elif keyring.authenticated and not keyring.count_trusted:
        report.remark(_untrusted_count_key())


def _check_handed_in(note: str, keyring: Keyring, signed: Signed) -> CountCertificate:
    if not keyring.count:
        raise DataUnavailable(
            "No hay clave con la cual comprobar el certificado. Dé la clave de conteos con --vkey.",
            "There is no key to check the certificate by. Give the key for counts with --vkey.",
        )
    certificate = open_certificate(note, keyring.count)
    if certificate.size > signed.checkpoint.size:
        raise VerificationFailed(
            f"El certificado se refiere a {certificate.size} hojas y la bitácora muestra solo "
            f"{signed.checkpoint.size}: es una copia atrasada, o se borró lo que se había certificado.",
            f"The certificate refers to {certificate.size} leaves and the log shows only {signed.checkpoint.size}: "
            "this is a stale copy, or what had been certified was erased.",
        )
    return certificate


def _check_certificate(
    certificate: CountCertificate, audited: Audited, keyring: Keyring, answer: Count, report: Report
) -> None:
    query: CountQuery = question(certificate)
    found = differences(
        certificate, keyring.origin, audited.roots[certificate.size], certificate.size, query, answer
    )
    if found:
        raise VerificationFailed(
            "El certificado no concuerda con la bitácora: " + "; ".join(text.es for text in found) + ".",
            "The certificate does not agree with the log: " + "; ".join(text.en for text in found) + ".",
        )
    report.step(
        Text(
            f"El certificado dice lo que dan las primeras {certificate.size} hojas.",
            f"The certificate says what the first {certificate.size} leaves give.",
        )
    )
    if keyring.authenticated and not keyring.count_trusted:
        report.remark(_untrusted_count_key())


def _untrusted_count_key() -> Text:
    return Text(
        "La clave de conteos es la que muestra el servidor. Los números se recontaron; para atribuir también el "
        "certificado, agregue esa clave con --vkey.",
        "The key for counts is the one that the server shows. The numbers were recounted; to attribute the "
        "certificate too, add that key with --vkey.",
    )
