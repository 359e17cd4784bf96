"""What an exec keeps of output, and that keeping it is cheap however it comes in."""

from __future__ import annotations

import time
import tracemalloc

from kiro_swarm.sandbox.frames import Stream
from kiro_swarm.sandbox.port import ProcessEnd
from kiro_swarm.sandbox.record import STDOUT_CHARACTERS, TAIL_CHARACTERS, Record

END = ProcessEnd(0, None, "", 0.0, "")


def test_the_tail_and_the_beginning_of_stdout_are_kept_in_order() -> None:
    record, said = Record(None), ""
    for number in range(30_000):
        text = f"{number:06}é"
        said += text
        record.feed(Stream.STDOUT, text.encode())
    record.feed(Stream.STDERR, b"at the end")
    result = record.result(END)
    assert result.tail == (said + "at the end")[-TAIL_CHARACTERS:]
    assert result.stdout == said
    record.feed(Stream.STDOUT, b"x" * STDOUT_CHARACTERS)
    result = record.result(END)
    assert result.stdout == (said + "x" * STDOUT_CHARACTERS)[:STDOUT_CHARACTERS]
    assert result.tail == "x" * TAIL_CHARACTERS


def test_a_letter_costs_the_same_however_much_is_kept_already() -> None:
    record = Record(None)

    def seconds() -> float:
        began = time.process_time()
        for _ in range(10_000):
            record.feed(Stream.STDOUT, letter)
        return time.process_time() - began

    letter = "\U0001f600".encode()
    first = min(seconds() for _ in range(3))
    record.feed(Stream.STDOUT, letter * (STDOUT_CHARACTERS // 2))
    assert min(seconds() for _ in range(3)) < 5 * first


def test_letters_take_little_more_memory_than_text() -> None:
    record, letter = Record(None), "\U0001f600".encode()
    tracemalloc.start()
    try:
        for _ in range(100_000):
            record.feed(Stream.STDOUT, letter)
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert used < 2 * 4 * 100_000 * 2, "four bytes a letter, kept twice, and half spare"
