"""Rows about single tasks, and about all of them: run, assign, retry, approve, ..."""

from __future__ import annotations

from kiro_swarm.commands.table.rows import (
    GRACEFUL,
    Argument,
    Command,
    Modifier,
    instance_name,
    task_id,
)

#: What cannot be done without a message bus says so with these words.
NO_BUS = "the message bus between instances is not part of this version"

ROWS: tuple[Command, ...] = (
    Command(
        verb="run",
        noun="task",
        permission="run",
        help="Put a task at the front of the queue, even one that failed or was skipped.",
        examples=(
            "run task 2.1",
            "run task user-auth beast-mode",
            "execute task abc in beast mode",
        ),
        arguments=(task_id(),),
        modifiers=(
            Modifier(
                "beast-mode",
                "Plan, do, check and act in bounded cycles until the checks pass; without "
                "it the task runs normally.",
                synonyms=("beastmode",),
            ),
        ),
    ),
    Command(
        verb="stop",
        noun="task",
        permission="stop",
        help="Stop the work on a task; it is not started again until it is resumed.",
        examples=("stop task 2.1",),
        arguments=(task_id(),),
        destructive=True,
    ),
    Command(
        verb="stop",
        qualifier="all",
        noun="tasks",
        permission="stop",
        help="Stop every instance and start no task until the swarm is resumed.",
        examples=("stop all tasks", "stop all running threads", "stop everything"),
        modifiers=(GRACEFUL,),
        synonyms=(
            "stop everything",
            "stop all [running|active] tasks|threads|processes|work|jobs",
        ),
        destructive=True,
    ),
    Command(
        verb="pause",
        noun="task",
        permission="pause",
        help="Do not start a task until it is resumed; work on it goes on.",
        examples=("pause task 2.1",),
        arguments=(task_id(),),
    ),
    Command(
        verb="resume",
        noun="task",
        permission="resume",
        help="Let a paused task be started again.",
        examples=("resume task 2.1",),
        arguments=(task_id(),),
    ),
    Command(
        verb="assign",
        noun="task",
        permission="assign",
        help="Let only this instance work on a task.",
        examples=("assign task 2.1 to demo-1", "assign task T99 to instance demo-1"),
        arguments=(task_id(), instance_name(after="to")),
        connectors=frozenset({"instance"}),
    ),
    Command(
        verb="unassign",
        noun="task",
        permission="assign",
        help="Let any instance work on a task again.",
        examples=("unassign task 2.1",),
        arguments=(task_id(),),
    ),
    Command(
        verb="reassign",
        noun="tasks",
        permission="reassign",
        help="Take the work away from an instance and give it to others.",
        examples=("reassign tasks from demo-3", "reassign all tasks from demo-3"),
        arguments=(instance_name("instance", after="from"),),
        synonyms=("reassign|move [all] tasks|work",),
        connectors=frozenset({"instance"}),
        destructive=True,
    ),
    Command(
        verb="cancel",
        noun="task",
        permission="cancel",
        help="Give up on a task: work on it stops and it is Failed.",
        examples=("cancel task 2.1",),
        arguments=(task_id(),),
        destructive=True,
    ),
    Command(
        verb="cancel",
        noun="command",
        permission="cancel",
        help="Stop a command that is being carried out.",
        examples=("cancel command cmd-7",),
        arguments=(
            Argument("name", "command", "The name of the SwarmCommand.", maximum=253),
        ),
        destructive=True,
    ),
    Command(
        verb="retry",
        noun="task",
        permission="retry",
        help="Try a task again that failed or was skipped.",
        examples=("retry task 2.1",),
        arguments=(task_id(),),
    ),
    Command(
        verb="retry",
        qualifier="failed",
        noun="tasks",
        permission="retry",
        help="Try every task again that failed.",
        examples=("retry failed tasks", "retry all failed tasks"),
        synonyms=("retry all [failed] tasks", "retry failures"),
    ),
    Command(
        verb="retry",
        qualifier="failed",
        noun="messages",
        permission="retry",
        help="Send messages again that could not be delivered.",
        examples=("retry failed messages", "retry failed messages since=10m"),
        parameters=(
            Argument(
                "since",
                "duration",
                "Only messages that are not older.",
                minimum=1,
                maximum=604800,
            ),
            Argument("to", "names", "Only messages to these instances.", maximum=63),
        ),
        synonyms=("retry all [failed] messages",),
        missing=NO_BUS,
    ),
    Command(
        verb="approve",
        noun="task",
        permission="approve",
        help="Let the work of a task be merged, where a person is asked.",
        examples=("approve task 2.1",),
        arguments=(task_id(),),
    ),
    Command(
        verb="reject",
        noun="task",
        permission="reject",
        help="Send the work of a task back, where a person is asked.",
        examples=("reject task 2.1", 'reject task 2.1 reason="no tests"'),
        arguments=(task_id(),),
        parameters=(
            Argument(
                "reason",
                "text",
                "What is wrong; the next attempt is told.",
                maximum=1024,
                after="because",
            ),
        ),
        destructive=True,
    ),
)
