"""What each sentence does: one pure function for each row of the command table.

``EXECUTORS`` finds it by the row's name. Called by ``reconcile/commands/command.py``; the types and
what they promise are in ``plan.py``, the rest is by subject.
"""

from __future__ import annotations

from kiro_swarm.reconcile.commands.executors import (
    assign,
    commands,
    conflicts,
    diagnostics,
    everything,
    inspect,
    instances,
    look,
    merge,
    rescue,
    restart,
    retry,
    review,
    sync,
    tasks,
)
from kiro_swarm.reconcile.commands.executors.plan import Executor

EXECUTORS: dict[str, Executor] = {
    "status swarm": Executor(look.status_swarm),
    "status task": Executor(look.status_task),
    "status instance": Executor(look.status_instance),
    "explain task": Executor(look.explain_task),
    "diff task": Executor(inspect.show, makes=True),
    "log task": Executor(inspect.show, makes=True),
    "run task": Executor(tasks.run_task, tasks.pin_run),
    "stop task": Executor(tasks.stop_task, tasks.pin_stop),
    "pause task": Executor(tasks.pause_task),
    "resume task": Executor(tasks.resume_task),
    "assign task": Executor(assign.assign_task),
    "unassign task": Executor(assign.unassign_task),
    "reassign tasks": Executor(assign.reassign_tasks, assign.pin_reassign),
    "cancel task": Executor(retry.cancel_task, retry.pin_cancel),
    "retry task": Executor(retry.retry_task),
    "retry failed tasks": Executor(retry.retry_failed),
    "approve task": Executor(review.approve_task, review.pin),
    "reject task": Executor(review.reject_task, review.pin),
    "scale instances": Executor(instances.scale, instances.pin_scale),
    "scale swarm": Executor(instances.scale, instances.pin_scale),
    "scale up instances": Executor(instances.scale, instances.pin_scale),
    "scale down instances": Executor(instances.scale, instances.pin_scale),
    "stop instance": Executor(instances.stop_instance, instances.pin_stop),
    "pause instance": Executor(instances.pause_instance),
    "resume instance": Executor(instances.resume_instance),
    "restart instance": Executor(restart.restart_instance, restart.pin),
    "stop all tasks": Executor(everything.stop_all, everything.pin_stop_all),
    "pause swarm": Executor(everything.pause_swarm),
    "resume swarm": Executor(everything.resume_swarm),
    "merge completed branches": Executor(merge.merge_completed, merge.pin_completed),
    "merge branch": Executor(merge.merge_branch, merge.pin_branch),
    "resolve conflicts": Executor(conflicts.resolve, conflicts.pin),
    "sync upstream": Executor(sync.sync_upstream),
    "sync branch": Executor(sync.sync_branch),
    "cancel command": Executor(commands.cancel_command),
    "cleanup swarm": Executor(commands.cleanup_swarm, commands.pin_cleanup),
    "cancel rescue": Executor(rescue.cancel_rescue, leaving=True),
    "test protocol parse": Executor(diagnostics.try_parse),
    "test failure simulate": Executor(
        diagnostics.simulate_failure, diagnostics.pin_crash
    ),
}
