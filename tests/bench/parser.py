"""Command parser: time per sentence beside bare str.split, and the slowest percent.

20,000 sentences of the language are drawn with a fixed seed, in canonical form and with
synonyms and fillers. Parser and str.split take turns in one process; of each the
fastest pass counts, for what makes a pass slower is the rest of the machine. `run`
takes the number of passes (default 7).
"""

from __future__ import annotations

import gc
import random
import time
from typing import Callable, List, Sequence

from kiro_swarm.commands.parser import parse
from tests.bench.report import Measure

SENTENCES = 20_000
SEED = 20_261

FORMS = (
    "status swarm",
    "status swarm detailed",
    "show me the swarm status",
    "scale instances {number}",
    "scale instances to {number}",
    "scale up instances {number}",
    "scale down instances {number}",
    "run task {number}.{number}",
    "run task user-auth-{number} beast-mode",
    "execute task abc-{number} in beast mode",
    "stop instance demo-{number}",
    "stop instance demo-{number} graceful",
)


def sentences() -> List[str]:
    """The same valid sentences in every run."""
    draw = random.Random(SEED)
    return [
        draw.choice(FORMS).format(number=draw.randint(1, 999)) for _ in range(SENTENCES)
    ]


def run(arguments: Sequence[str]) -> List[Measure]:
    """Measures; times are per sentence."""
    passes = int(arguments[0]) if arguments else 7
    texts = sentences()
    parsing: List[float] = []
    splitting: List[float] = []
    slowest: List[float] = []
    gc.disable()
    try:
        for _ in range(passes):
            parsing.append(_microseconds(parse, texts))
            splitting.append(_microseconds(str.split, texts))
            slowest.append(_percentile_99(texts))
    finally:
        gc.enable()
    ours = min(parsing)
    floor = min(splitting)
    return [
        Measure("parse / str.split", ours / floor, "x", target=20),
        Measure("parse", ours, "us", target=2.5),
        Measure("parse, p99", min(slowest), "us", target=6),
        Measure("str.split", floor, "us"),
        Measure("sentences a second", 1e6 / ours, "/s"),
    ]


def _microseconds(function: Callable[[str], object], texts: Sequence[str]) -> float:
    """Mean processor time of one call over all texts."""
    begin = time.process_time()
    for text in texts:
        function(text)
    return (time.process_time() - begin) / len(texts) * 1e6


def _percentile_99(texts: Sequence[str]) -> float:
    """The time that 99 % of the calls stay under; the clock's own time is in it."""
    times: List[int] = []
    for text in texts:
        begin = time.perf_counter_ns()
        parse(text)
        times.append(time.perf_counter_ns() - begin)
    return sorted(times)[len(times) * 99 // 100] / 1e3
