"""Swarms to be explained, made by hand: tasks, instances with and without a ready pod."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any, Optional

from kiro_swarm.policy.times import stamp
from kiro_swarm.reconcile.commands.explain import Explanation, explain
from kiro_swarm.reconcile.snapshot.view import View
from tests.unit.reconcile.surroundings import START
from tests.unit.reconcile.views import Object, instance, task, view

HISTORY = [{"attempt": 1, "outcome": "NoChanges"}]


def ago(seconds: float) -> str:
    return stamp(START - timedelta(seconds=seconds))


def node(task_id: str, state: str, needs: str = "", **status: Any) -> Object:
    """A task; ``needs`` are ids with blanks between them."""
    made = task(0, state, **status)
    made["spec"] = {
        "id": task_id,
        "order": int(task_id.replace(".", "")) if task_id[0].isdigit() else 0,
        "dependencies": needs.split(),
        "maxAttempts": 3,
    }
    return made


def with_spec(item: Object, **spec: Any) -> Object:
    return {**item, "spec": {**item["spec"], **spec}}


def seen(
    *tasks: Object,
    idle: int = 0,
    desired: Optional[dict[int, str]] = None,
    jobs: Optional[list[Object]] = None,
    deleting: bool = False,
    **spec: Any,
) -> View:
    """A swarm with two instances, the first ``idle`` of them with a ready pod."""
    made = view(tasks=list(tasks), deleting=deleting, **spec)
    instances: list[Any] = []
    pods: list[Any] = []
    for index in (1, 2):
        item = instance(index)
        item["metadata"]["uid"] = f"i{index}"
        item["spec"]["desired"] = (desired or {}).get(index, "Running")
        instances.append(item)
        if index <= idle:
            owner = {"uid": f"i{index}"}
            ready = {"type": "Ready", "status": "True"}
            metadata = {"uid": f"p{index}", "ownerReferences": [owner]}
            pods.append({"metadata": metadata, "status": {"conditions": [ready]}})
    return replace(made, instances=instances, pods=pods, jobs=jobs or [])


def about(where: View, task_id: str) -> Explanation:
    found = next(item for item in where.tasks if item["spec"]["id"] == task_id)
    explanation = explain(where, found)
    json.dumps(explanation.data)
    return explanation


def codes(explanation: Explanation) -> list[str]:
    reasons: Any = explanation.data["reasons"]
    return [reason["code"] for reason in reasons]


def job(condition: str = "", reported: str = "2026-11-22T10:00:00Z") -> Object:
    conditions = [{"type": condition, "status": "True", "lastTransitionTime": reported}]
    return {
        "metadata": {
            "name": "demo-integrate-4",
            "uid": "j",
            "labels": {"swarm.kiro.dev/component": "integrate"},
        },
        "status": {"conditions": conditions if condition else []},
    }
