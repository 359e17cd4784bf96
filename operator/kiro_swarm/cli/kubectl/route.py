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
import shlex
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Optional, Sequence

from kiro_swarm.cli.kubectl.failure import NOT_UNDERSTOOD, Failure
from kiro_swarm.cli.kubectl.sentence import sentence_of
from kiro_swarm.cli.kubectl.spoken import Spoken, places_of
from kiro_swarm.commands.errors import SentenceError
from kiro_swarm.commands.grammar import fold
from kiro_swarm.commands.parser import PARSER, read
from kiro_swarm.commands.refusals import asks_to_delete, deletes

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
    "ledger": "Every move of the integration branch, with its tasks and gates.",
    "help": "Views and sentences; help VERB shows examples.",
}
KINDS = ("swarms", "tasks", "instances", "commands")
NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z")
_FIRST_WORDS = frozenset(PARSER.grammar.permissions)
#: A first word this near to one of the language is a slip, not a swarm.
_NEAR = 0.8
#: What follows a swarm may be less near to one.
_NEAR_AFTER = 0.75
#: What ``kiro-swarm tasks`` does with a file, without a cluster.
_OF_FILES = frozenset(("check", "graph"))


@dataclass(frozen=True)
class Route:
    """What to run. ``view`` None: a sentence. ``rest``: options and what is left of words."""

    view: Optional[str]
    swarm: str
    rest: tuple[str, ...]


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
    _refuse_files(words)
    plain = Spoken.of(argv)
    if named or begins(words):
        return _to(plain, argv, places, words)
    if not words[1:]:
        _refuse_slip(plain, words)
    if asks_to_delete(words):
        return Route(None, "", tuple(argv))
    if not _names_a_swarm(words[0], words[1:], plain):
        _refuse_slip(plain, words)
        if not NAME.match(words[0]) or near_word(words[0]):
            return Route(None, "", tuple(argv))
        # Whatever is wrong is wrong after the swarm, or with both words.
        _refuse_slip(Spoken.of(argv, words[0]), words[1:])
        if not _follows_a_swarm(words[1:]):
            raise _neither(words, Spoken.of(argv, words[0]))
    swarm, following = words[0], words[1:]
    return _to(Spoken.of(argv, swarm), _without(argv, places[:1]), None, following)


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
    spoken: Spoken,
    argv: Sequence[str],
    places: Optional[Sequence[int]],
    words: Sequence[str],
) -> Route:
    view = view_of(words)
    if view is None:
        _refuse_slip(spoken, words)
        return Route(None, spoken.swarm, tuple(argv))
    if places is None:
        places, _ = places_of(argv)
    return Route(view, spoken.swarm, _without(argv, places[:1]))


def _without(argv: Sequence[str], places: Sequence[int]) -> tuple[str, ...]:
    return tuple(word for index, word in enumerate(argv) if index not in places)


def _names_a_swarm(word: str, following: Sequence[str], spoken: Spoken) -> bool:
    if not NAME.match(word):
        return False
    if not following:
        if get_close_matches(word, [*_FIRST_WORDS, *VIEWS], 1, _NEAR):
            return False
        raise Failure(
            f"no view and no sentence begins with '{word}'",
            NOT_UNDERSTOOD,
            [
                "if it is a swarm, say what to do: "
                + Spoken(spoken.options, word).line("status swarm"),
                "kubectl swarm get lists the swarms, kubectl swarm help what can be said",
            ],
        )
    if _parses(following):
        return True
    meant = near_word(word)
    return begins(following) and not (meant and _parses([meant, *following]))


def _follows_a_swarm(words: Sequence[str]) -> bool:
    """Whether words, none of which is one of ours, may be a sentence with a slip."""
    first = words[0].split(" ")[0]
    near = get_close_matches(first, [*_FIRST_WORDS, *VIEWS], 1, _NEAR_AFTER)
    return bool(near) or asks_to_delete(sentence_of(words).split()[:2])


def _neither(words: Sequence[str], spoken: Spoken) -> Failure:
    """For two words of which the second begins nothing if the first is a swarm."""
    first, second = words[0], words[1].split(" ")[0]
    return Failure(
        f"no view and no sentence begins with '{first}', nor with '{second}' if "
        f"'{first}' is a swarm",
        NOT_UNDERSTOOD,
        ["kubectl swarm get lists the swarms, kubectl swarm help what can be said"]
        + ([f"to delete a swarm: {Spoken(spoken.options).delete()}"] * deletes(first)),
    )


def _refuse_files(words: Sequence[str]) -> None:
    """Raises Failure for what another tool of ours does with a task file."""
    if words[0] == "tasks" and words[1:2] and words[1] in _OF_FILES:
        raise Failure(
            "the plugin reads no files; the tool that does is kiro-swarm",
            NOT_UNDERSTOOD,
            [f"did you mean: kiro-swarm {shlex.join(words)}"],
        )


def _refuse_slip(spoken: Spoken, words: Sequence[str]) -> None:
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
    raise Failure(
        f"there is no view '{' '.join(words)}'",
        NOT_UNDERSTOOD,
        [f"did you mean: {spoken.line(' '.join(meant))}"],
    )


def near_word(word: str) -> str:
    """The first word of the language that ``word`` may be a slip for, else ''."""
    return "".join(get_close_matches(word, _FIRST_WORDS, 1, _NEAR))


def _parses(words: Sequence[str]) -> bool:
    try:
        read(sentence_of(words))
    except SentenceError:
        return False
    return True
