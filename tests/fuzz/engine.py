"""Feeds a parser with texts that nobody would write, until it breaks or time is up.

Called by the driver (tests/fuzz/__main__.py). Texts are made from whole examples and from
pieces of the language by small random changes. A text that shows a new kind of outcome
becomes an example itself, so that the search goes on from there. With one seed the same
texts are tried in the same order.
"""

from __future__ import annotations

import random
import signal
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Callable, Dict, Iterator, List, Optional, Sequence, Union

#: Longest text that is tried, in characters.
LONGEST = 20_000
#: More kinds of outcomes than this are not told apart.
MOST_KINDS = 5_000
#: How often a failing text is tried again to make it shorter.
SHRINKING = 2_000


class TooSlow(Exception):
    """A text took more processor time than any text may."""


@dataclass(frozen=True)
class Target:
    """What is fed. ``check`` names the kind of outcome, or raises for a defect."""

    name: str
    examples: Sequence[str]
    pieces: Sequence[str]
    check: Callable[[str], str]
    #: Longest processor time for one text, in seconds.
    limit: float = 2.0
    #: What all texts may add to the memory of the process, in bytes.
    memory: int = 256 * 1024**2


@dataclass(frozen=True)
class Failure:
    """A text that breaks the target, as short as it was found to be, and how."""

    text: str
    error: str


@dataclass
class Report:
    """How far a search is."""

    inputs: int = 0
    kinds: int = 0
    failure: Optional[Failure] = None


def search(
    target: Target, seconds: float, seed: int, clock: Callable[[], float]
) -> Iterator[Report]:
    """Tries texts for so long; yields the report now and then, and at the end."""
    draw = random.Random(seed)
    report = Report()
    kinds: Dict[str, str] = {}
    pool: List[str] = list(target.examples)
    untried = list(target.examples)
    end = clock() + seconds
    while report.failure is None and clock() < end:
        text = untried.pop(0) if untried else mutated(draw, pool, target.pieces)
        outcome = attempt(target, text)
        report.inputs += 1
        if isinstance(outcome, Failure):
            report.failure = _shorter(target, outcome)
        elif outcome not in kinds and len(kinds) < MOST_KINDS:
            kinds[outcome] = text
            pool.append(text)
            report.kinds = len(kinds)
        if report.inputs % 500 == 0:
            yield report
    yield report


def attempt(target: Target, text: str) -> Union[str, Failure]:
    """The kind of outcome of one text, or the failure."""
    try:
        with _at_most(target.limit):
            return target.check(text)
    except Exception as error:  # noqa: BLE001 (any of them is what is looked for)
        return Failure(text, f"{type(error).__name__}: {error}")


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Raises TooSlow inside, after so much processor time of this process."""

    def stop(number: int, frame: Optional[FrameType]) -> None:
        raise TooSlow(f"more than {seconds} s of processor time")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def mutated(draw: random.Random, pool: Sequence[str], pieces: Sequence[str]) -> str:
    """A new text: an example or a few pieces, changed in one to four ways."""
    if draw.random() < 0.7:
        text = draw.choice(pool)
    else:
        glue = draw.choice((" ", " ", "", "\n"))
        text = glue.join(draw.choice(pieces) for _ in range(draw.randint(0, 8)))
    for _ in range(draw.randint(1, 4)):
        text = draw.choice(_CHANGES)(draw, text, pool, pieces)[:LONGEST]
    return text[:LONGEST]


_Change = Callable[[random.Random, str, Sequence[str], Sequence[str]], str]


def _cut(draw: random.Random, text: str, *_: Sequence[str]) -> str:
    start, end = _span(draw, text)
    return text[:start] + text[end:]


def _repeat(draw: random.Random, text: str, *_: Sequence[str]) -> str:
    start, end = _span(draw, text)
    times = draw.choice((2, 2, 3, 10, 300))
    repeated = text[start:end] * min(times, 1 + LONGEST // max(end - start, 1))
    return text[:start] + repeated + text[end:]


def _swap_case(draw: random.Random, text: str, *_: Sequence[str]) -> str:
    start, end = _span(draw, text)
    return text[:start] + text[start:end].swapcase() + text[end:]


def _insert(
    draw: random.Random, text: str, pool: Sequence[str], pieces: Sequence[str]
) -> str:
    place = draw.randint(0, len(text))
    return text[:place] + draw.choice(pieces) + text[place:]


def _splice(
    draw: random.Random, text: str, pool: Sequence[str], pieces: Sequence[str]
) -> str:
    other = draw.choice(pool)
    return text[: draw.randint(0, len(text))] + other[draw.randint(0, len(other)) :]


def _character(draw: random.Random, text: str, *_: Sequence[str]) -> str:
    """Any character of Unicode, also half of a surrogate pair, in place of one."""
    place = draw.randint(0, len(text))
    top = draw.choice((0x7F, 0x2FFF, sys.maxunicode))
    kept = draw.randint(0, 1)
    return text[:place] + chr(draw.randint(0, top)) + text[place + kept :]


_CHANGES: Sequence[_Change] = (
    _cut,
    _repeat,
    _swap_case,
    _insert,
    _insert,
    _splice,
    _character,
    _character,
)


def _span(draw: random.Random, text: str) -> Sequence[int]:
    return sorted((draw.randint(0, len(text)), draw.randint(0, len(text))))


def _shorter(target: Target, failure: Failure) -> Failure:
    """The same defect with less text: pieces are left out as long as it stays."""
    width = len(failure.text) // 2
    left = SHRINKING
    while width and left and not failure.error.startswith(TooSlow.__name__):
        start, shrunk = 0, False
        while start < len(failure.text) and left:
            left -= 1
            text = failure.text[:start] + failure.text[start + width :]
            outcome = attempt(target, text)
            if isinstance(outcome, Failure):
                failure, shrunk = outcome, True
            else:
                start += width
        width = width if shrunk else width // 2
    return failure
