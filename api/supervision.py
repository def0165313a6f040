"""Keeps the background tasks of a process going, in sight of whoever watches ``/readyz`` and the log.

Intake fails open: a publisher or projection that fails never stops the API. What only an operator can resolve
(a refusal to sign, an unknown event) stops its task until the next start; anything else is tried again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from api.health import FAILING, RUNNING, STOPPED, Health
from api.redaction import describe
from registry.errors import RegistryError, StoreUnavailable

log = logging.getLogger("constancia.tasks")

# A database that restarts is back within seconds; an hour of three tries per minute is 180 lines of log. Parts wait for
# each other (the publisher for the witnesses), so their pauses add up before all is well again.
FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 20.0

# A task that has run this long since its last failure counts as well again.
WELL_AFTER_SECONDS: Final = 10.0


async def keep_going(
    name: str,
    run: Callable[[], Awaitable[None]],
    health: Health,
    stopping: asyncio.Event,
    *,
    first_pause: float = FIRST_PAUSE_SECONDS,
) -> None:
    """Run ``run`` until ``stopping``; after a failure, again, with pauses that double until it has been well again.

    Cancelling works at any point.
    """
    health.report(name, RUNNING)
    pause, loop = first_pause, asyncio.get_running_loop()
    while not stopping.is_set():
        started = loop.time()
        recovered = loop.call_later(WELL_AFTER_SECONDS, health.report, name, RUNNING)
        try:
            await run()
        except RegistryError as error:
            if not isinstance(error, StoreUnavailable):
                health.report(name, STOPPED)
                log.critical("%s stopped; an operator must act, then start again:\n%s", name, error.text)
                return
            log.error("%s failed: %s", name, describe(error))  # noqa: TRY400 - the traceback may hold values
        except Exception as error:  # noqa: BLE001 - whatever it was, the task must be seen failing and go on
            log.error("%s failed: %s", name, describe(error))  # noqa: TRY400 - the traceback may hold values
        else:
            if stopping.is_set():
                return
            log.error("%s ended although nobody asked it to", name)
        finally:
            recovered.cancel()
        health.report(name, FAILING)
        if loop.time() - started >= WELL_AFTER_SECONDS:
            pause = first_pause
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), pause)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
