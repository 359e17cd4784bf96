"""What is wrong with the attempts that a swarm made, and how fast they were.

For tests that have a journal (``tests.support.journal``). The functions are pure; those that
judge answer with one sentence for each thing that is wrong.
"""

from __future__ import annotations

from itertools import combinations, permutations
from typing import Dict, Iterable, List, Mapping, Sequence

from tests.support.journal import MERGED, Attempt


def not_merged_once(found: Iterable[Attempt], tasks: Iterable[str]) -> List[str]:
    """Tasks whose attempts are not 1, 2, ..., the last of them alone merged."""
    of: Dict[str, List[Attempt]] = {task: [] for task in tasks}
    for attempt in found:
        of.setdefault(attempt.task, []).append(attempt)
    return [
        f"{task}: {[f'{each.number} {each.outcome}' for each in its]}"
        for task, its in of.items()
        if [each.number for each in its] != list(range(1, len(its) + 1))
        or [each.outcome == MERGED for each in its] != [False] * (len(its) - 1) + [True]
    ]


def begun_early(
    found: Sequence[Attempt], needs: Mapping[str, Iterable[str]]
) -> List[str]:
    """Attempts that were bound before all that their task needs was merged."""
    merges = {each.task: each.ended for each in found if each.outcome == MERGED}
    return [
        f"{attempt} was bound before {needed} was merged"
        for attempt in found
        for needed in needs[attempt.task]
        if needed not in merges or not merges[needed].is_before(attempt.bound)
    ]


def met(found: Iterable[Attempt], tasks: Iterable[str]) -> List[str]:
    """Pairs of attempts at these tasks of which neither had ended when the other began."""
    wanted = set(tasks)
    return [
        f"{one} and {other} at once"
        for one, other in combinations((a for a in found if a.task in wanted), 2)
        if not one.ended.is_before(other.bound) and not other.ended.is_before(one.bound)
    ]


def given_two(found: Iterable[Attempt]) -> List[str]:
    """Pairs of attempts that one instance had at once."""
    return [
        f"{one.instance} had {one} and {other} at once"
        for one, other in combinations(found, 2)
        if one.instance == other.instance
        and not one.left.is_before(other.bound)
        and not other.left.is_before(one.bound)
    ]


def passed_over(found: Iterable[Attempt], urgency: Mapping[str, int]) -> List[str]:
    """First attempts that were ready while a less urgent task was bound instead.

    ``urgency``: task -> a number, the higher the sooner; a task without one is left out.
    Who was bound in the same decision has the same time.
    """
    first = [each for each in found if each.number == 1 and each.task in urgency]
    return [
        f"{waiting} waited while {taken} was bound"
        for taken, waiting in permutations(first, 2)
        if urgency[waiting.task] > urgency[taken.task]
        and waiting.ready.is_before(taken.bound)
        and taken.bound.at < waiting.bound.at
    ]


def bound_during(found: Iterable[Attempt], attempt: Attempt) -> List[str]:
    """The tasks that an instance was given while this attempt was in the air."""
    return [
        other.task
        for other in found
        if attempt.bound.is_before(other.bound) and other.bound.is_before(attempt.ended)
    ]


def begun_without(
    line: Sequence[str],
    merges: Mapping[str, str],
    bases: Mapping[str, str],
    needs: Mapping[str, Iterable[str]],
) -> List[str]:
    """Tasks that were not begun from a head of the branch that has all that they need.

    ``line``: commits of the integration branch along first parents, the oldest first;
    ``merges`` and ``bases``: task -> the commit that merged it, and that it began from.
    """
    place = {commit: number for number, commit in enumerate(line)}
    return [
        f"{task} began from {base[:12]}, where {needed} is not merged"
        for task, base in bases.items()
        for needed in needs[task]
        if not place[merges[needed]] <= place.get(base, -1)
    ]


def busy(found: Sequence[Attempt]) -> float:
    """How many instances had a task, on average over the time that all took."""
    times = [(attempt.left.at - attempt.bound.at).total_seconds() for attempt in found]
    return sum(times) / elapsed(found)


def elapsed(found: Sequence[Attempt]) -> float:
    """Seconds from the first binding to the last end."""
    first = min(attempt.bound.at for attempt in found)
    return (max(attempt.ended.at for attempt in found) - first).total_seconds()
