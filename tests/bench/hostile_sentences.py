"""Texts that are no sentences: time of the dearest of 4,096 bytes, suggestions included.

Patterns that repeat words, quotes and values of the language, and as many random mixtures of
them. Each is parsed a few times, and the fastest counts. ``run`` takes the number of mixtures.
"""

from __future__ import annotations

import contextlib
import time
from typing import List, Sequence

from kiro_swarm.commands.errors import SentenceError
from kiro_swarm.commands.parser import parse
from tests.bench.report import Measure
from tests.support.hostile_sentences import hostile

_PASSES = 5


def run(arguments: Sequence[str]) -> List[Measure]:
    """Measures; times are of one text."""
    texts = hostile(int(arguments[0]) if arguments else 300)
    times = sorted(min(_milliseconds(text) for _ in range(_PASSES)) for text in texts)
    return [
        Measure("parse of 4,096 bytes, the dearest", times[-1], "ms", target=2),
        Measure("parse of 4,096 bytes, the median", times[len(times) // 2], "ms"),
    ]


def _milliseconds(text: str) -> float:
    begin = time.process_time()
    with contextlib.suppress(SentenceError):
        parse(text)
    return (time.process_time() - begin) * 1000
