"""What is told before it is erased, and who erases it."""

from datetime import date
from pathlib import Path

import asyncpg
import pytest

from api.auth.keys import Keys
from api.auth.token import Tokens
from api.health import Health
from api.services import Services
from api.start import adopt
from registry.application import assignments, incidents, reports
from registry.application.drafts import (
    AssignmentDraft,
    CertaintyDraft,
    Contact,
    FindingDraft,
    IncidentDraft,
    SiteDraft,
    Student,
)
from registry.application.execution.application import Application
from registry.application.execution.unit import OPERATOR, Actor, WriteOptions
from registry.application.people.erasure import Erasure, Subject
from registry.application.places import sites
from registry.domain.codes import Certainty, IncidentClass, PlazaType
from registry.domain.register import SubjectKind
from registry.log.keys import LogKeys
from registry.privacy.master import MasterKey
from registry.privacy.pseudonyms import Pseudonyms
from registry.settings import load_settings
from tests.integration.erasure.telling import CURP, KEYED, OTHER_CURP, WHEN, WHERE, Told, attack, victim


@pytest.fixture
async def told(app: Application, university: Actor, verifier: Actor, master: MasterKey) -> Told:
    await adopt(app)
    contact = Contact(name="Responsable", phone="000")
    site = await app.execute(
        OPERATOR, sites.register(SiteDraft(name="Clínica", cvegeo="16012", contact=contact)), WriteOptions()
    )
    draft = AssignmentDraft(
        student=Student(curp=CURP),
        site=site.id,
        promotion="2025-2",
        plaza_type=PlazaType.C,
        starts=date(2025, 8, 1),
        planned_end=date(2026, 7, 31),
    )
    assignment = await app.execute(university, assignments.register(draft), KEYED)
    said = [
        (await app.execute(university, reports.submit(attack(*curps)), WriteOptions())).id
        for curps in ((CURP,), (OTHER_CURP,), (CURP, OTHER_CURP))
    ]
    incident = IncidentDraft(
        class_=IncidentClass.ATTACK,
        reports=list(said),
        findings=[FindingDraft(when=WHEN), FindingDraft(where=WHERE), FindingDraft(kind="COERCED_CARE")],
        victims=[victim(CURP), victim(OTHER_CURP)],
        certainty=CertaintyDraft(level=Certainty.POSSIBLE),
    )
    opened = await app.execute(verifier, incidents.open_incident(incident), WriteOptions())
    pseudonyms = Pseudonyms(master)
    return Told(
        Subject(SubjectKind.PERSON, pseudonyms.person_by_curp(CURP)),
        Subject(SubjectKind.PERSON, pseudonyms.person_by_curp(OTHER_CURP)),
        draft,
        assignment.id,
        (said[0], said[1], said[2]),
        opened.id,
    )


@pytest.fixture
def erasure(app: Application, pool: asyncpg.Pool) -> Erasure:
    return Erasure(app, pool)


@pytest.fixture
def services(
    app: Application, pool: asyncpg.Pool, log_keys: LogKeys, master: MasterKey, tmp_path: Path
) -> Services:
    settings = load_settings(data=tmp_path / "log", origin=log_keys.origin)
    return Services(
        settings=settings,
        pool=pool,
        application=app,
        log_keys=log_keys,
        api_keys=Keys(pool, Tokens(master, "test")),
        health=Health(),
    )
