"""The reasons that an edge may give by itself, and whose fault an end was.

A runner and the integrate Job give more: what they found, in a word of their own.
"""

from __future__ import annotations

from typing import Final

from kiro_swarm.policy.volume import FULL

TICKED: Final = "Ticked"
#: It is on the integration branch, of a KiroTask of before.
MERGED_BEFORE: Final = "MergedBefore"
DEFERRED: Final = "Deferred"
OPTIONAL: Final = "Optional"
RUN_REQUESTED: Final = "RunRequested"
AGENT_STARTED: Final = "AgentStarted"
CHECKED: Final = "Checked"
INSTANCE_LOST: Final = "InstanceLost"
#: The pod went over a limit of its own, for what the agent wrote outside of the volume; or
#: the attempt alone has taken more than half of the volume.
SCRATCH_FULL: Final = "ScratchFull"
#: The operator took the task from a slow instance: see ``reconcile/tasks/slow.py``.
SLOW: Final = "InstanceSlow"
CANCELLED: Final = "Cancelled"
REASSIGNED: Final = "Reassigned"
REJECTED: Final = "Rejected"
STOPPED: Final = "Stopped"
#: git or the volume failed under the runner, or the agent container was of no use.
WORKSPACE_FAILED: Final = "WorkspaceFailed"
#: The swarm's volume has no room for the attempt, and it is not the attempt that has it.
VOLUME_FULL: Final = FULL
AGENT_UNAVAILABLE: Final = "AgentUnavailable"
#: The program of the template is not in the image, or cannot be executed.
AGENT_NOT_RUNNABLE: Final = "AgentNotRunnable"
#: The command of the template ended as a shell does that finds no such program, and left nothing.
#: A program may end like that by itself, so there is an end to it.
AGENT_PROGRAM_MISSING: Final = "AgentProgramMissing"
#: The status of a Done task is none that a runner has written: somebody edited it.
STATUS_INVALID: Final = "StatusInvalid"

#: Not the agent's fault: the attempt does not count against ``maxAttempts``.
NO_FAULT: Final = frozenset(
    {
        *(INSTANCE_LOST, "RunnerStopped", "RunnerRestarted", STATUS_INVALID),
        *(WORKSPACE_FAILED, AGENT_UNAVAILABLE, AGENT_NOT_RUNNABLE, VOLUME_FULL),
        AGENT_PROGRAM_MISSING,
    }
)
#: It seems that the template's program is missing: a task like that is given out after all others.
COULD_NOT_BEGIN: Final = frozenset({AGENT_NOT_RUNNABLE, AGENT_PROGRAM_MISSING})
#: Only who wrote the template can mend it: the attempt counts against no limit at all. What
#: keeps it from being tried again at once is that the pod is replaced, after a pause that grows.
OF_THE_TEMPLATE: Final = frozenset({AGENT_NOT_RUNNABLE})
#: Ends with ``AGENT_PROGRAM_MISSING`` that count against nothing, since a person last asked for
#: another try: with those pauses some hours, in which a person can act. After them it counts as
#: what is nobody's fault does. No other free end has an end, so this has the only allowance.
MOST_FORGIVEN: Final = 48
#: Even innocent attempts end somewhere: a task that kills every instance must not loop.
NO_FAULT_FACTOR: Final = 5
#: A person ended the attempt: it counts against no limit at all.
BY_PERSON: Final = frozenset({CANCELLED, REASSIGNED, REJECTED, STOPPED})
