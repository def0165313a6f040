"""Files of evidence as they are described beside their bytes."""

from datetime import datetime
from typing import Annotated

import msgspec

from registry.application.drafts.common import NO_CONTROLS, Draft, SourceRecordId
from registry.domain.codes import AcquisitionMethod

MediaType = Annotated[
    str, msgspec.Meta(max_length=127, pattern=r"^[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*$")
]
"""RFC 6838 section 4.2, without parameters."""


class FileDraft(Draft, frozen=True, kw_only=True):
    """Where a file comes from, when and how it was acquired: private, but for its media type."""

    media_type: MediaType = "application/octet-stream"
    source_url: Annotated[str, msgspec.Meta(min_length=1, max_length=2_000, pattern=NO_CONTROLS)] | None = (
        None
    )
    acquired_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    method: AcquisitionMethod | None = None
    source_record_id: SourceRecordId | None = None
