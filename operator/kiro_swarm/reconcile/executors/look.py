"""Sentences that only look: ``status swarm``. They change nothing and wait for nobody."""

from __future__ import annotations

from typing import Any

from kiro_swarm.reconcile.executors.plan import Outcome, Request


def status_swarm(request: Request) -> Outcome:
    """``status swarm [detailed]``."""
    view, status = request.view, request.view.status
    message = (
        f"{view.name}: {status.get('phase', 'Pending')}, "
        f"{status.get('readiness', '0/0')} instances ready, "
        f"{status.get('progress', '0/0')} tasks merged"
    )
    data: dict[str, Any] = {
        "phase": status.get("phase", "Pending"),
        "message": status.get("message", ""),
        "tasks": status.get("tasks") or {},
        "integration": status.get("integration") or {},
        "speedup": status.get("speedup") or {},
    }
    if request.said("detailed"):
        data["instances"] = status.get("instances") or []
        data["taskStates"] = view.states
        data["conditions"] = {
            item["type"]: f"{item['status']}: {item['reason']}"
            for item in status.get("conditions") or []
        }
        data["health"] = request.health()
        busy = ", ".join(
            f"{name} on {task['spec']['id']}" for name, task in view.active.items()
        )
        message += f"; working: {busy or 'nobody'}; {status.get('message', '')}"
    return Outcome(True, message, data)
