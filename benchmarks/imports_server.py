"""The register for ``benchmarks.imports``, in a process of its own, given a database and a directory.

Prints its address and a key of an institution.
"""

import asyncio
import logging
import socket
import sys
from pathlib import Path

import uvloop

from api.auth.scopes import Scope
from api.running import Running, stopped_by_signals
from api.start import adopt, open_services
from registry.application.drafts import InstitutionDraft
from registry.application.execution.unit import OPERATOR, WriteOptions
from registry.application.places import institutions
from registry.domain.codes import InstitutionKind
from registry.settings import Settings


async def serve(address: str, directory: Path) -> None:
    """Until it is told to stop."""
    logging.getLogger("constancia.access").disabled = True
    settings = Settings(data=directory, database_url=address, import_limit=4 << 30)
    async with open_services(settings) as services:
        await adopt(services.application)
        draft = InstitutionDraft(name="Universidad inventada", kind=InstitutionKind.UNIVERSITY, state="09")
        made = await services.application.execute(OPERATOR, institutions.register(draft), WriteOptions())
        issued = await services.api_keys.issue(made.id, [Scope.IMPORTS_WRITE, Scope.REPORTS_WRITE], None)
        stopping = asyncio.Event()
        listener = socket.create_server(("127.0.0.1", 0))
        with stopped_by_signals(stopping):
            async with asyncio.TaskGroup() as tasks:
                await Running(services, tasks, stopping).serve(listener)
                print(f"http://127.0.0.1:{listener.getsockname()[1]} {issued.key}", flush=True)


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], Path(sys.argv[2])))
