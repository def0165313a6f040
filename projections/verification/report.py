"""What the verifier says while it works: one line per step, each with what the step proves."""

from typing import Protocol

from registry.text import Text


class Report(Protocol):
    """Where the steps are told; the command prints them, a test collects them."""

    def step(self, text: Text) -> None:
        """The next step of the proof holds; ``text`` says what that proves."""
        ...

    def remark(self, text: Text) -> None:
        """Something that the reader must know and that is not a proof: what was not checked, and why."""
        ...

    def progress(self, done: int, total: int) -> None:
        """``done`` of ``total`` leaves have been fetched."""
        ...
