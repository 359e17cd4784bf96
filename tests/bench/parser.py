"""Command parser: time per sentence beside a generated parser and bare str.split.

20,000 sentences are drawn with a fixed seed: the examples of every row of the table and
what people say instead of them, with other numbers. Our parser, a LALR(1) parser that lark
makes of the same table (generated_parser.py) and str.split take turns in one process. Of
each hundred sentences, and for p99 of each one, the fastest pass counts, for what makes a
pass slower is the rest of the machine. It is checked first that both parsers understand
the sentences as the same. ``run`` takes the number of passes (default 9).
"""

from __future__ import annotations

import gc
import random
import re
import time
from statistics import fmean
from typing import Callable, Iterable, Iterator, List, Sequence

from kiro_swarm.commands.parser import parse
from kiro_swarm.commands.table import COMMANDS
from tests.bench.generated_parser import row_of
from tests.bench.report import Measure

SENTENCES = 20_000
#: The generated parser gets every tenth of them: it would take most of the time.
SHARE = 10
#: So many are timed together.
TOGETHER = 100
SEED = 20_261

#: What people say instead of the examples.
OTHERS = (
    "show me the swarm status",
    "show me the swarm health",
    "execute task abc-1 in beast mode",
    "run task user-auth-1 beast mode",
    "halt all active processes",
    "stop instance demo-1 gracefully",
    "scale the swarm to 5 now",
    "scale up by 3 instances",
    "why is task 2.1 not running",
    "assign task 2.1 to instance demo-1",
    "merge branch swarm/demo/2.1/1 into main",
    "git sync branch feature/parallel-dev-1",
)


def sentences() -> List[str]:
    """The same valid sentences in every run."""
    draw = random.Random(SEED)
    forms = [*(example for row in COMMANDS for example in row.examples), *OTHERS]

    def number(found: re.Match[str]) -> str:
        return str(draw.randint(1, 999))

    return [re.sub("[0-9]+", number, draw.choice(forms)) for _ in range(SENTENCES)]


def run(arguments: Sequence[str]) -> List[Measure]:
    """Measures; times are per sentence."""
    passes = int(arguments[0]) if arguments else 9
    texts = sentences()
    some = texts[::SHARE]
    generated = row_of()
    _check_same(generated, some)
    parsing = [float("inf")] * (SENTENCES // TOGETHER)
    generating = parsing[: len(some) // TOGETHER]
    splitting = parsing[:]
    single = [float("inf")] * SENTENCES
    gc.disable()
    try:
        for _ in range(passes):
            parsing = _faster(parsing, _microseconds(parse, texts))
            generating = _faster(generating, _microseconds(generated, some))
            splitting = _faster(splitting, _microseconds(str.split, texts))
            single = _faster(single, _one_by_one(texts))
    finally:
        gc.enable()
    ours, theirs, floor = fmean(parsing), fmean(generating), fmean(splitting)
    p99 = sorted(single)[len(single) * 99 // 100]
    return [
        Measure("parse / generated parser", ours / theirs, "x", target=0.1),
        Measure("generated parser / parse", theirs / ours, "x"),
        Measure("parse / str.split", ours / floor, "x", target=20),
        Measure("parse", ours, "us", target=2.5),
        Measure("parse, p99", p99, "us", target=6),
        Measure("generated parser", theirs, "us"),
        Measure("str.split", floor, "us"),
        Measure("sentences a second", 1e6 / ours, "/s"),
    ]


def _check_same(generated: Callable[[str], str], texts: Sequence[str]) -> None:
    """Raises ValueError for a sentence that is not of the same row for both."""
    for text in texts:
        ours, theirs = parse(text).command.name, generated(text)
        if ours != theirs:
            raise ValueError(f"{text!r} is {ours!r} and, generated, {theirs!r}")


def _faster(before: Sequence[float], now: Iterable[float]) -> List[float]:
    """The smaller time of each."""
    return [min(pair) for pair in zip(before, now)]


def _microseconds(
    function: Callable[[str], object], texts: Sequence[str]
) -> Iterator[float]:
    """Mean processor time of one call, of each hundred texts."""
    for start in range(0, len(texts), TOGETHER):
        some = texts[start : start + TOGETHER]
        begin = time.process_time()
        for text in some:
            function(text)
        yield (time.process_time() - begin) / TOGETHER * 1e6


def _one_by_one(texts: Sequence[str]) -> Iterator[float]:
    """The time of each call; the clock's own time is in it."""
    for text in texts:
        begin = time.perf_counter_ns()
        parse(text)
        yield (time.perf_counter_ns() - begin) / 1e3
