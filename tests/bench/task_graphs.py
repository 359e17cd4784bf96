"""Seeded task graphs of the families of the Standard Task Graph set.

Used by tests/bench/schedule.py. The families follow the published rules of how that set
(Kasahara laboratory, Waseda University) and its relatives were generated:

* ``sameprob``: every pair of tasks (earlier, later) is an edge with one probability;
* ``samepred``: every task has about the same number of predecessors, drawn from all before;
* ``layrprob``: tasks lie in layers, pairs of neighbouring layers are edges by probability;
* ``layrpred``: the same with about the same number of predecessors;
* ``fanin_fanout``: grown by turns that let one task fan out and several join in one.

Times of tasks are integers and uniform, normal, exponential or of two kinds.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Callable, Dict, List, Sequence

Edges = List[List[int]]


@dataclass(frozen=True)
class Problem:
    """Who waits for whom (earlier numbers only), how long each takes, on how many."""

    name: str
    needed: Edges
    seconds: List[int]
    instances: int


def problem(seed: int) -> Problem:
    """The same problem for the same seed: 20 to 60 tasks on 2 to 8 instances.

    Every other one is hard: as many instances as the graph can just keep busy, where a
    schedule has both to choose well and to fill gaps.
    """
    draw = random.Random(seed)
    count = draw.randint(20, 60)
    family = sorted(FAMILIES)[seed % len(FAMILIES)]
    kind = sorted(TIMES)[seed // len(FAMILIES) % len(TIMES)]
    needed = FAMILIES[family](draw, count)
    seconds = [max(1, round(TIMES[kind](draw))) for _ in range(count)]
    instances = draw.choice((2, 3, 4, 6, 8))
    if seed % 2:
        most = sum(seconds) / longest_chain(needed, seconds)
        instances = min(8, max(2, round(most * draw.uniform(0.85, 1.15))))
    return Problem(f"{family} {kind} {seed}", needed, seconds, instances)


def longest_chain(needed: Sequence[Sequence[int]], seconds: Sequence[float]) -> float:
    """Seconds that no number of instances can go below."""
    ends: List[float] = []
    for task, before in enumerate(needed):
        ends.append(seconds[task] + max((ends[other] for other in before), default=0))
    return max(ends)


def many(draw: random.Random, count: int) -> Edges:
    """A large sparse graph: about three dependencies a task, on what is not far above."""
    return [
        (
            sorted({draw.randrange(max(0, task - 500), task) for _ in range(3)})
            if task
            else []
        )
        for task in range(count)
    ]


def _same_probability(draw: random.Random, count: int) -> Edges:
    chance = draw.choice((0.03, 0.06, 0.12))
    return [[n for n in range(task) if draw.random() < chance] for task in range(count)]


def _same_predecessors(draw: random.Random, count: int) -> Edges:
    mean = draw.choice((1, 2, 3))
    return [
        sorted(draw.sample(range(task), min(task, draw.randint(0, 2 * mean))))
        for task in range(count)
    ]


def _layers(draw: random.Random, count: int) -> List[List[int]]:
    width = draw.randint(3, 10)
    layers: List[List[int]] = [[]]
    for task in range(count):
        if len(layers[-1]) >= draw.randint(1, 2 * width - 1):
            layers.append([])
        layers[-1].append(task)
    return layers


def _layer_probability(draw: random.Random, count: int) -> Edges:
    chance = draw.choice((0.1, 0.25, 0.5))
    before: List[int] = []
    needed: Edges = []
    for layer in _layers(draw, count):
        needed += [[n for n in before if draw.random() < chance] for _ in layer]
        before = layer
    return needed


def _layer_predecessors(draw: random.Random, count: int) -> Edges:
    mean = draw.choice((1, 2, 3))
    before: List[int] = []
    needed: Edges = []
    for layer in _layers(draw, count):
        for _ in layer:
            number = min(len(before), draw.randint(1, 2 * mean - 1))
            needed.append(sorted(draw.sample(before, number)))
        before = layer
    return needed


def _fan_in_fan_out(draw: random.Random, count: int) -> Edges:
    most = draw.randint(2, 6)
    needed: Edges = [[]]
    ends = [0]
    while len(needed) < count:
        if draw.random() < 0.5 or len(ends) < 2:
            source = draw.choice(ends)
            ends.remove(source)
            for _ in range(min(draw.randint(1, most), count - len(needed))):
                ends.append(len(needed))
                needed.append([source])
        else:
            joined = sorted(draw.sample(ends, min(len(ends), draw.randint(2, most))))
            ends = [task for task in ends if task not in joined]
            ends.append(len(needed))
            needed.append(joined)
    return needed


FAMILIES: Dict[str, Callable[[random.Random, int], Edges]] = {
    "sameprob": _same_probability,
    "samepred": _same_predecessors,
    "layrprob": _layer_probability,
    "layrpred": _layer_predecessors,
    "fanin_fanout": _fan_in_fan_out,
}
TIMES: Dict[str, Callable[[random.Random], float]] = {
    "uniform": lambda draw: draw.uniform(1, 100),
    "normal": lambda draw: draw.gauss(50, 15),
    "exponential": lambda draw: draw.expovariate(1 / 40),
    "two kinds": lambda draw: draw.choice((10, 10, 10, 90)) + draw.uniform(-5, 5),
}
