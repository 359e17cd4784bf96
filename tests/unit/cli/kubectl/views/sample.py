"""A swarm of 15 tasks and 3 instances in the middle of its work, as dicts."""

from __future__ import annotations

import io
from datetime import datetime, timedelta, timezone
from typing import Any, Optional

from rich.console import Console

from kiro_swarm.policy.colours import colour_of
from kiro_swarm.policy.times import stamp

START = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
NOW = START + timedelta(minutes=12)

_TITLES = {
    "1": "Lay the ground",
    "2": "Accounts",
    "3": "Orders and payments",
    "4": "Finish",
}
#: id, title, dependencies, state, attempt, instance, start and end in seconds.
_TASKS: list[
    tuple[str, str, list[str], str, int, int, Optional[int], Optional[int]]
] = [
    ("1.1", "Create the project skeleton", [], "Merged", 1, 1, 5, 60),
    ("1.2", "Configuration from the environment", ["1.1"], "Merged", 1, 1, 72, 150),
    ("1.3", "Structured logging", ["1.1"], "Merged", 2, 2, 180, 260),
    ("1.4", "Database schema and migrations", ["1.1"], "Merged", 1, 3, 72, 240),
    ("2.1", "Sign up with e-mail", ["1.2", "1.4"], "Merged", 1, 1, 255, 400),
    ("2.2", "Sign in and sessions", ["2.1"], "Merged", 1, 1, 412, 520),
    ("2.3", "Reset a forgotten password", ["2.1"], "Running", 2, 2, 600, None),
    ("2.4", "Audit log of sign-ins", ["2.2", "1.3"], "Running", 1, 1, 535, None),
    ("3.1", "Orders: model and API", ["1.4"], "Merged", 1, 3, 252, 430),
    ("3.2", "Payments through the provider", ["3.1"], "Failed", 3, 0, None, None),
    ("3.3", "Invoices as PDF", ["3.1"], "Done", 1, 3, 445, 700),
    ("3.4", "Refunds", ["3.2", "3.3"], "Blocked", 0, 0, None, None),
    ("4.1", "Rate limits", ["2.2"], "Ready", 0, 0, None, None),
    ("4.2", "Load test", ["2.4", "3.4"], "Blocked", 0, 0, None, None),
    ("4.3", "Write the handbook", ["4.1", "4.2"], "Skipped", 0, 0, None, None),
]
#: Attempts that failed: task -> (instance, outcome, message, start, end).
_FAILED = {
    "1.3": [(2, "VerificationFailed", "3 of 41 tests failed", 72, 168)],
    "2.3": [(2, "MergeConflict", "conflict in accounts/reset.py", 415, 585)],
    "3.2": [
        (2, "VerificationFailed", "2 of 58 tests failed", 272, 330),
        (2, "AgentFailed", "the agent ended with exit status 1", 338, 402),
        (3, "NoChanges", "the agent committed nothing", 703, 714),
    ],
}


def at(seconds: Optional[float]) -> Optional[str]:
    return None if seconds is None else stamp(START + timedelta(seconds=seconds))


def task(
    identity: str,
    title: str = "",
    needs: Optional[list[str]] = None,
    state: str = "Blocked",
    *,
    swarm: str = "shop",
    **status: Any,
) -> dict[str, Any]:
    group = identity.split(".")[0]
    head = f"Part of {group}. {_TITLES[group]}\n" if group in _TITLES else ""
    return {
        "apiVersion": "swarm.kiro.dev/v1alpha1",
        "kind": "KiroTask",
        "metadata": {
            "name": f"{swarm}.{identity.lower()}",
            "namespace": "default",
            "creationTimestamp": "2026-11-22T10:00:00Z",
        },
        "spec": {
            "swarm": swarm,
            "id": identity,
            "title": title,
            "description": f"{head}What there is to do.",
            "dependencies": needs or [],
            "maxAttempts": 3,
        },
        "status": {"state": state, **status},
    }


