"""Whether a swarm ever had work of its own: by facts that stay. Pure.

Role: whoever lets a volume go, or makes nothing because nothing is there yet, asks. The condition
``Prepared`` is no answer to that: it says how the preparation is now, and is False again while
deleted KiroTasks are made anew, or while a setting of the operator refuses the repository.

Guarantees: once True it stays so as long as anything of the swarm is left that tells of it: its
KiroTasks and Jobs may be deleted, its conditions may be patched.
"""

from __future__ import annotations

from kiro_swarm.policy.conditions import is_true
from kiro_swarm.reconcile.snapshot.view import View, job_outcome


def has_begun(view: View) -> bool:
    """Whether the task graph and an integration branch were ever there."""
    status = view.status
    integration = status.get("integration") or {}
    return bool(
        integration.get("base")
        or integration.get("head")
        or (status.get("prepare") or {}).get("tasks")
        or is_true(status.get("conditions") or [], "Prepared")
        or view.ledger.lines
        or view.tasks
        or view.integrate_jobs
        or any(job_outcome(job) for job in view.prepare_jobs)
    )
