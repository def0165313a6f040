"""What ``/metrics`` says of the read models: names and numbers, and nothing while nobody knows."""

from collections.abc import Sequence
from datetime import UTC, datetime

from api.health import Health
from api.metrics import Metrics
from projections.runner import Status
from registry.log.storage import PublishedCheckpoint


async def lines(metrics: Metrics, of: str = "projection") -> set[str]:
    text = (await metrics.render()).decode()
    return {line for line in text.splitlines() if line.startswith(f"constancia_{of}")}


async def none_yet() -> PublishedCheckpoint | None:
    return None


async def test_each_read_model_has_its_position_its_lag_and_whether_it_stopped() -> None:
    standing = [Status("records", 1, 7, "UnknownEvent, in words", 10), Status("waiting", 1, 10, None, 10)]

    async def statuses() -> Sequence[Status]:
        return standing

    metrics = Metrics(Health(), statuses, none_yet)
    assert await lines(metrics) == {
        'constancia_projection_position{projection="records"} 7.0',
        'constancia_projection_position{projection="waiting"} 10.0',
        'constancia_projection_lag_events{projection="records"} 3.0',
        'constancia_projection_lag_events{projection="waiting"} 0.0',
        'constancia_projection_stopped{projection="records"} 1.0',
        'constancia_projection_stopped{projection="waiting"} 0.0',
    }
    # A copy that was being rebuilt is gone once it is in use.
    del standing[0]
    assert not [line for line in await lines(metrics) if "records" in line]


async def test_a_gauge_of_another_part_is_asked_for_its_values_each_time() -> None:
    async def statuses() -> Sequence[Status]:
        return []

    async def endpoints() -> dict[str, int]:
        return counted

    metrics = Metrics(Health(), statuses, none_yet)
    metrics.ask("webhooks", "Endpoints.", "state", endpoints)
    counted = {"WELL": 2, "GONE": 1}
    assert await lines(metrics, "webhooks") == {
        'constancia_webhooks{state="WELL"} 2.0',
        'constancia_webhooks{state="GONE"} 1.0',
    }
    counted = {"WELL": 3}
    assert await lines(metrics, "webhooks") == {'constancia_webhooks{state="WELL"} 3.0'}


async def test_while_the_database_is_away_the_other_figures_are_still_given() -> None:
    async def statuses() -> Sequence[Status]:
        raise ConnectionRefusedError

    metrics = Metrics(Health(), statuses, none_yet)
    assert await lines(metrics) == set()
    assert b"constancia_part_running" in await metrics.render()


async def test_the_last_checkpoint_tells_when_a_quorum_last_let_it_be_published() -> None:
    published: list[PublishedCheckpoint | None] = [None]

    async def checkpoint() -> PublishedCheckpoint | None:
        return published[0]

    async def statuses() -> Sequence[Status]:
        return []

    metrics = Metrics(Health(), statuses, checkpoint)
    assert await lines(metrics, "checkpoint") == {
        "constancia_checkpoint_leaves NaN",
        "constancia_checkpoint_timestamp_seconds NaN",
    }
    first, again = (datetime.fromtimestamp(time, UTC) for time in (1_800_000_000, 1_800_000_060))
    published[0] = PublishedCheckpoint(300, bytes(32), "", first, again)
    assert await lines(metrics, "checkpoint") == {
        "constancia_checkpoint_leaves 300.0",
        "constancia_checkpoint_timestamp_seconds 1.80000006e+09",
    }
