"""What an executor gets and gives: a Request, and an Outcome made of Effects. Pure.

An executor is a pure function ``decide(request) -> Outcome``: it looks at a swarm as it is
now and says what is left to do. ``reconcile/commands/command.py`` does it, waits, writes the
answer.
Guarantees that follow: a dry run is the same decision without its effects; after a crash the
decision is simply made again; nothing here can write.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Mapping, Optional, Sequence

from typing_extensions import Literal

from kiro_swarm.api.command import DataReference, PartialResult, SwarmCommand
from kiro_swarm.api.kubernetes import KubernetesObject
from kiro_swarm.cluster.resources import AnyResource
from kiro_swarm.commands.action import Action
from kiro_swarm.policy.words import one_line
from kiro_swarm.reconcile.settings import OperatorSettings
from kiro_swarm.reconcile.snapshot.view import View

_MOST_PARTIALS = 64
#: JSON by name.
Data = Mapping[str, object]


@dataclass(frozen=True)
class Pinned:
    """What an executor pinned, as it comes back; false when that was nothing.

    It was written by this operator or one before it: a missing name is an error of ours.
    """

    values: Data

    def __bool__(self) -> bool:
        return bool(self.values)

    def text(self, name: str) -> str:
        """A text."""
        return str(self.values[name])

    def number(self, name: str) -> int:
        """A number."""
        return int(str(self.values[name]))

    def names(self, name: str) -> list[str]:
        """A list of names."""
        found = self.values[name]
        return [str(item) for item in found] if isinstance(found, list) else []

    def texts(self, name: str) -> dict[str, str]:
        """Texts by name."""
        found = self.values[name]
        items = found.items() if isinstance(found, Mapping) else ()
        return {str(key): str(value) for key, value in items}

    def numbers(self, name: str) -> dict[str, int]:
        """Numbers by name: attempts by task."""
        return {key: int(value) for key, value in self.texts(name).items()}


@dataclass(frozen=True)
class Request:
    """One command to one swarm.

    ``uid`` is the SwarmCommand's: whatever an effect creates or asks for is named after it,
    so that a repetition changes nothing. ``pinned`` holds what ``Executor.pin`` returned when
    the command began. ``requester`` is who said it. ``commands`` gives all commands of the swarm,
    which may be thousands, ``health`` the operator's.
    """

    view: View
    action: Action
    name: str
    uid: str
    settings: OperatorSettings
    pinned: Pinned = field(default_factory=lambda: Pinned({}))
    requester: str = ""
    commands: Callable[[], Sequence[SwarmCommand]] = tuple
    health: Callable[[], Sequence[Mapping[str, object]]] = list

    def argument(self, name: str) -> str:
        """An argument of the sentence as text; empty when it was not given."""
        return str(self.action.arguments.get(name, ""))

    def said(self, modifier: str) -> bool:
        """Whether the sentence has this modifier."""
        return modifier in self.action.modifiers


@dataclass(frozen=True)
class Effect:
    """One write: wanted state by value, never a difference.

    ``patch`` and ``patch_status`` are merge patches on ``item`` as it was read: a conflict
    means that the decision is made again. ``delete`` deletes this very ``item``. ``create``
    makes ``body``, which is the ``item`` as well; a name that is taken is the same effect
    of before. ``says`` is what is changed, from what to what, for the answer and the audit
    log: ``kiroswarm/demo: spec.instances 3 -> 5``. Made by ``writes`` alone, which knows
    the type of what is written.
    """

    verb: Literal["patch", "patch_status", "create", "delete"]
    resource: AnyResource
    item: KubernetesObject
    says: str
    body: Mapping[str, object] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the object that is written."""
        return self.item["metadata"]["name"]


@dataclass(frozen=True)
class Partial:
    """The result for one instance or task of a command that is about several."""

    target: str
    done: bool
    success: bool
    message: str = ""

    def to_wire(self) -> PartialResult:
        """As in ``SwarmCommand.status.partialResults``."""
        return {
            "target": self.target,
            "done": self.done,
            "success": self.success,
            "message": one_line(self.message, 256),
        }


@dataclass(frozen=True)
class Outcome:
    """What is left to do, and what can be said now.

    ``success`` None: not finished; the decision is made again when the swarm changes, and
    after ``again_in`` seconds if given. ``message`` is then the progress. Effects are
    carried out in their order before anything is said. ``document`` is text that is too
    long for a status; people find it in a ConfigMap. ``data_ref`` is where a Job has put
    such a text already, as in ``SwarmCommand.status.dataRef``.
    """

    success: Optional[bool]
    message: str
    data: Data = field(default_factory=dict)
    effects: tuple[Effect, ...] = ()
    partial: tuple[Partial, ...] = ()
    document: str = ""
    data_ref: Optional[DataReference] = None
    again_in: Optional[float] = None


Decide = Callable[[Request], Outcome]
Pin = Callable[[Request], Data]


def _nothing_pinned(request: Request) -> Data:
    return {}


@dataclass(frozen=True)
class Executor:
    """What one row of the command table does.

    ``pin`` turns what would change its meaning when it is read again ("three more", "the
    pod that runs now") into values, once, when the command begins; they are recorded in
    ``status.action.parameters`` and come back as ``Request.pinned``. It returns JSON.
    ``makes``: something is made for it although it only looks. ``leaving``: it is about a
    swarm that is being deleted; the others are about one that stays.
    """

    decide: Decide
    pin: Pin = _nothing_pinned
    makes: bool = False
    leaving: bool = False


def failed(message: str, /, **data: object) -> Outcome:
    """The outcome of a command that cannot be done; nothing is changed."""
    return Outcome(False, message, data)


def done(message: str, /, *effects: Effect, **data: object) -> Outcome:
    """The outcome of a command that is done once its effects are."""
    return Outcome(True, message, data, effects)


def gathered(
    partial: Sequence[Partial],
    message: str,
    *,
    effects: Sequence[Effect] = (),
    data: Optional[Data] = None,
    again_in: Optional[float] = None,
) -> Outcome:
    """The outcome of a command to many: finished when every part is.

    It succeeds when each of them does. ``message`` gets the count in front of it.
    """
    finished = sum(part.done for part in partial)
    good = sum(part.done and part.success for part in partial)
    success = None if finished < len(partial) else good == len(partial)
    count = f"{good} of {len(partial)}"
    # What is not done yet, or went wrong, is what people look for.
    shown = sorted(partial, key=lambda part: (part.done, part.success))
    return Outcome(
        success,
        f"{count} {message}",
        data or {},
        tuple(effects),
        tuple(shown[:_MOST_PARTIALS]),
        again_in=again_in,
    )
