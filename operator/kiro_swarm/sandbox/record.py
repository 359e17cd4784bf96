"""What an ``exec`` keeps of the output of its process: text, within bounds.

Used by ``socket`` and ``fake``.
"""

from __future__ import annotations

import codecs
import time
from typing import Optional

from kiro_swarm.sandbox.frames import Stream
from kiro_swarm.sandbox.port import (
    MEBIBYTE,
    ExecResult,
    OnOutput,
    ProcessEnd,
    SessionError,
)

TAIL_CHARACTERS = 64 * 1024
STDOUT_CHARACTERS = 1024 * 1024
#: Pieces of output that are put together.
_PARTS_OF_A_BLOCK = 1000
#: Most output of one `exec`: far above any build's, far below what fills a node's disk.
EXEC_OUTPUT_BYTES = 1024 * MEBIBYTE


class _Kept:
    """Text in parts, put together when it is asked for.

    A process may write a letter at a time: to copy for each what is kept would cost the
    square of the output, and a string for each many times its memory.
    """

    def __init__(self) -> None:
        self._blocks: list[str] = []
        self._parts: list[str] = []
        self.length = 0

    def add(self, text: str) -> None:
        """Keep this as well."""
        self._parts.append(text)
        self.length += len(text)
        if len(self._parts) == _PARTS_OF_A_BLOCK:
            self._blocks.append("".join(self._parts))
            self._parts.clear()

    def cut(self, characters: int) -> None:
        """Keep the last so many characters only."""
        text = self.text()[-characters:]
        self._blocks, self._parts, self.length = [text], [], len(text)

    def text(self) -> str:
        """All that is kept."""
        return "".join(self._blocks + self._parts)


class Record:
    """What came in so far."""

    def __init__(self, on_output: Optional[OnOutput]) -> None:
        self._on_output = on_output
        self._began = time.monotonic()
        self._tail, self._stdout = _Kept(), _Kept()
        decoder = codecs.getincrementaldecoder("utf-8")
        self._decoders = {
            stream: decoder(errors="replace")
            for stream in (Stream.STDOUT, Stream.STDERR)
        }

    def feed(self, stream: Stream, data: bytes, final: bool = False) -> None:
        """Take output in; letters that are parted between chunks stay whole."""
        text = self._decoders[stream].decode(data, final)
        if not text:
            return
        self._tail.add(text)
        if self._tail.length > 2 * TAIL_CHARACTERS:
            self._tail.cut(TAIL_CHARACTERS)
        if stream is Stream.STDOUT and self._stdout.length < STDOUT_CHARACTERS:
            self._stdout.add(text[: STDOUT_CHARACTERS - self._stdout.length])
        if self._on_output is not None:
            self._on_output(stream.name.lower(), text)

    def not_begun(self, error: SessionError) -> ExecResult:
        """The result where nothing was started."""
        return self.result(ProcessEnd(None, None, error.reason, 0.0, str(error)))

    def result(self, end: ProcessEnd) -> ExecResult:
        """The result, with everything that came in."""
        for stream in self._decoders:
            self.feed(stream, b"", final=True)
        return ExecResult(
            exit_code=end.exit_code,
            signal=end.signal,
            reason=end.reason,
            seconds=time.monotonic() - self._began,
            message=end.message,
            tail=self._tail.text()[-TAIL_CHARACTERS:],
            stdout=self._stdout.text(),
        )
