"""Says what is being done and what is awaited, on stderr.

On a terminal the current step is one line that is rewritten; elsewhere each step is a
line when it begins and a line when it ends, with a line every few seconds in between.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import time
from typing import Callable, Iterator, TextIO

_SIGN_OF_LIFE = 15.0
_REDRAW = 0.1
_GREEN, _RED, _PLAIN = "\033[32m", "\033[31m", "\033[0m"
_CLEAR = "\r\033[K"


class Step:
    """What is being done right now; ``note`` may be called as often as one likes."""

    def __init__(
        self, what: str, stream: TextIO, clock: Callable[[], float], live: bool
    ) -> None:
        self._what = what
        self._stream = stream
        self._clock = clock
        self._live = live
        self._began = self._shown = clock()

    def begin(self) -> None:
        """Shows the step."""
        self._write(f"  {self._what} ..." if self._live else f"{self._what} ...\n")

    def note(self, detail: str = "") -> None:
        """Shows a detail and the time that has passed, if it is time to."""
        now = self._clock()
        if now - self._shown < (_REDRAW if self._live else _SIGN_OF_LIFE):
            return
        self._shown = now
        line = f"  {self._what} ... {self._seconds()}"
        line += f"  {detail}" if detail else ""
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            self._write(_CLEAR + line[:width])
        else:
            self._write(line + "\n")

    def end(self, failed: bool) -> None:
        """Shows how it ended."""
        mark = "failed" if failed else "done"
        if self._live:
            colour = _RED if failed else _GREEN
            mark = f"{colour}{mark}{_PLAIN}"
        lead = f"{_CLEAR}  " if self._live else "  "
        self._write(f"{lead}{self._what}: {mark} in {self._seconds()}\n")

    def _seconds(self) -> str:
        return duration(self._clock() - self._began)

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


class Progress:
    """The display of one command."""

    def __init__(
        self, stream: TextIO = sys.stderr, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._live = stream.isatty()

    @contextlib.contextmanager
    def step(self, what: str) -> Iterator[Step]:
        """A step that ends with the block."""
        step = Step(what, self._stream, self._clock, self._live)
        step.begin()
        failed = True
        try:
            yield step
            failed = False
        finally:
            step.end(failed)

    def say(self, text: str) -> None:
        """One line between steps."""
        self._stream.write(text + "\n")


def duration(seconds: float) -> str:
    """Short and readable: 3.2 s, 4 min 12 s."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"
