"""What a row of the table is made of: Command, Argument, Modifier. Plain data.

Made by the other modules of this package; read by the grammar, the formatter, help,
completion and whoever executes actions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product


@dataclass(frozen=True)
class Argument:
    """A value in a sentence, by its place or as ``name=value``.

    ``kind`` names a reader in values.py. Integers lie within minimum..maximum, both
    allowed; texts have at most ``maximum`` characters. ``bounded_by`` says where the
    bounds come from, for the error message. ``choices`` are all values of the kind
    "choice". ``after`` is the word that stands before it in the canonical sentence, as
    ``into`` in ``merge branch a into b``: it may be left out where the argument may not.
    """

    name: str
    kind: str
    help: str
    maximum: int
    minimum: int = 0
    bounded_by: str = ""
    choices: tuple[str, ...] = ()
    after: str = ""
    optional: bool = False

    @property
    def usage(self) -> str:
        """Its place in a sentence, as ``[into TARGET]``."""
        place = " ".join(filter(None, (self.after, self.name.upper())))
        return f"[{place}]" if self.optional else place


@dataclass(frozen=True)
class Modifier:
    """A word that changes how a command is done; hyphens may be written as spaces.

    ``missing`` says what this version lacks to do it; the sentence is understood and
    answered with these words.
    """

    name: str
    help: str
    synonyms: tuple[str, ...] = ()
    missing: str = ""

    @property
    def available(self) -> bool:
        """Whether this version can do it."""
        return not self.missing


@dataclass(frozen=True)
class Command:
    """One row: a sentence of the language.

    ``qualifier`` is a word between verb and noun (``scale up instances``), ``suffix``
    one after the noun (``test protocol parse``). ``synonyms`` are whole phrases that
    mean ``name``, with ``a|b`` for either word and ``[a|b]`` for one or none; where one
    begins with the verb, synonyms of the verb need not be repeated. ``connectors`` are
    words that may stand before or after an argument without changing what it means;
    ``to`` and ``by`` are such for some commands only, for ``scale up instances to 5``
    does not mean five more. ``permission`` is the RBAC verb on kiroswarms. A
    ``destructive`` command is never offered as a correction of a sentence that was not
    understood. ``missing`` says what this version lacks to do it; it is understood and
    authorized all the same.
    """

    verb: str
    noun: str
    permission: str
    help: str
    examples: tuple[str, ...]
    qualifier: str = ""
    suffix: str = ""
    arguments: tuple[Argument, ...] = ()
    modifiers: tuple[Modifier, ...] = ()
    parameters: tuple[Argument, ...] = ()
    synonyms: tuple[str, ...] = ()
    connectors: frozenset[str] = frozenset()
    destructive: bool = False
    missing: str = ""

    @cached_property
    def name(self) -> str:
        """The fixed words, as ``scale up instances``: what executors are found by."""
        words = (self.verb, self.qualifier, self.noun, self.suffix)
        return " ".join(filter(None, words))

    @cached_property
    def fixed_modifiers(self) -> tuple[str, ...]:
        """Qualifier and suffix: modifiers that every action of this row has."""
        return tuple(filter(None, (self.qualifier, self.suffix)))

    @property
    def available(self) -> bool:
        """Whether this version can do it."""
        return not self.missing

    @cached_property
    def reserved(self) -> frozenset[str]:
        """Words that must stand in quotes where they are meant as a value."""
        words = set(CONNECTORS | self.connectors)
        words.update(item.after for item in (*self.arguments, *self.parameters))
        for modifier in self.modifiers:
            for spelling in (modifier.name, *modifier.synonyms):
                words.update((spelling, spelling.split("-")[0]))
        return frozenset(words)

    @property
    def usage(self) -> str:
        """The sentence with its places, as ``stop instance NAME [graceful]``."""
        parts = [self.name, *(argument.usage for argument in self.arguments)]
        parts += [f"[{modifier.name}]" for modifier in self.modifiers]
        parts += [f"[{item.name}={item.name.upper()}]" for item in self.parameters]
        return " ".join(parts)

    def phrases(self) -> list[list[str]]:
        """The fixed words of every synonym, alternatives written out."""
        found = []
        for synonym in self.synonyms:
            choices = [_alternatives(word) for word in synonym.split()]
            found += [list(filter(None, words)) for words in product(*choices)]
        return found


def _alternatives(word: str) -> list[str]:
    """``a|b`` is a or b, ``[a|b]`` is a, b or nothing."""
    inner = word.strip("[]")
    return [*inner.split("|"), *([""] if inner != word else [])]


#: Words without meaning among the fixed words ("show me the swarm").
FILLERS = frozenset({"a", "an", "for", "me", "my", "of", "our", "the", "this"})

#: Words without meaning after the fixed words ("run task 2.1 in beast mode").
CONNECTORS = frozenset({"in", "now", "please", "using", "with"})


def task_id(help_text: str = "The id of the task in tasks.md.") -> Argument:
    """The argument that names a task."""
    return Argument("id", "task", help_text, maximum=128)


def instance_name(name: str = "name", after: str = "") -> Argument:
    """The argument that names an instance."""
    return Argument(
        name, "instance", "The name of the instance.", maximum=63, after=after
    )


GRACEFUL = Modifier(
    "graceful", "Let a task that is being worked on end first.", ("gracefully",)
)
