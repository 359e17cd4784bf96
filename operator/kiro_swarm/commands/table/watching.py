"""Rows that only look: status, explain, diff, log. Permission ``get``."""

from __future__ import annotations

from kiro_swarm.commands.table.rows import Command, Modifier, instance_name, task_id

#: What people add to a question about something ("why is task 2.1 not running").
_ASKED = frozenset(
    {
        "blocked",
        "done",
        "failed",
        "failing",
        "finished",
        "merged",
        "not",
        "run",
        "running",
        "start",
        "started",
        "starting",
        "stuck",
        "waiting",
    }
)

ROWS: tuple[Command, ...] = (
    Command(
        verb="status",
        noun="swarm",
        permission="get",
        help="Show how the swarm is doing.",
        examples=(
            "status swarm",
            "status swarm detailed",
            "status swarm health",
            "show me the swarm health",
        ),
        modifiers=(
            Modifier(
                "detailed",
                "Every instance, every task and the health of every part.",
                synonyms=("detail", "details"),
            ),
            Modifier("health", "The health of every part."),
        ),
        synonyms=(
            "status",
            "swarm [status]",
            "how is swarm [doing]",
            "what is [swarm] status",
            "what is status swarm",
            "show|get|list tasks|instances",
            "show|get [swarm] status",
            "show|get status swarm",
        ),
    ),
    Command(
        verb="status",
        noun="task",
        permission="get",
        help="Show the state of a task, who has it and what it waits for.",
        examples=("status task 2.1", "show task user-auth"),
        arguments=(task_id(),),
        synonyms=(
            "show|get status task",
            "task status",
            "how is task",
        ),
        connectors=frozenset({"doing", "going", "status"}),
    ),
    Command(
        verb="status",
        noun="instance",
        permission="get",
        help="Show what an instance is doing: its phase, its task, its pod.",
        examples=("status instance demo-1", "show instance demo-1"),
        arguments=(instance_name(),),
        synonyms=(
            "show|get status instance",
            "instance status",
            "how is instance",
        ),
        connectors=frozenset({"doing", "going", "status"}),
    ),
    Command(
        verb="explain",
        noun="task",
        permission="get",
        help="Explain why a task is not running, or what it is doing.",
        examples=("explain task 2.1", "why is task 2.1 not running"),
        arguments=(task_id(),),
        synonyms=(
            "why task",
            "why is|isn't|has|hasn't|did|didn't|does|doesn't task",
            "what blocks task",
            "what is blocking task",
        ),
        connectors=_ASKED,
    ),
    Command(
        verb="diff",
        noun="task",
        permission="get",
        help="Show what a task changed: the files and the lines.",
        examples=("diff task 2.1", "show the diff of task 2.1"),
        arguments=(task_id(),),
        synonyms=("show|get diff|changes task",),
    ),
    Command(
        verb="log",
        noun="task",
        permission="get",
        help="Show the commits of a task, the latest first.",
        examples=("log task 2.1", "show me the log of task 2.1"),
        arguments=(task_id(),),
        synonyms=("show|get log|logs task",),
    ),
)
