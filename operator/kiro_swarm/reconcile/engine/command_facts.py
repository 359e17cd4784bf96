"""What a SwarmCommand says of itself: how far it is, what it may change, for whom it speaks.

Pure. Asked by the backlog, the command reconcile and whatever else decides by commands.
"""

from __future__ import annotations

from typing import Optional

from kiro_swarm.api.access import status_of
from kiro_swarm.api.command import SwarmCommand, SwarmCommandSpec
from kiro_swarm.commands.action import Action
from kiro_swarm.commands.errors import SentenceError
from kiro_swarm.commands.parser import first_permission, read
from kiro_swarm.policy.conditions import find

FINISHED = frozenset({"Succeeded", "Failed", "Rejected", "Cancelled"})
#: Reason of a Running command that is still changing things, and of one that has.
WORKING, WAITING = "Working", "Waiting"
#: Permission of sentences that change nothing.
LOOK = "get"
#: Condition of an answered command: False while the audit log has no line of it.
LOGGED = "Logged"
#: Sentences that only look and that a Job is made for.
LOOKED_UP = frozenset({"diff task", "log task"})
#: Permissions of what ends work: nobody who is stuck may keep it from being done.
_HALTING = frozenset({"stop", "pause"})
_URGENT = _HALTING | {"cancel"}
#: Permissions of what starts work: not to be done after what was said later to end it.
STARTING = frozenset({"run", "resume", "retry", "restart"})

#: What a recorded change says of a command that was passed over.
OVERTAKEN = "overtaken"

#: What a correlation id is taken for: the id, by whom, dry or not, looking or not.
Scope = tuple[str, str, bool, bool]
#: What a sentence is about: kind and name of one object; None: all of the swarm.
Target = Optional[tuple[str, str]]


def creation_version(command: SwarmCommand) -> Optional[int]:
    """Version of a command at its creation; None: nobody knows it.

    An older release has written into it, or somebody who labels what he finds; or it was brought
    back from a backup, with what another store said of it.
    """
    metadata, status = command["metadata"], status_of(command)
    version = int(metadata.get("resourceVersion") or 0)
    if not status:
        return None if written_since(command) else version
    recorded = status.get("creationVersion")
    known = None if recorded is None else int(recorded)
    return None if known is None or known > version else known


def written_since(command: SwarmCommand) -> bool:
    """Whether anybody has written into a command without a status since its creation.

    The API server keeps one entry for the creation, of a time that is not after it, and one for
    each other writer.
    """
    metadata = command["metadata"]
    entries = metadata.get("managedFields") or []
    created = metadata.get("creationTimestamp") or ""
    times = [entry.get("time") or "" for entry in entries if isinstance(entry, dict)]
    if metadata.get("deletionTimestamp") or len(entries) > 1:
        return True
    return any(str(time) > created for time in times)


def phase_of(command: SwarmCommand) -> str:
    """Phase of a command; one without a status is pending."""
    return str(status_of(command).get("phase") or "Pending")


def is_waiting(command: SwarmCommand) -> bool:
    """Whether a command has done what it does and only waits for the outcome."""
    status = status_of(command)
    return status.get("phase") == "Running" and status.get("reason") == WAITING


def is_working(command: SwarmCommand) -> bool:
    """Whether a command has recorded what it changes, and is at it."""
    status = status_of(command)
    return status.get("phase") == "Running" and status.get("reason") == WORKING


def unlogged(command: SwarmCommand) -> bool:
    """Whether a command is answered and the audit log has still to tell of it.

    It was cancelled after it had changed something, so that its own answer, which would
    have told, was never written; or the log could not be written then.
    """
    status = status_of(command)
    if phase_of(command) not in FINISHED or status.get("audit"):
        return False
    logged = find(status.get("conditions") or [], LOGGED)
    if logged is not None:
        return logged["status"] == "False"
    return status.get("phase") == "Cancelled" and bool(status.get("changes"))


def is_urgent(command: SwarmCommand) -> bool:
    """Whether a command waits for nobody who is stuck."""
    return first_permission(command["spec"]["command"]) in _URGENT


def flow_of(command: SwarmCommand) -> str:
    """Whose a command is: one requester's many wait for each other, not others for them.

    What ends work has a place of its own beside what the same person said before.
    """
    spec, urgent = command["spec"], is_urgent(command)
    who = spec.get("requestedBy") or ""
    return f"{command['metadata']['namespace']}/{who}/{'urgent' if urgent else ''}"


def may_change(spec: SwarmCommandSpec) -> bool:
    """Whether the sentence of a command may change anything."""
    try:
        return is_change(spec, read(str(spec["command"])))
    except SentenceError:
        return False


def is_change(spec: SwarmCommandSpec, action: Action) -> bool:
    """The same for a sentence that is parsed already."""
    return action.permission != LOOK and not spec.get("dryRun")


def looks_up(spec: SwarmCommandSpec) -> bool:
    """Whether a Job is made for a sentence that only looks: one may wait for another."""
    try:
        action = read(str(spec["command"]))
    except SentenceError:
        return False
    return action.command.name in LOOKED_UP and not spec.get("dryRun")


def scope_of(spec: SwarmCommandSpec, changes: bool) -> Optional[Scope]:
    """For which requests a correlation id stands; None without one.

    Who may only look, or tries dry, takes no id away from who changes something, nor does
    another person: it may be that he knows it and is not allowed to say the sentence.
    """
    wanted = spec.get("correlationId")
    if not wanted:
        return None
    return str(wanted), requester_of(spec), bool(spec.get("dryRun")), changes


def target_of(spec: SwarmCommandSpec) -> Target:
    """The one object that a sentence is about; None: all of the swarm, or nobody knows."""
    try:
        action = read(str(spec["command"]))
    except SentenceError:
        return None
    names = [str(value) for value in action.arguments.values()]
    return (action.noun, names[0]) if len(names) == 1 else None


def has_halted(command: SwarmCommand) -> bool:
    """Whether a command has ended work, or is at it."""
    status = status_of(command)
    action = status.get("action")
    made = bool(status.get("changes")) and not command["spec"].get("dryRun")
    return made and action is not None and action.get("permission") in _HALTING


def requester_of(spec: SwarmCommandSpec) -> str:
    """Who gave a command; empty: nobody in particular."""
    return str(spec.get("requestedBy") or "")


def overtaken_names(command: SwarmCommand) -> list[str]:
    """Names of the commands that one has recorded to have passed."""
    return [
        change["object"].split("/", 1)[1]
        for change in status_of(command).get("changes") or []
        if change.get("after") == OVERTAKEN
        and change.get("object", "").startswith("swarmcommand/")
    ]


def is_proof(command: SwarmCommand) -> bool:
    """Whether others are not carried out any more because of a command."""
    return has_halted(command) or bool(overtaken_names(command))
