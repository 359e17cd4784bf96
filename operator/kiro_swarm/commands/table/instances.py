"""Rows about instances and the whole swarm: scale, stop, restart, pause, cleanup."""

from __future__ import annotations

from kiro_swarm.commands.table.rows import (
    GRACEFUL,
    Argument,
    Command,
    instance_name,
)

MAX_INSTANCES = 1000


def _count(help_text: str, minimum: int, after: str = "") -> Argument:
    return Argument(
        "count",
        "integer",
        help_text,
        minimum=minimum,
        maximum=MAX_INSTANCES,
        bounded_by="spec.instances",
        after=after,
    )


ROWS: tuple[Command, ...] = (
    Command(
        verb="scale",
        noun="instances",
        permission="scale",
        help="Set how many instances the swarm should have.",
        examples=("scale instances 5", "scale instances to 5", "scale to 5 instances"),
        arguments=(_count("The wanted number of instances.", 0),),
        synonyms=("scale instance|to", "set instances"),
        connectors=frozenset({"instances", "to"}),
    ),
    Command(
        verb="scale",
        noun="swarm",
        permission="scale",
        help="Set how many instances the swarm shall have; its name may be said.",
        examples=("scale swarm to 5", "scale swarm demo to 3"),
        arguments=(
            Argument(
                "name",
                "swarm",
                "The name of the swarm that is meant.",
                maximum=63,
                optional=True,
            ),
            _count("The wanted number of instances.", 0, after="to"),
        ),
        connectors=frozenset({"instances"}),
    ),
    Command(
        verb="scale",
        qualifier="up",
        noun="instances",
        permission="scale",
        help="Add instances to the swarm.",
        examples=("scale up instances 3", "scale up by 3 instances", "add 3 instances"),
        arguments=(_count("How many to add.", 1),),
        synonyms=("scale up instance|swarm|by", "increase instances", "add"),
        connectors=frozenset({"by", "instance", "instances"}),
    ),
    Command(
        verb="scale",
        qualifier="down",
        noun="instances",
        permission="scale",
        help="Take instances away; a busy one ends its task elsewhere.",
        examples=("scale down instances 1", "scale down by 2", "remove 2 instances"),
        arguments=(_count("How many to take away.", 1),),
        synonyms=(
            "scale down instance|swarm|by",
            "decrease|reduce instances",
            "remove",
        ),
        connectors=frozenset({"by", "instance", "instances"}),
        destructive=True,
    ),
    Command(
        verb="stop",
        noun="instance",
        permission="stop",
        help="Stop an instance at once; its task becomes ready again.",
        examples=("stop instance demo-3", "stop instance demo-3 graceful"),
        arguments=(instance_name(),),
        modifiers=(GRACEFUL,),
        synonyms=("shut down instance",),
        destructive=True,
    ),
    Command(
        verb="restart",
        noun="instance",
        permission="restart",
        help="Stop an instance and start it again with a new pod.",
        examples=("restart instance demo-3", "restart instance demo-3 graceful"),
        arguments=(instance_name(),),
        modifiers=(GRACEFUL,),
        destructive=True,
    ),
    Command(
        verb="pause",
        noun="swarm",
        permission="pause",
        help="Start no further task in the swarm; work that runs goes on.",
        examples=("pause swarm", "pause everything"),
        synonyms=("pause everything|all", "pause all tasks"),
    ),
    Command(
        verb="resume",
        noun="swarm",
        permission="resume",
        help="Start tasks again in a swarm that was paused or stopped.",
        examples=("resume swarm", "resume everything"),
        synonyms=("resume everything|all", "resume all tasks"),
    ),
    Command(
        verb="pause",
        noun="instance",
        permission="pause",
        help="Give an instance no further task; its pod stays.",
        examples=("pause instance demo-1",),
        arguments=(instance_name(),),
    ),
    Command(
        verb="resume",
        noun="instance",
        permission="resume",
        help="Give a paused or stopped instance tasks again.",
        examples=("resume instance demo-1",),
        arguments=(instance_name(),),
    ),
    Command(
        verb="cleanup",
        noun="swarm",
        permission="cleanup",
        help="Delete finished commands with their results, and finished Jobs.",
        examples=("cleanup swarm", "clean up swarm"),
        synonyms=("cleanup", "clean [up] swarm", "clean up"),
        destructive=True,
    ),
    Command(
        verb="cancel",
        noun="rescue",
        permission="cancel",
        help="Let a swarm that is being deleted go at once, with all work that is nowhere else.",
        examples=("cancel rescue",),
        destructive=True,
    ),
)
