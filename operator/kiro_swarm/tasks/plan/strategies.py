"""How a swarm hands out its tasks: four small policies behind one shape.

Used by ``schedule`` and ``ready``. A strategy says two things: which of the ready tasks of
one priority goes first, and which of the instances that could have it gets it. What no
strategy can change is decided in ``schedule``: who may have a task at all, a person's
assignment and priority, overlapping files, fairness.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

Key = tuple[float, ...]


@dataclass(frozen=True)
class ReadyTask:
    """A task that nothing holds back.

    ``order``: its position in the file. ``assigned_to``: name of the only instance that
    may have it, or empty for any. ``capabilities``: what an instance must be able to do.
    ``last``: optional, so it comes after others of its priority
    (``TaskGraph.only_for_optional``). ``waited``: seconds since it became ready.
    ``stumbled``: its agent could not begin the last time, so everybody else is tried first.
    """

    id: str
    order: int
    priority: int = 0
    files: tuple[str, ...] = ()
    assigned_to: str = ""
    capabilities: frozenset[str] = frozenset()
    last: bool = False
    waited: float = 0.0
    stumbled: bool = False


@dataclass(frozen=True)
class IdleInstance:
    """An instance without a task.

    ``index``: its number. ``assigned``: tasks it has had; ``load``: seconds of work it has
    had. ``speed``: measured, 1 is as fast as the others, 2 takes half their time.
    """

    name: str
    index: int
    assigned: int = 0
    load: float = 0.0
    capabilities: frozenset[str] = frozenset()
    speed: float = 1.0


@dataclass(frozen=True)
class Strategy:
    """One policy; the smaller key goes first.

    ``urgency`` of a task and its rank (seconds of the longest chain that begins with it);
    ``preference`` of a task for an instance that may have it.
    """

    name: str
    urgency: Callable[[ReadyTask, float], Key]
    preference: Callable[[ReadyTask, IdleInstance], Key]


def _longest_chain(task: ReadyTask, rank: float) -> Key:
    return (-rank, task.order)


def _hardest_to_place(task: ReadyTask, rank: float) -> Key:
    return (-len(task.capabilities), -rank, task.order)


def _file_order(task: ReadyTask, rank: float) -> Key:
    return (task.order,)


def _slowness(instance: IdleInstance) -> int:
    """Speed in steps of 19 %: what is nearer than that may be chance."""
    return -round(4 * math.log2(max(instance.speed, 1e-3)))


def _spare(task: ReadyTask, instance: IdleInstance) -> int:
    """What the instance could do beyond this task: it may be needed for another."""
    return len(instance.capabilities - task.capabilities)


def _fastest(task: ReadyTask, instance: IdleInstance) -> Key:
    spare, slowness = _spare(task, instance), _slowness(instance)
    return (slowness, spare, instance.assigned, instance.index)


def _least_loaded(task: ReadyTask, instance: IdleInstance) -> Key:
    return (instance.load, instance.assigned, _spare(task, instance), instance.index)


def _best_fitting(task: ReadyTask, instance: IdleInstance) -> Key:
    spare, slowness = _spare(task, instance), _slowness(instance)
    return (spare, slowness, instance.assigned, instance.index)


def _whose_turn(task: ReadyTask, instance: IdleInstance) -> Key:
    return (instance.assigned, instance.index)


#: The longest chain of work first, on the fastest instance.
DEPENDENCY_AWARE: Final = Strategy("DependencyAware", _longest_chain, _fastest)
#: The longest chain first, on the instance that has worked least.
LOAD_BALANCED: Final = Strategy("LoadBalanced", _longest_chain, _least_loaded)
#: What the fewest can do first, on the instance that can do the least else.
CAPABILITY_BASED: Final = Strategy("CapabilityBased", _hardest_to_place, _best_fitting)
#: In the order of the file, the instances in turn.
ROUND_ROBIN: Final = Strategy("RoundRobin", _file_order, _whose_turn)

STRATEGIES: Final[dict[str, Strategy]] = {
    strategy.name: strategy
    for strategy in (DEPENDENCY_AWARE, LOAD_BALANCED, CAPABILITY_BASED, ROUND_ROBIN)
}
