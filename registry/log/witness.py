"""Asking one witness to cosign a checkpoint of ours. Client of c2sp.org/tlog-witness@v1.0.0; later drafts' 422 for
another root, and their address for monitors, are understood too.

Nothing that a witness says is believed, with one exception: a checkpoint that our own key signed. If such a one is
ahead of us, or contradicts our tree, then we are an old copy of this log, or there are two of us, and one more
signature would make the log a liar. A mere number proves nothing: anybody can claim one.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Protocol

import httpx

from registry.errors import MalformedLog, PublisherRefused, WitnessFailed
from registry.log.checkpoint import Checkpoint, open_checkpoint
from registry.log.cosignature import time_of
from registry.log.last_signed import FILE, TreeHead
from registry.log.note import Signature, Verifier, open_note, split_note
from registry.log.policy import Witness
from registry.log.submission import ADD_CHECKPOINT, MAX_BYTES, Submission, read_size, shown_at

TIMEOUT: Final = httpx.Timeout(10.0, connect=5.0)
"""Seconds. A witness checks one proof, syncs one file and answers."""

ATTEMPTS: Final = 3
"""Requests per checkpoint: with the size we remember, with the one that a 409 names, and one more."""


class Tree(Protocol):
    """Our own tree, up to the checkpoint that is to be cosigned."""

    async def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """The proof that leads from size ``old`` to size ``new``."""
        ...

    async def root(self, size: int) -> bytes:
        """The root at an earlier size."""
        ...


@dataclass(frozen=True, slots=True)
class Contact:
    """A witness with an address, and the keys by which we know our own checkpoints."""

    witness: Witness
    url: str
    origin: str
    keys: Collection[Verifier]
    client: httpx.AsyncClient

    async def ask(self, note: str, head: TreeHead, old: int, tree: Tree) -> Signature:
        """The witness's cosignature over ``note``, our signed checkpoint of ``head``. ``old`` is our guess at what
        it cosigned last.

        WitnessFailed when it gives none; PublisherRefused when it shows that we must not publish.
        """
        for _ in range(ATTEMPTS):
            submission = Submission(old, await tree.consistency(old, head.size), note)
            status, media_type, body = await self._request("POST", ADD_CHECKPOINT, submission.body())
            if status == 200:
                return self._cosignature(note, body)
            if status not in (409, 422):
                raise self._failed(
                    *_REASONS.get(status, (f"respondió HTTP {status}", f"answered HTTP {status}"))
                )
            claimed = read_size(media_type, body) if status == 409 else None
            old = await self._next_size(old, claimed, head, tree)
        raise self._failed("no acepta ningún tamaño anterior", "accepts no earlier size")

    async def refuse_if_ahead(self, last: TreeHead, tree: Tree) -> Checkpoint | None:
        """The checkpoint of this log that the witness shows; None without one that our key signed.

        PublisherRefused when it is ahead of ``last``, or of another tree than ours.
        """
        status, _, body = await self._request("GET", shown_at(self.origin), None)
        if status != 200:
            return None
        try:
            shown = body.decode()
            checkpoint, _ = open_checkpoint(shown, self.origin, self.keys)
        except (MalformedLog, UnicodeDecodeError):
            return None
        if checkpoint.size > last.size:
            raise _ahead(self.witness.name, checkpoint, last, shown)
        if await tree.root(checkpoint.size) != checkpoint.root:
            raise _other_tree(self.witness.name, checkpoint, shown)
        return checkpoint

    async def _next_size(self, old: int, claimed: int | None, head: TreeHead, tree: Tree) -> int:
        """The old size for the next attempt, after the witness has refused ``old``."""
        if claimed is not None and claimed <= head.size and claimed != old:
            return claimed
        # It claims to be ahead, names no size, or refuses our proof: what it shows may say why.
        shown = await self.refuse_if_ahead(head, tree)
        if claimed is not None and claimed > head.size:
            raise self._failed(
                f"dice haber cofirmado {claimed} hojas, más que las {head.size} firmadas, y no lo prueba",
                f"claims to have cosigned {claimed} leaves, more than the {head.size} signed, and does not prove it",
                alarm=True,
            )
        if shown is not None and shown.size != old:
            return shown.size
        if claimed is None and old != 0:
            return 0  # the specification's way to be told the size
        raise self._failed(
            "rechaza una prueba de consistencia correcta", "refuses a correct consistency proof", alarm=True
        )

    def _cosignature(self, note: str, body: bytes) -> Signature:
        """The one line of this witness's key; lines by other keys are ignored, as the specification asks."""
        text, _ = split_note(note)
        try:
            answered = open_note(f"{text}\n{body.decode()}", [self.witness.key])
            if answered.text != text or time_of(answered.verified[0]) == 0:
                raise self._failed("cofirmó otra cosa", "cosigned something else", alarm=True)
        except UnicodeDecodeError:
            raise self._failed(
                "respondió con algo que no es texto", "answered with what is no text"
            ) from None
        except MalformedLog as error:
            raise self._failed(
                f"no respondió con una cofirma de su clave ({error.text.es})",
                f"did not answer with a cosignature of its key ({error.text.en})",
            ) from None
        return answered.verified[0]

    async def _request(self, method: str, path: str, body: bytes | None) -> tuple[int, str, bytes]:
        """Status, media type and body of one request. Redirects are not followed; nothing is decompressed."""
        headers = {"Accept-Encoding": "identity", "Content-Type": "text/plain; charset=utf-8"}
        try:
            async with self.client.stream(
                method, f"{self.url.rstrip('/')}/{path}", content=body, headers=headers, timeout=TIMEOUT
            ) as response:
                content = bytearray()
                async for chunk in response.aiter_raw():
                    content += chunk
                    if len(content) > MAX_BYTES:
                        raise self._failed(
                            f"respondió con más de {MAX_BYTES} bytes",
                            f"answered with more than {MAX_BYTES} bytes",
                        )
                return response.status_code, response.headers.get("content-type", ""), bytes(content)
        except httpx.HTTPError as error:
            name = type(error).__name__
            raise self._failed(f"no responde ({name})", f"does not answer ({name})") from None

    def _failed(self, es: str, en: str, *, alarm: bool = False) -> WitnessFailed:
        return WitnessFailed(
            f"El testigo {self.witness.name} {es}.", f"Witness {self.witness.name} {en}.", alarm=alarm
        )


