"""Failures of the database that say nothing about what was asked of it: the same statement may succeed later."""

import asyncpg

TRANSIENT = (
    OSError,  # the server is away; TimeoutError is one of them
    asyncpg.InterfaceError,  # the connection was closed under us
    asyncpg.InternalClientError,  # or in the middle of an answer
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutting down, or starting
    asyncpg.TransactionRollbackError,  # serialisation failure or deadlock
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,  # the server's own lock_timeout
    asyncpg.ReadOnlySQLTransactionError,  # a standby that is taking over, or a disk that is full
)
"""``asyncpg.DataError`` is an InterfaceError and yet about a value: who must tell them apart asks for it first."""
