"""The library's own persistence contract, over our store; its assertions as they are.

Of the contract's classes (``eventsourcing.tests.persistence``) these do not apply:

- ``TrackingRecorderTestCase`` and ``ProcessRecorderTestCase``: where a reader stands is kept by the read side, in the
  transaction that writes the read model (``projections.runner``), and never in the transaction of an append.
- ``InfrastructureFactoryTestCase``: the store is opened with a pool, not constructed from the environment by topic.
- ``TranscoderTestCase``: events are encoded by ``registry.domain.mapper``, not by a transcoder of custom types.
"""

from collections.abc import Iterator

import pytest
from eventsourcing.tests import persistence as contract

from tests.integration.store.bridge import AggregateBridge, Bridge


class OverOurStore:
    """Gives each test of a contract a recorder over an empty database."""

    INITIAL_VERSION = 0
    """The contract's parameter for the first version of a stream. Some of its tests write 0 whatever is set here."""

    bridge: Bridge

    @pytest.fixture(autouse=True)
    def _open(self, database_url: str) -> Iterator[None]:
        self.bridge = Bridge(database_url)
        yield
        self.bridge.close()


class TestAggregateRecorder(OverOurStore, contract.AggregateRecorderTestCase):
    def create_recorder(self) -> AggregateBridge:
        return AggregateBridge(self.bridge)


class TestApplicationRecorder(OverOurStore, contract.ApplicationRecorderTestCase[Bridge]):
    def create_recorder(self) -> Bridge:
        return self.bridge

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestNonInterleavingNotificationIds(OverOurStore, contract.NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> Bridge:
        return self.bridge