def tasks() -> list[dict[str, Any]]:
    made = []
    for order, row in enumerate(_TASKS):
        identity, title, needs, state, attempt, instance, start, end = row
        status: dict[str, Any] = {"attempt": attempt}
        if start is not None:
            status |= {
                "instance": f"shop-{instance}",
                "startedAt": at(start),
                "branch": f"swarm/shop/{identity}/{attempt}",
            }
        if start is not None and end is not None:
            status |= {
                "finishedAt": at(end),
                "runningSeconds": float(end - start),
                "commit": f"{order:x}" * 40,
            }
        if state == "Merged" and end is not None:
            status |= {"mergedAt": at(end + 10), "mergeCommit": "a" * 40}
        if state == "Running":
            status["progress"] = {
                "message": f"writing tests of {title.lower()}",
                "updatedAt": at(715),
            }
        if state == "Failed":
            status |= {
                "reason": "NoChanges",
                "message": "attempt 3: the agent committed nothing (3 of 3 attempts failed)",
                "finishedAt": at(714),
            }
        status["history"] = [
            {
                "attempt": number,
                "instance": f"shop-{who}",
                "outcome": outcome,
                "message": message,
                "startedAt": at(first),
                "finishedAt": at(last),
            }
            for number, (who, outcome, message, first, last) in enumerate(
                _FAILED.get(identity, []), 1
            )
        ]
        item = task(identity, title, needs, state, **status)
        item["spec"]["order"] = order
        made.append(item)
    return made


def instances() -> list[dict[str, Any]]:
    made = []
    for index, phase in enumerate(["Busy", "Busy", "Ready"], 1):
        colour = colour_of(index)
        made.append(
            {
                "metadata": {
                    "name": f"shop-{index}",
                    "namespace": "default",
                    "creationTimestamp": "2026-11-22T10:00:00Z",
                },
                "spec": {
                    "swarm": "shop",
                    "index": index,
                    "colour": colour.code,
                    "colourName": colour.name,
                },
                "status": {
                    "phase": phase,
                    "pod": f"shop-{index}-0",
                    "node": "node-a",
                    "restarts": 0,
                    "readyAt": at(3),
                },
            }
        )
    return made


def swarm() -> dict[str, Any]:
    states = [item["status"]["state"] for item in tasks()]
    counts = {state.lower(): states.count(state) for state in set(states)}
    return {
        "metadata": {
            "name": "shop",
            "namespace": "default",
            "creationTimestamp": "2026-11-22T09:59:50Z",
        },
        "spec": {
            "repository": {"url": "https://git.example.org/shop.git"},
            "instances": 3,
        },
        "status": {
            "phase": "Running",
            "message": "task 3.2 failed: no attempts are left",
            "readiness": "3/3",
            "readyReplicas": 3,
            "tasks": {"total": len(states), **counts},
            "integration": {
                "branch": "swarm/shop/integration",
                "head": "c0ffee" * 6 + "c0ff",
                "batch": 7,
            },
            "speedup": {"elapsedSeconds": 715, "taskSeconds": 1790, "ratio": 2.5},
            "startedAt": at(5),
        },
    }


def commands() -> list[dict[str, Any]]:
    rows = [
        ("scale instances 3", "Succeeded", "scaled from 2 to 3 instances", 60, 60.4),
        ("run task 2.3 beast-mode", "Succeeded", "task 2.3 runs again", 590, 590.2),
        ("rollback integration batch-5", "Failed", "rollback is not there", 640, 640.1),
        ("stop instance shop-3 graceful", "Running", "waits for task 3.3", 690, None),
    ]
    made = []
    for index, (sentence, phase, answer, start, end) in enumerate(rows):
        made.append(
            {
                "metadata": {
                    "name": f"shop-cmd-{index}",
                    "namespace": "default",
                    "creationTimestamp": at(start),
                },
                "spec": {
                    "swarm": "shop",
                    "command": sentence,
                    "requestedBy": "ada@example.org",
                },
                "status": {
                    "phase": phase,
                    "message": answer,
                    "action": {"normalized": sentence, "permission": "run"},
                    "startedAt": at(start),
                    "finishedAt": at(end),
                },
            }
        )
    return made


def shown(view: Any, width: int = 100, height: int = 24, terminal: bool = True) -> str:
    """What a console without colours prints."""
    console = Console(
        file=io.StringIO(),
        width=width,
        height=height,
        force_terminal=terminal,
        color_system=None,
        legacy_windows=False,
    )
    console.print(view, soft_wrap=True)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()
