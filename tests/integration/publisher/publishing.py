"""``constancia publish`` as often as a test wants, to be killed where it wants: the command itself, in real processes.

    python -m tests.integration.publisher.publishing DATA SIGNATURES

Says "ready", then follows lines from standard input:

    start                             a process of its own that publishes; says its process id
    start before MODULE:NAME          the same, but it is killed before it calls that function
    start after MODULE:NAME           or as soon as the function has done its work
    wait PID                          says the exit status; negative is the signal

Processes are forked, so that each takes milliseconds and not the time of all imports. What is signed is written to
SIGNATURES first, a line "<size> <root in hex>" each.
"""

import importlib
import inspect
import os
import signal
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn

from api.cli.parts import publish
from registry.log.last_signed import TreeHead
from registry.log.publisher import Publisher


def main(data: Path, signatures: Path) -> None:
    say("ready")
    for line in sys.stdin:
        match line.split():
            case ["start", *fault]:
                pid = os.fork()
                if pid == 0:
                    run(data, signatures, fault)
                say(pid)
            case ["wait", pid]:
                say(os.waitstatus_to_exitcode(os.waitpid(int(pid), 0)[1]))


def run(data: Path, signatures: Path, fault: list[str]) -> NoReturn:
    witness(signatures)
    if fault:
        kill(fault[0], fault[1])
    try:
        publish(data)
    finally:
        sys.stderr.flush()
        os._exit(0)  # what follows is the parent's


def witness(signatures: Path) -> None:
    """Notes every signature before anyone sees it."""
    sign = Publisher._sign

    def noted(publisher: Publisher, head: TreeHead) -> str:
        with signatures.open("a") as file:
            file.write(f"{head.size} {head.root.hex()}\n")
        return sign(publisher, head)

    Publisher._sign = noted  # type: ignore[assignment,method-assign]


def kill(when: str, name: str) -> None:
    """This process, before or after its next call of the named function."""
    module, path = name.split(":")
    *parents, attribute = path.split(".")
    owner: Any = importlib.import_module(module)
    for parent in parents:
        owner = getattr(owner, parent)
    original: Callable[..., Any] = getattr(owner, attribute)

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    @wraps(original)
    def call(*arguments: Any, **named: Any) -> Any:
        if when == "after":
            original(*arguments, **named)
        die()

    @wraps(original)
    async def call_asynchronously(*arguments: Any, **named: Any) -> Any:
        if when == "after":
            await original(*arguments, **named)
        die()

    setattr(owner, attribute, call_asynchronously if inspect.iscoroutinefunction(original) else call)


def say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
