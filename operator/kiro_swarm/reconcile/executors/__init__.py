"""What each sentence does: one pure function for each row of the command table.

``EXECUTORS`` finds it by the row's name. Called by ``reconcile/command.py``; the types and
what they promise are in ``plan.py``, the rest is by subject.
"""

from __future__ import annotations

from kiro_swarm.reconcile.executors import instances, look, scale, tasks
from kiro_swarm.reconcile.executors.plan import Executor

EXECUTORS: dict[str, Executor] = {
    "status swarm": Executor(look.status_swarm),
    "scale instances": Executor(scale.scale, scale.fix),
    "scale up instances": Executor(scale.scale, scale.fix),
    "scale down instances": Executor(scale.scale, scale.fix),
    "run task": Executor(tasks.run_task),
    "stop instance": Executor(instances.stop_instance),
}
