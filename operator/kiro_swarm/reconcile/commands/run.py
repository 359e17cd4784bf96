"""One command being worked on: what every step of it needs, as one object.

Made by the command reconcile and handed down to what records, waits and answers. It holds
nothing that is not in the command, the swarm or the means of the operator: who is killed
makes it anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Optional

from kiro_swarm.api.access import spec_of, status_of
from kiro_swarm.api.command import SwarmCommand, SwarmCommandSpec, SwarmCommandStatus
from kiro_swarm.api.swarm_status import KiroSwarm
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.resources import COMMANDS, SWARMS
from kiro_swarm.commands.action import Action
from kiro_swarm.policy.ownership import said_to
from kiro_swarm.reconcile.commands.executors.plan import (
    Data,
    Executor,
    Outcome,
    Pinned,
    Request,
)
from kiro_swarm.reconcile.engine.command_facts import (
    is_change,
    phase_of,
    requester_of,
)
from kiro_swarm.reconcile.engine.context import Context, Key
from kiro_swarm.reconcile.engine.turns import in_turns
from kiro_swarm.reconcile.snapshot.board import filling
from kiro_swarm.reconcile.snapshot.view import View, look
from kiro_swarm.reconcile.tasks.promised import with_promised


@dataclass
class CommandRun:
    """``command``: as it was written last. ``action``: what the sentence means; None until
    that is known. ``view``: its swarm; None until its turn has come: what ends before that
    is in no audit log. ``pinned``: what its executor pinned when it began; None before.
    ``since``: when this look at it began (monotonic). ``unwritten``: whether its own status
    could not be written.
    """

    ctx: Context
    key: Key
    command: SwarmCommand
    action: Optional[Action] = None
    view: Optional[View] = None
    pinned: Optional[Data] = None
    since: float = field(init=False)
    unwritten: bool = False

    def __post_init__(self) -> None:
        self.since = self.ctx.monotonic()

    @property
    def spec(self) -> SwarmCommandSpec:
        """What was asked for."""
        return self.command["spec"]

    @property
    def status(self) -> SwarmCommandStatus:
        """Its status as it was written last."""
        return status_of(self.command)

    @property
    def now(self) -> datetime:
        """The time."""
        return self.ctx.now()

    @property
    def sentence(self) -> str:
        """The sentence as it is understood."""
        return "not understood" if self.action is None else self.action.normalized

    @property
    def begun(self) -> bool:
        """Whether what it is going to change is recorded."""
        return phase_of(self.command) == "Running"

    @property
    def dry(self) -> bool:
        """Whether it is a dry run."""
        return bool(self.spec.get("dryRun"))

    @property
    def changing(self) -> bool:
        """Whether it may change anything."""
        return self.action is not None and is_change(self.command["spec"], self.action)

    @property
    def swarm(self) -> Optional[KiroSwarm]:
        """The KiroSwarm whose audit log it goes into; None: into none."""
        return None if self.view is None else self.view.swarm

    @property
    def swarm_there(self) -> bool:
        """Whether the KiroSwarm that it is said to is known."""
        return self._named() is not None

    @property
    def said_to_another(self) -> bool:
        """Whether it was said to an earlier swarm of the name, which is gone."""
        swarm = self._named()
        return swarm is not None and not said_to(self.command, swarm)

    def is_for_the_same(self, other: SwarmCommand) -> bool:
        """Whether another command was said to the swarm that is there now."""
        swarm = self._named()
        return swarm is not None and said_to(other, swarm)

    def _named(self) -> Optional[KiroSwarm]:
        return self.ctx.cache.get(SWARMS, self.key.namespace, self.spec["swarm"])

    @property
    def seconds_left(self) -> float:
        """How much of its time is left; all of it before it has begun."""
        limit = int(self.spec.get("timeoutSeconds") or 600)
        return self._left_of(limit, self.status.get("startedAt"))

    def seconds_kept(self, ttl: int) -> float:
        """How long it still stays after its answer."""
        return self._left_of(ttl, self.status.get("finishedAt"))

    def _left_of(self, limit: int, since: Optional[str]) -> float:
        uid = self.command["metadata"]["uid"]
        return self.ctx.elapsed.left(uid, since, limit, self.now)

    async def write(self, status: SwarmCommandStatus) -> None:
        """Write its status.

        Raises errors.ClusterError: it cannot be written, and ``unwritten`` says so.
        """
        try:
            self.command = await self.ctx.patch_status(COMMANDS, self.command, status)
        except errors.ClusterError:
            self.unwritten = True
            raise
        written = self.status
        self._left_of(0, written.get("finishedAt") or written.get("startedAt"))

    def look_again(self, leaving: bool) -> bool:
        """Look at its swarm as it is now; False where there is none any more."""
        view = self.look(leaving)
        if view is not None:
            self.view = view
        return view is not None

    async def gather(self) -> None:
        """Have what its swarm is looked at by, in a process that has just begun."""
        swarm = self._named()
        if swarm is not None:
            await in_turns(filling(self.ctx.cache, swarm))

    @property
    def is_leaving(self) -> bool:
        """Whether its swarm is being deleted."""
        swarm = self._named()
        return swarm is not None and bool(swarm["metadata"].get("deletionTimestamp"))

    def look(self, leaving: bool = False) -> Optional[View]:
        """Its swarm as it is now; None where there is none.

        Another one of the name is not its swarm, and one that is being deleted only where
        it is asked for as ``leaving``.
        """
        swarm = self._named()
        if swarm is None or (self.is_leaving and not leaving):
            return None
        if not said_to(self.command, swarm):
            return None
        spec = spec_of(swarm)
        if spec is None:
            return None
        seen = look(self.ctx.cache, swarm, spec, self.now)
        return with_promised(self.ctx, seen)

    def decide(self, executor: Executor) -> Outcome:
        """What is left to do; what the sentence means is pinned the first time."""
        request = self._request()
        if self.pinned is None and self.begun:
            recorded = self.status.get("action")
            self.pinned = recorded.get("parameters", {}) if recorded else {}
        elif self.pinned is None:
            self.pinned = executor.pin(request)
        return executor.decide(replace(request, pinned=Pinned(self.pinned)))

    def _commands_of(self, view: View) -> list[SwarmCommand]:
        """All that was said to its swarm."""
        known = self.ctx.cache.of_swarm(COMMANDS, view.namespace, view.name)
        return [command for command in known if said_to(command, view.swarm)]

    def _request(self) -> Request:
        action, view = self.action, self.view
        assert action is not None  # noqa: S101 - who decides has understood
        assert view is not None  # noqa: S101 - and the turn has come
        return Request(
            view=view,
            action=action,
            name=self.key.name,
            uid=self.command["metadata"]["uid"],
            settings=self.ctx.settings,
            requester=requester_of(self.spec),
            commands=partial(self._commands_of, view),
            health=self.ctx.health,
        )
