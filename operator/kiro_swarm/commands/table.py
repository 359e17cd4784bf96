"""The table of commands: the single source of the language.

Parser, formatter, help and permissions derive from these rows; a new command is one
row here and one function that executes it, found by ``Command.name``. Read by the
other modules of this room and by whoever executes actions.

The first word of a sentence alone decides which permission it needs, so that an
admission policy can check it without a parser; the grammar refuses a table in which
one first word stands for two permissions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Argument:
    """A value in a sentence, by its place or as ``name=value``.

    ``kind`` names a reader in values.py. Integers lie within minimum..maximum, both
    allowed; texts have at most ``maximum`` characters. ``bounded_by`` says where the
    bounds come from, for the error message.
    """

    name: str
    kind: str
    help: str
    maximum: int
    minimum: int = 0
    bounded_by: str = ""
    optional: bool = False


@dataclass(frozen=True)
class Modifier:
    """A word that changes how a command is done; hyphens may be written as spaces.

    One that is not ``available`` is understood, and the executor answers that this
    version cannot do it.
    """

    name: str
    help: str
    available: bool = True
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Command:
    """One row: a sentence of the language.

    ``qualifier`` is a word between verb and noun (``scale up instances``).
    ``synonyms`` are whole phrases that mean ``name``; synonyms of the verb need not be
    repeated there. ``connectors`` are words that may stand before an argument without
    changing what it means; ``to`` and ``by`` are such for some commands only, for
    ``scale up instances to 5`` does not mean five more. ``permission`` is the RBAC verb
    on kiroswarms. A ``destructive`` command is never offered as a correction of a
    sentence that was not understood.
    """

    verb: str
    noun: str
    permission: str
    help: str
    examples: tuple[str, ...]
    qualifier: str = ""
    arguments: tuple[Argument, ...] = ()
    modifiers: tuple[Modifier, ...] = ()
    parameters: tuple[Argument, ...] = ()
    synonyms: tuple[str, ...] = ()
    connectors: frozenset[str] = frozenset()
    destructive: bool = False

    @cached_property
    def name(self) -> str:
        """The fixed words, as ``scale up instances``: what executors are found by."""
        return " ".join(filter(None, (self.verb, self.qualifier, self.noun)))

    @cached_property
    def reserved(self) -> frozenset[str]:
        """Words that must stand in quotes where they are meant as a value."""
        words = set(CONNECTORS | self.connectors)
        for modifier in self.modifiers:
            for spelling in (modifier.name, *modifier.synonyms):
                words.update((spelling, spelling.split("-")[0]))
        return frozenset(words)

    @property
    def usage(self) -> str:
        """The sentence with its places, as ``stop instance NAME [graceful]``."""
        parts = [self.name]
        for argument in self.arguments:
            place = argument.name.upper()
            parts.append(f"[{place}]" if argument.optional else place)
        parts += [f"[{modifier.name}]" for modifier in self.modifiers]
        parts += [f"[{item.name}={item.name.upper()}]" for item in self.parameters]
        return " ".join(parts)


#: Other words for a verb, for every command of that verb.
VERB_SYNONYMS: dict[str, tuple[str, ...]] = {
    "run": ("execute", "start", "launch"),
    "scale": ("resize",),
    "status": ("show", "get"),
    "stop": ("halt", "terminate"),
}

#: Words without meaning among the fixed words ("show me the swarm").
FILLERS = frozenset({"a", "an", "me", "my", "of", "our", "the", "this"})

#: Words without meaning after the fixed words ("run task 2.1 in beast mode").
CONNECTORS = frozenset({"in", "now", "please"})

MAX_INSTANCES = 1000

COMMANDS: tuple[Command, ...] = (
    Command(
        verb="status",
        noun="swarm",
        permission="get",
        help="Say how the swarm is doing.",
        examples=("status swarm", "status swarm detailed", "show me the swarm status"),
        modifiers=(
            Modifier(
                "detailed",
                "Every instance, every task and the health of every part.",
                synonyms=("detail", "details"),
            ),
        ),
        synonyms=(
            "status",
            "swarm status",
            "show status",
            "show status swarm",
            "show swarm status",
            "get status",
            "get status swarm",
            "get swarm status",
        ),
    ),
    Command(
        verb="scale",
        noun="instances",
        permission="scale",
        help="Set how many instances the swarm shall have.",
        examples=("scale instances 5", "scale instances to 5"),
        arguments=(
            Argument(
                "count",
                "integer",
                "The wanted number of instances.",
                minimum=0,
                maximum=MAX_INSTANCES,
                bounded_by="spec.instances",
            ),
        ),
        synonyms=("scale instance", "scale swarm", "resize swarm"),
        connectors=frozenset({"to"}),
    ),
    Command(
        verb="scale",
        qualifier="up",
        noun="instances",
        permission="scale",
        help="Add instances to the swarm.",
        examples=("scale up instances 3", "scale up instances by 3"),
        arguments=(
            Argument(
                "count",
                "integer",
                "How many to add.",
                minimum=1,
                maximum=MAX_INSTANCES,
                bounded_by="spec.instances",
            ),
        ),
        synonyms=("scale up instance", "scale up swarm"),
        connectors=frozenset({"by"}),
    ),
    Command(
        verb="scale",
        qualifier="down",
        noun="instances",
        permission="scale",
        help="Take instances away; a busy one ends its task elsewhere.",
        examples=("scale down instances 1", "scale down instances by 2"),
        arguments=(
            Argument(
                "count",
                "integer",
                "How many to take away.",
                minimum=1,
                maximum=MAX_INSTANCES,
                bounded_by="spec.instances",
            ),
        ),
        synonyms=("scale down instance", "scale down swarm"),
        connectors=frozenset({"by"}),
        destructive=True,
    ),
    Command(
        verb="run",
        noun="task",
        permission="run",
        help="Put a task first in line, also one that failed or was skipped.",
        examples=("run task 2.1", "run task user-auth beast-mode"),
        arguments=(
            Argument("id", "task", "The id of the task in tasks.md.", maximum=128),
        ),
        modifiers=(
            Modifier(
                "beast-mode",
                "Plan, do, check and act in bounded cycles until the checks pass.",
                available=False,
            ),
        ),
    ),
    Command(
        verb="stop",
        noun="instance",
        permission="stop",
        help="Stop an instance at once; its task goes back in line.",
        examples=("stop instance demo-3", "stop instance demo-3 graceful"),
        arguments=(Argument("name", "name", "The name of the instance.", maximum=63),),
        modifiers=(
            Modifier(
                "graceful",
                "Let it end its current task first.",
                synonyms=("gracefully",),
            ),
        ),
        destructive=True,
    ),
)
