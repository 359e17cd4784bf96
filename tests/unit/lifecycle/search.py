"""An explicit-state search: every state that can be reached, and what is wrong with one.

Breadth first, so that the way to a fault is a shortest one. Knows nothing of tasks: a model
says what the first state is, what may happen in one, and what must hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import (
    Dict,
    Iterable,
    Iterator,
    List,
    Optional,
    Protocol,
    Tuple,
    TypeVar,
)

State = TypeVar("State")


class Model(Protocol[State]):
    """What is searched. ``Violation`` raised by ``steps`` is one of the step itself."""

    def first(self) -> State:
        """Where it begins."""
        ...

    def steps(self, state: State) -> Iterable[Tuple[str, State]]:
        """Everything that may happen next, with a name for people."""
        ...

    def wrong(self, state: State) -> Optional[str]:
        """What must not be in a state, or None."""
        ...

    def final(self, state: State) -> bool:
        """Whether all is done."""
        ...


class Violation(Exception):
    """A step does what must not be done."""


@dataclass(frozen=True)
class Found:
    """What a search has found: how much it saw, and the first fault with its way."""

    states: int
    steps: int
    fault: str = ""
    way: Tuple[str, ...] = ()


def search(model: Model[State], most: int = 5_000_000) -> Found:
    """All that can be reached from the first state, or up to the first fault.

    Beside what the model calls wrong, it is a fault if from some state the end cannot be
    reached any more, whatever happens: a deadlock, or a circle without a way out.
    """
    first = model.first()
    came: Dict[State, Tuple[Optional[State], str]] = {first: (None, "")}
    back: Dict[State, List[State]] = {}
    ends: List[State] = []
    line, count = [first], 0
    for state in line:
        fault = model.wrong(state)
        if fault:
            return Found(len(came), count, fault, tuple(_way(came, state)))
        if model.final(state):
            ends.append(state)
        try:
            for name, after in model.steps(state):
                count += 1
                if after not in came:
                    came[after] = (state, name)
                    line.append(after)
                back.setdefault(after, []).append(state)
        except Violation as violation:
            return Found(len(came), count, str(violation), tuple(_way(came, state)))
        if len(came) > most:
            raise RuntimeError(f"more than {most} states")
    stuck = _cannot_end(came, back, ends)
    if stuck is not None:
        way = tuple(_way(came, stuck))
        return Found(len(came), count, "the end cannot be reached any more", way)
    return Found(len(came), count)


def _cannot_end(
    came: Dict[State, Tuple[Optional[State], str]],
    back: Dict[State, List[State]],
    ends: List[State],
) -> Optional[State]:
    good, line = set(ends), list(ends)
    for state in line:
        for before in back.get(state, ()):
            if before not in good:
                good.add(before)
                line.append(before)
    return next((state for state in came if state not in good), None)


def _way(
    came: Dict[State, Tuple[Optional[State], str]], state: Optional[State]
) -> Iterator[str]:
    names = []
    while state is not None:
        state, name = came[state]
        names.append(name)
    return reversed(names[:-1])
