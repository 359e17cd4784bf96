"""Rows about how the swarm talks, and its tests: switch protocol, test."""

from __future__ import annotations

from kiro_swarm.commands.table.instances import MAX_INSTANCES
from kiro_swarm.commands.table.rows import Argument, Command, Modifier
from kiro_swarm.commands.table.tasks import NO_BUS

_NO_FRAMEWORK = (
    "a test framework that sets up swarms and repositories is not part of this version"
)

ROWS: tuple[Command, ...] = (
    Command(
        verb="switch",
        noun="protocol",
        permission="switch",
        help="Let the instances talk by another protocol.",
        examples=("switch protocol backup", "switch to protocol backup"),
        arguments=(Argument("name", "name", "The name of the protocol.", maximum=63),),
        synonyms=("switch to protocol", "change|use protocol"),
        connectors=frozenset({"to"}),
        missing=NO_BUS,
    ),
    Command(
        verb="test",
        noun="protocol",
        suffix="parse",
        permission="test",
        help="Say how a sentence is understood, and change nothing.",
        examples=('test protocol parse "run task abc beast mode"',),
        arguments=(
            Argument("sentence", "text", "The sentence, in quotes.", maximum=1024),
        ),
    ),
    Command(
        verb="test",
        noun="swarm",
        suffix="launch",
        permission="test",
        help="Set up a swarm for a test, let it work and take it away.",
        examples=("test swarm launch instances=3 tasks=sample-spec",),
        parameters=(
            Argument(
                "instances",
                "integer",
                "How many instances it has.",
                minimum=1,
                maximum=MAX_INSTANCES,
            ),
            Argument("tasks", "name", "The name of the spec to work on.", maximum=63),
            Argument(
                "timeout",
                "duration",
                "The longest time that it may take.",
                minimum=1,
                maximum=86400,
            ),
        ),
        missing=_NO_FRAMEWORK,
    ),
    Command(
        verb="test",
        noun="failure",
        suffix="simulate",
        permission="test",
        help="Make something fail, to see that the swarm recovers.",
        examples=(
            "test failure simulate instance-crash",
            "test failure simulate instance-crash recovery-time",
        ),
        arguments=(
            Argument(
                "kind",
                "choice",
                "What fails.",
                maximum=63,
                choices=("instance-crash",),
            ),
        ),
        modifiers=(
            Modifier(
                "recovery-time", "Wait for the recovery and say how long it took."
            ),
        ),
        synonyms=("simulate failure",),
        destructive=True,
    ),
    Command(
        verb="test",
        noun="integration",
        permission="test",
        help="Merge work made for a test, to see what comes of conflicts.",
        examples=("test integration merge-conflicts resolution-strategy",),
        arguments=(
            Argument(
                "kind",
                "choice",
                "What is tried.",
                maximum=63,
                choices=("merge-conflicts",),
            ),
        ),
        modifiers=(
            Modifier("resolution-strategy", "Say how each conflict was resolved."),
        ),
        missing=_NO_FRAMEWORK,
    ),
)
