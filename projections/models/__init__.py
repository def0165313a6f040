"""The read models, one module each."""

from typing import Final

from projections.models.answers import AnswersProjection
from projections.models.incidents import IncidentsProjection
from projections.models.matching import MatchingProjection
from projections.models.mentions import MentionsProjection
from projections.models.placements import PlacementsProjection
from projections.models.public_count import PublicCount
from projections.models.records import RecordsProjection
from projections.models.restricted import RestrictedProjection
from projections.models.waiting import Waiting
from projections.tables import Projection

PROJECTIONS: Final[tuple[Projection, ...]] = (
    PublicCount(),
    Waiting(),
    RecordsProjection(),
    IncidentsProjection(),
    PlacementsProjection(),
    MentionsProjection(),
    AnswersProjection(),
    MatchingProjection(),
    RestrictedProjection(),
)
"""All that follow the log."""
