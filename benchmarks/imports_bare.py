"""What a report costs without a register: FastAPI decodes and checks it, asyncpg inserts it, one row each."""

import socket
import sys

import asyncpg
import msgspec
import uvicorn
import uvloop
from fastapi import FastAPI, Request, Response

from registry.application.drafts import ReportDraft

_INSERT = "INSERT INTO bare (source_record_id, class, body) VALUES ($1, $2, $3) RETURNING id"


async def serve(address: str) -> None:
    """Until it is told to stop."""
    app = FastAPI()
    async with asyncpg.create_pool(address, min_size=10, max_size=10) as pool:

        @app.post("/v1/reports")
        async def report(request: Request) -> Response:
            body = await request.body()
            draft = msgspec.json.decode(body, type=ReportDraft)
            made = await pool.fetchval(_INSERT, draft.source_record_id, draft.class_.value, body.decode())
            return Response(msgspec.json.encode({"id": made}), 201, media_type="application/json")

        listener = socket.create_server(("127.0.0.1", 0))
        print(f"http://127.0.0.1:{listener.getsockname()[1]} ", flush=True)
        await uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).serve([listener])


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))
