"""A line to copy: ``kubectl swarm``, the options and the swarm as written, then the words. Pure.

Made by ``main`` and ``route``; used by ``sentence``. A line goes to the same cluster,
namespace and swarm as the one it stands for, and a shell takes it word for word.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Optional, Sequence

#: Options whose value is the next argument.
VALUED = frozenset(
    {
        *("-n", "--namespace", "--context", "--kubeconfig", "--as", "--as-group"),
        *("--request-timeout", "--swarm", "-o", "--output", "--timeout"),
        *("--correlation-id", "-c", "--container", "--tail"),
    }
)
#: Those that kubectl itself knows.
_OF_KUBECTL = frozenset(
    {
        *("-n", "--namespace", "--context", "--kubeconfig", "--as", "--as-group"),
        "--request-timeout",
    }
)


def places_of(argv: Sequence[str]) -> tuple[list[int], Optional[int]]:
    """Where in the arguments words stand, and where ``--`` is. Words: before it only."""
    places: list[int] = []
    index = 0
    while index < len(argv):
        word = argv[index]
        if word == "--":
            return places, index
        if not word.startswith("-") or word == "-" or word[1:2].isdigit():
            places.append(index)
        index += 2 if word in VALUED else 1
    return places, None


@dataclass(frozen=True)
class Spoken:
    """How a line begins: the options, and the swarm where it was written.

    ``named``: the swarm must be said with ``--swarm``, for it is a word of ours.
    """

    options: tuple[str, ...] = ()
    swarm: str = ""
    named: bool = False

    @classmethod
    def of(cls, argv: Sequence[str], swarm: str = "", named: bool = False) -> Spoken:
        """From all the arguments; ``swarm``: the one that is a word of them."""
        places, dashes = places_of(argv)
        options = argv[: len(argv) if dashes is None else dashes]
        kept = [word for index, word in enumerate(options) if index not in places]
        return cls(tuple(kept), swarm, named)

    def line(self, sentence: str) -> str:
        """The command line that says a sentence."""
        words = sentence if _is_plain(sentence) else shlex.quote(sentence)
        swarm = ["--swarm"] * (self.named and bool(self.swarm)) + [self.swarm]
        start = [*self.options, *filter(None, swarm)]
        return " ".join(["kubectl swarm", *map(shlex.quote, start), words])

    def delete(self) -> str:
        """The command line that deletes the swarm."""
        name = self.swarm
        kept: list[str] = []
        for index, word in enumerate(self.options):
            option, equals, value = word.partition("=")
            if option in _OF_KUBECTL:
                kept += [word, *([] if equals else self.options[index + 1 : index + 2])]
            elif option == "--swarm":
                name = value if equals else "".join(self.options[index + 1 : index + 2])
        quoted = map(shlex.quote, [name or "NAME", *kept])
        return " ".join(["kubectl delete kiroswarm", *quoted])


def _is_plain(sentence: str) -> bool:
    """Whether a shell leaves every word of a sentence as it is."""
    return all(shlex.quote(word) == word for word in sentence.split(" "))
