"""Which part of ``kubectl swarm ARGUMENTS`` is the swarm, and which the view or sentence. Pure.

Called by ``main`` with the arguments as they are and by ``complete``.

- ``NAME -- SENTENCE`` and ``--swarm NAME`` name the swarm without any doubt.
- A first word that is a view, or begins a sentence, never names a swarm.
- Another first word names one, if a view or a sentence follows, or what begins as one and
  is no better with a slip in the first word mended.
- ``get``, ``logs``, ``diff`` and ``explain`` are words of the language, too. As ``get tasks`` and
  ``diff 2.1`` they are views; ``get swarm status`` and ``diff task 2.1`` are sentences.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Optional, Sequence

from kiro_swarm.cli.kubectl.failure import NOT_UNDERSTOOD, Failure
from kiro_swarm.cli.kubectl.sentence import sentence_of
from kiro_swarm.commands.errors import SentenceError
from kiro_swarm.commands.grammar import fold
from kiro_swarm.commands.parser import PARSER, parse

#: Views and what they show, in the order of the help.
VIEWS = {
    "get": "Swarms, tasks as a tree, instances or commands.",
    "watch": "The swarm, live.",
    "logs": "What an agent said: of a task or an instance.",
    "graph": "The task graph; also as mermaid or dot.",
    "timeline": "Who did what when; also as SVG.",
    "top": "Processors and memory of the instances.",
    "events": "What happened to the swarm and its parts.",
    "diff": "What a task changed.",
    "explain": "Why a task is where it is.",
    "open": "How to attach to an instance.",
    "audit": "Who changed what; --verify finds a changed line.",
    "help": "Views and sentences; help VERB shows examples.",
}
KINDS = ("swarms", "tasks", "instances", "commands")
#: Options whose value is the next argument.
VALUED = frozenset(
    {
        *("-n", "--namespace", "--context", "--kubeconfig", "--as", "--as-group"),
        *("--request-timeout", "--swarm", "-o", "--output", "--timeout"),
        *("--correlation-id", "-c", "--container", "--tail"),
    }
)
NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z")
_FIRST_WORDS = frozenset(PARSER.grammar.permissions)
#: A first word this near to one of the language is a slip, not a swarm.
_NEAR = 0.8


@dataclass(frozen=True)
class Route:
    """What to run. ``view`` None: a sentence. ``rest``: options and what is left of words."""

    view: Optional[str]
    swarm: str
    rest: tuple[str, ...]


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


def route(argv: Sequence[str]) -> Route:
    """Decide; raises Failure for a swarm without a name, or to which nothing is said."""
    places, dashes = places_of(argv)
    words = [argv[place] for place in places]
    if dashes is not None and len(words) < 2:
        if words == [""]:
            # A variable of a shell that is not set must not mean whichever swarm is there.
            hint = "for example: kubectl swarm shop -- status swarm"
            raise Failure("the name of the swarm is empty", NOT_UNDERSTOOD, [hint])
        return Route(None, "".join(words), _without(argv, places))
    if not words:
        return Route("help", "", tuple(argv))
    named = any(item.split("=")[0] == "--swarm" for item in argv)
    if named or begins(words):
        return _to("", argv, places, words)
    if not words[1:]:
        _refuse_slip("", words)
    if not _names_a_swarm(words[0], words[1:]):
        _refuse_slip("", words)
        if NAME.match(words[0]) and not near_word(words[0]):
            _refuse_slip(words[0], words[1:])
        return Route(None, "", tuple(argv))
    return _to(words[0], _without(argv, places[:1]), None, words[1:])


def begins(words: Sequence[str]) -> bool:
    """Whether these words begin a view or a sentence."""
    return words[0] in VIEWS or fold(words[0].split(" ")[0]) in _FIRST_WORDS


def view_of(words: Sequence[str]) -> Optional[str]:
    """The view that these words ask for, None for a sentence."""
    first, following = words[0], words[1:]
    if first not in VIEWS:
        return None
    if first == "get" and following and following[0] not in KINDS:
        return None
    if first in ("logs", "diff", "explain") and len(following) > 1:
        return None
    return first


def _to(
    swarm: str,
    argv: Sequence[str],
    places: Optional[Sequence[int]],
    words: Sequence[str],
) -> Route:
    view = view_of(words)
    if view is None:
        _refuse_slip(swarm, words)
        return Route(None, swarm, tuple(argv))
    if places is None:
        places, _ = places_of(argv)
    return Route(view, swarm, _without(argv, places[:1]))


def _without(argv: Sequence[str], places: Sequence[int]) -> tuple[str, ...]:
    return tuple(word for index, word in enumerate(argv) if index not in places)


def _names_a_swarm(word: str, following: Sequence[str]) -> bool:
    if not NAME.match(word):
        return False
    if not following:
        if get_close_matches(word, [*_FIRST_WORDS, *VIEWS], 1, _NEAR):
            return False
        raise Failure(
            f"no view and no sentence begins with '{word}'",
            NOT_UNDERSTOOD,
            [
                f"if it is a swarm, say what to do: kubectl swarm {word} status swarm",
                "kubectl swarm get lists the swarms, kubectl swarm help what can be said",
            ],
        )
    if _parses(following):
        return True
    meant = near_word(word)
    return begins(following) and not (meant and _parses([meant, *following]))


def _refuse_slip(swarm: str, words: Sequence[str]) -> None:
    """Raises Failure, with the view that is meant, for a slip of a view or of its kind."""
    first, following = words[0], words[1:]
    meant: list[str] = []
    if first in KINDS and not following:
        meant = ["get", first]
    elif first == "get" and len(following) == 1:
        meant = ["get", *get_close_matches(following[0], KINDS, 1, _NEAR)]
    elif not begins(words):
        near = get_close_matches(first, [*VIEWS, *_FIRST_WORDS], 1, _NEAR)
        meant = [*near, *following]
        if not near or view_of(meant) is None:
            return
    if (len(meant) < 2 and first in VIEWS) or not meant or _parses(words):
        return
    spoken = " ".join(filter(None, ["kubectl swarm", swarm, *meant]))
    raise Failure(
        f"there is no view '{' '.join(words)}'",
        NOT_UNDERSTOOD,
        [f"did you mean: {spoken}"],
    )


def near_word(word: str) -> str:
    """The first word of the language that ``word`` may be a slip for, else ''."""
    return "".join(get_close_matches(word, _FIRST_WORDS, 1, _NEAR))


def _parses(words: Sequence[str]) -> bool:
    try:
        parse(sentence_of(words))
    except SentenceError:
        return False
    return True
