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
#: Most output of one `exec`: far above any build's, far below what fills a node's disk.
EXEC_OUTPUT_BYTES = 1024 * MEBIBYTE


class Record:
    """What came in so far."""

    def __init__(self, on_output: Optional[OnOutput]) -> None:
        self._on_output = on_output
        self._began = time.monotonic()
        self._tail = ""
        self._stdout = ""
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
        self._tail = (self._tail + text)[-TAIL_CHARACTERS:]
        if stream is Stream.STDOUT and len(self._stdout) < STDOUT_CHARACTERS:
            self._stdout += text[: STDOUT_CHARACTERS - len(self._stdout)]
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
            tail=self._tail,
            stdout=self._stdout,
        )
