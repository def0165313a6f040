"""One signed message to one endpoint, and the message of a test."""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final
from uuid import UUID, uuid4

import msgspec

from api.delivery.webhooks.client import Post
from api.delivery.webhooks.endpoints import Message, Secret
from api.delivery.webhooks.outcomes import Outcome
from api.delivery.webhooks.signing import signed_headers, webhook_id

TEST_TYPE: Final = "webhook.tested"
"""What a test calls itself. No event of the log has this name, and it has no position."""

_USER_AGENT: Final = f"constancia/{version('constancia')}"


async def send(post: Post, url: str, secrets: Sequence[Secret], message: Message, now: datetime) -> Outcome:
    """One attempt at ``now``, signed with all secrets that have not retired by then."""
    live = [one.secrets for one in secrets if one.retires is None or one.retires > now]
    headers = signed_headers(live, message.id, int(now.timestamp()), message.body)
    return await post(url, {"User-Agent": _USER_AGENT, **headers}, message.body)


def message_of_a_test(endpoint: UUID, source: str, now: datetime) -> Message:
    """A CloudEvent that says nothing. ``source`` is that of the log's events."""
    event = str(uuid4())
    body = {
        "specversion": "1.0",
        "id": event,
        "source": source,
        "type": TEST_TYPE,
        "subject": f"webhook/{endpoint}",
        "time": now.astimezone(UTC).replace(microsecond=0),
        "datacontenttype": "application/json",
        "data": {},
    }
    return Message.test(webhook_id(endpoint, event), msgspec.json.encode(body))