_REASONS: Final = {
    400: ("no entiende la petición (HTTP 400)", "does not understand the request (HTTP 400)"),
    403: (
        "no conoce la clave de esta bitácora (HTTP 403): envíesela",
        "does not know this log's key (HTTP 403): send it",
    ),
    404: (
        "no conoce esta bitácora (HTTP 404): pida que la agregue",
        "does not know this log (HTTP 404): ask for it to be added",
    ),
}


def _ahead(name: str, shown: Checkpoint, last: TreeHead, note: str) -> PublisherRefused:
    return PublisherRefused(
        f"No se firma: el testigo {name} muestra un checkpoint de esta bitácora, firmado con su clave, de "
        f"{shown.size} hojas, y aquí se firmaron {last.size}. Esta es una copia antigua, u otro servidor firma con "
        f"la misma clave. Detenga el otro, o restaure la base de datos y {FILE} más recientes.\n{note}",
        f"Nothing is signed: witness {name} shows a checkpoint of this log, signed by its key, of {shown.size} "
        f"leaves, and {last.size} were signed here. This is an old copy, or another server signs with the same key. "
        f"Stop the other one, or restore the newest database and {FILE}.\n{note}",
    )


def _other_tree(name: str, shown: Checkpoint, note: str) -> PublisherRefused:
    return PublisherRefused(
        f"No se firma: el testigo {name} muestra un checkpoint firmado con la clave de esta bitácora cuya raíz para "
        f"{shown.size} hojas no es la de aquí. Hay dos historias con la misma clave: conecte la base de datos "
        f"original y guarde esta nota.\n{note}",
        f"Nothing is signed: witness {name} shows a checkpoint signed by this log's key whose root for {shown.size} "
        f"leaves is not the one here. There are two histories under one key: connect the original database and keep "
        f"this note.\n{note}",
    )
