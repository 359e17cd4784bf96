"""The steps of a reconcile, each on its own: one that is refused keeps no other one waiting.

A step is one write, or a read that a decision needs. Called by the reconciles of a KiroSwarm, of
one that is being deleted as well, and of a KiroInstance. Those of a SwarmCommand have rules of
their own (``commands/refused``): they hold each other up, and end.
Guarantees: an error of the API server ends that step and nothing else; it is tried again by
itself, later and later, and at once where the spec has changed; one that is not answered goes
on behind the back of the others, and is not begun a second time meanwhile. What cannot be done
without it asks whether it was taken. Nothing here is needed to decide rightly: a new process
begins without it.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from typing import Callable, Final, Optional, TypeVar

from typing_extensions import Literal, Protocol

from kiro_swarm.cluster import errors
from kiro_swarm.reconcile.engine.unanswered import Bindings, Going

T = TypeVar("T")
#: What hangs on a step: the whole swarm, the work of one task, nobody's work; and of what
#: nobody is to hear, for somebody else tells it.
Weight = Literal["vital", "work", "care", "quiet"]
_ORDER: Final = {"vital": 0, "work": 1, "care": 2, "quiet": 3}
log = logging.getLogger(__name__)

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 30.0
#: Of a server that is not there: it is asked again soon after it has come back.
_NOT_THERE: Final = 5.0
#: Seconds that a server which is there may refuse to serve before people hear of it: it may
#: have been a moment.
_UNTOLD: Final = 5.0
#: Answers that time does not change.
_REFUSALS: Final = (errors.Forbidden, errors.Invalid, errors.NameTaken)
#: How the API server says that our own account lacks a right; other refusals (a quota, a
#: policy, a field) are about the object, and so about whoever wrote the swarm.
_LACKS_RIGHT = re.compile(r'User ".*" cannot \S+ resource')


def is_ours(error: errors.ClusterError) -> bool:
    """Whether an answer of the API server is about the operator and not about the object."""
    return isinstance(error, errors.Forbidden) and bool(
        _LACKS_RIGHT.search(error.message)
    )


class NoAnswer(errors.Unavailable):
    """The API server has not said yet what became of it."""


class Wait(Protocol):
    """Waits for an answer, so many seconds at most."""

    async def __call__(self, answer: asyncio.Future[T], seconds: float) -> None:
        """Return when the answer is there, or nobody waits for it any more."""


async def for_seconds(answer: asyncio.Future[T], seconds: float) -> None:
    """Wait until it is there, or so long."""
    await asyncio.wait({answer}, timeout=seconds)


@dataclass(frozen=True)
class Trouble:
    """A step that could not be taken, as often as it was tried.

    ``what``: words that follow "to". ``since``, ``again``: when it failed first, and when it is
    tried next (monotonic). ``late``: it comes after what is told of the others.
    """

    what: str
    error: errors.ClusterError
    weight: Weight
    since: float
    again: float
    count: int
    generation: int
    late: bool

    @property
    def refused(self) -> bool:
        """Whether waiting alone does not help."""
        return isinstance(self.error, _REFUSALS)


@dataclass
class _Kept:
    """What is remembered of one swarm or instance."""

    bindings: Bindings
    troubles: dict[str, Trouble] = field(default_factory=dict)
    under_way: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)


class StepMemory:
    """The steps of one cluster that could not be taken, and what is not answered yet.

    :param clock: monotonic seconds.
    :param patience: real seconds after which nobody waits for an answer any more.
    :ivar wait: how it is waited for; tests count turns of the loop instead of seconds.
    """

    def __init__(self, clock: Callable[[], float], patience: float = 3.0) -> None:
        self.clock = clock
        self.patience = patience
        self.wait: Wait = for_seconds
        #: When the API server took something last: whether it is away, or refuses this.
        self.answered = float("-inf")
        self.going = Going(clock)
        self._by_uid: dict[str, _Kept] = {}

    def of(self, uid: str) -> _Kept:
        """What is remembered of a swarm or an instance."""
        known = self._by_uid.get(uid)
        if known is None:
            known = self._by_uid[uid] = _Kept(Bindings(self.clock))
        return known

    def told_of(self, uid: str) -> list[Trouble]:
        """What people are to hear of the steps of a swarm or an instance: as ``Steps.told``."""
        known, now = self._by_uid.get(uid), self.clock()
        found = [
            one
            for one in (known.troubles if known else {}).values()
            if one.weight != "quiet" and (one.refused or self.lasts(one, now))
        ]
        return sorted(found, key=lambda one: (_ORDER[one.weight], one.since, one.what))

    def lasts(self, one: Trouble, now: float) -> bool:
        """Whether a server that is there has kept a step from being taken for a while."""
        said = one.error.status or isinstance(one.error, NoAnswer)
        return now - one.since >= _UNTOLD and bool(said or self.answered > one.since)

    def forget(self, uid: str) -> None:
        """The swarm, or whatever else, of this uid is gone."""
        self._by_uid.pop(uid, None)
        self.going.forget(uid)

    def uids(self) -> set[str]:
        """Of what anything is known."""
        return {*self._by_uid, *self.going.uids()}


class Steps:
    """The steps of one reconcile of one swarm.

    :param generation: of its spec: after an edit everything is tried at once.
    :param wake: called when a step that nobody waited for was answered.
    """

    def __init__(
        self,
        step_memory: StepMemory,
        uid: str,
        generation: int,
        wake: Callable[[], None],
    ) -> None:
        self._all, self._mine, self._uid = step_memory, step_memory.of(uid), uid
        self._generation, self._wake = generation, wake
        self._asked: set[str] = set()
        self._waiting: set[str] = set()
        self._spoken: set[str] = set()
        self._told = False

    @property
    def bindings(self) -> Bindings:
        """The bindings of this swarm that may still be carried out."""
        return self._mine.bindings

    async def take(
        self,
        what: str,
        call: Callable[[], Awaitable[T]],
        instead: T,
        *,
        weight: Weight = "care",
    ) -> T:
        """Take a step if it is its time; ``instead`` when it was not taken.

        Raises whatever is no answer of the API server: that is a defect.
        """
        self.want(what)
        if not self.may(what):
            return instead
        known, late = self._mine.troubles.get(what), self._told
        task = asyncio.ensure_future(call())
        slow = known is not None and isinstance(known.error, NoAnswer)
        patience = self._all.patience / 10 if slow else self._all.patience
        try:
            await self._all.wait(task, patience)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if not task.done():
            self._leave(what, task, weight, late=late)
            return instead
        try:
            answer = task.result()
        except errors.ClusterError as error:
            self._failed(what, error, weight, late=late)
            return instead
        self._taken(what)
        return answer

    def want(self, what: str) -> None:
        """A step is wanted, whether it is tried now or not: its trouble is not forgotten, and
        the swarm is looked at again when its pause is over."""
        self._asked.add(what)
        if not self.may(what) and what not in self._mine.under_way:
            self._waiting.add(what)

    def may(self, what: str) -> bool:
        """Whether a step would be tried now: it is not under way, and its pause is over."""
        known = self._mine.troubles.get(what)
        if what in self._mine.under_way:
            return False
        if known is None or known.generation != self._generation:
            return True
        return self._all.clock() >= known.again

    def error(self, what: str) -> Optional[errors.ClusterError]:
        """Why a step was not taken the last time; None: it was, or is not known."""
        known = self._mine.troubles.get(what)
        return None if known is None else known.error

    def hindered(self) -> bool:
        """Whether a step of this reconcile without which the swarm cannot go on failed."""
        return any(
            one.weight == "vital" and one.what in self._asked
            for one in self._mine.troubles.values()
        )

    def troubled(self) -> bool:
        """Whether any step of this swarm could not be taken."""
        return bool(self._mine.troubles)

    def told(self) -> list[Trouble]:
        """What people are to hear of: vital ones first, then as they came.

        What was not asked for before this is forgotten: nobody waits for it. An API server
        that is away cannot be told of, and it passes; so that is told when it has lasted, and
        something got through meanwhile.
        """
        self._drop(late=False)
        self._told = True
        return self._all.told_of(self._uid)

    def is_news(self, text: str) -> bool:
        """Whether this process has not said this yet, or said in between that it is over."""
        self._spoken.add(text)
        return text not in self._mine.told

    def speaks(self, texts: Iterable[str]) -> bool:
        """Say all there is to be said; whether that is something else than before."""
        self._spoken.update(texts)
        return self._spoken != self._mine.told

    def close(self) -> float:
        """End the reconcile; seconds until a step is to be tried or told, or infinite."""
        if self._told:
            self._drop(late=True)
            self._mine.told = self._spoken
        now = self._all.clock()
        waits = [float("inf")]
        for one in self._mine.troubles.values():
            if one.what not in self._asked:
                continue
            if one.what in self._waiting and one.what not in self._mine.under_way:
                waits.append(one.again - now)
            if not one.refused and not self._all.lasts(one, now):
                waits.append(max(one.since + _UNTOLD - now, 1.0))
        return max(0.0, min(waits))

    def _drop(self, *, late: bool) -> None:
        """Forget what was not asked for: it is not wanted any more."""
        mine = self._mine
        for what, one in list(mine.troubles.items()):
            asked = what in self._asked or what in mine.under_way
            if one.late == late and not asked:
                del mine.troubles[what]

    def ours(self) -> list[errors.ClusterError]:
        """What was refused because the operator itself lacks a right."""
        return [
            e for e in (t.error for t in self._mine.troubles.values()) if is_ours(e)
        ]

    def _leave(
        self, what: str, task: asyncio.Future[T], weight: Weight, *, late: bool
    ) -> None:
        """Go on without the answer to a step; it is heard when it comes.

        :param late: whether it was taken after what is told of the others: the answer may come
            when this reconcile is over, which says nothing about that.
        """
        self._mine.under_way.add(what)
        said = NoAnswer("the API server gives no answer")
        self._failed(what, said, weight, late=late)

        def answered(task: asyncio.Future[T]) -> None:
            self._mine.under_way.discard(what)
            if task.cancelled():
                return
            error = task.exception()
            if error is None:
                self._taken(what)
            elif isinstance(error, errors.Unavailable) and not error.status:
                self._failed(what, said, weight, late=late)  # as it was left
            elif isinstance(error, errors.ClusterError):
                self._failed(what, error, weight, late=late)
            else:
                log.error("to %s", what, exc_info=error)
            self._wake()

        task.add_done_callback(answered)

    def _taken(self, what: str) -> None:
        self._all.answered = self._all.clock()
        self._mine.troubles.pop(what, None)

    def _failed(
        self, what: str, error: errors.ClusterError, weight: Weight, *, late: bool
    ) -> None:
        self._waiting.add(what)
        now, known = self._all.clock(), self._mine.troubles.get(what)
        count = 0 if known is None else known.count
        if known is None or str(known.error) != str(error):
            log.log(
                logging.WARNING if isinstance(error, _REFUSALS) else logging.INFO,
                "cannot %s: %s",
                what,
                error,
            )
        # Of what somebody else has written meanwhile the next look knows.
        passes = not error.status or isinstance(error, errors.Conflict)
        longest = _NOT_THERE if passes else _LONGEST_PAUSE
        pause = min(longest, _FIRST_PAUSE * 2.0 ** min(count, 16))
        self._mine.troubles[what] = Trouble(
            what,
            error,
            weight,
            now if known is None else known.since,
            now + max(pause, error.retry_after or 0.0),
            count + 1,
            self._generation,
            late,
        )
