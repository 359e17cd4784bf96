"""``kubectl_complete-swarm``: what may follow the words of ``kubectl swarm`` typed so far.

kubectl calls it with those words, the last one unfinished or empty, and takes candidates
one a line, each with its help after a tab, and a directive of cobra's at the end. Loads
little, asks kubectl for live names meanwhile, and answers without them when they are late.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Iterator, NoReturn, Optional, Sequence

from kiro_swarm.cli.kubectl import names

if TYPE_CHECKING:
    from kiro_swarm.commands.completion import Candidate

#: Candidates and nothing else: no file names; and no space after the word.
_NO_FILES, _NO_SPACE, _FILES = 4, 2, 0
#: Seconds from here on, for the interpreter has taken its part of 0.3 already. Who has a
#: cluster far away may want to wait longer.
_PATIENCE = 0.24
_PATIENCE_VARIABLE = "KUBECTL_SWARM_COMPLETION_SECONDS"

#: Options of a sentence and of every view.
EVERYWHERE = (
    *("--namespace", "--swarm", "--context", "--kubeconfig"),
    *("--as", "--as-group", "--request-timeout"),
)
_OF_SENTENCE = ("--dry-run", "--no-wait", "--timeout", "--correlation-id", "--output")
#: View -> options of its own; "" is a sentence.
OPTIONS: dict[str, tuple[str, ...]] = {
    "": _OF_SENTENCE,
    "get": ("--output",),
    "logs": ("--follow", "--previous", "--container", "--tail"),
    "graph": ("--output",),
    "timeline": ("--output",),
    "events": ("--output",),
    "diff": ("--timeout", "--output"),
    "explain": ("--timeout", "--output"),
    "audit": ("--verify", "--output"),
    "ledger": ("--output",),
}
_OBJECTS = ("json", "yaml", "name", "wide")
OUTPUTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("", "get", "diff", "explain"), _OBJECTS),
    **dict.fromkeys(("events", "audit", "ledger"), ("json", "yaml")),
    "graph": ("mermaid", "dot", "svg"),
    "timeline": ("svg",),
}
_KIND_OF = {
    "task": "KiroTask",
    "instance": "KiroInstance",
    "command": "SwarmCommand",
    "swarm": "KiroSwarm",
}
#: View -> kinds of live names that it takes.
_NAMES_OF = {
    "logs": ("task", "instance"),
    "diff": ("task",),
    "explain": ("task",),
    "open": ("instance",),
}


def main(argv: Optional[Sequence[str]] = None) -> NoReturn:
    """Print what may follow; never fails, for nobody would see why."""
    until = time.monotonic() + _patience()
    words = list(sys.argv[1:] if argv is None else argv) or [""]
    lines, directive = _answer(words[:-1], words[-1], until)
    sys.stdout.write("".join(f"{line}\n" for line in [*lines, f":{directive}"]))
    sys.stdout.flush()
    sys.exit(0)


def _patience() -> float:
    try:
        return float(os.environ[_PATIENCE_VARIABLE])
    except (KeyError, ValueError):
        return _PATIENCE


def _answer(argv: list[str], fragment: str, until: float) -> tuple[list[str], int]:
    if argv and argv[-1] in ("-n", "--namespace"):
        return _plain(names.ask_namespaces(argv[:-1]).lines(until), fragment)
    if argv and argv[-1] == "--context":
        return _plain(names.ask_contexts(argv[:-1]).lines(until), fragment)
    if argv and argv[-1] == "--kubeconfig":
        return [], _FILES
    question = None if fragment.startswith("-") else names.ask_names(argv)
    from kiro_swarm.cli.kubectl.spoken import VALUED

    if argv and argv[-1] in VALUED - {"--swarm"}:
        if question is not None:
            question.drop()
        if argv[-1] in ("-c", "--container"):
            return _plain(("agent", "runner"), fragment)
        is_output = argv[-1] in ("-o", "--output")
        return _plain(OUTPUTS.get(_view(argv), ()) if is_output else (), fragment)
    if question is None:
        return _plain([*OPTIONS.get(_view(argv), ()), *EVERYWHERE], fragment)
    found = list(_candidates(argv, fragment))
    live = any(candidate.kind for candidate in found)
    known = names.read_names(question.lines(until)) if live else []
    if not live:
        question.drop()
    offered = _lines(found, known, _swarm(argv), fragment)
    lines = list({line.partition("\t")[0]: line for line in offered}.values())
    joined = bool(lines) and all(line.split("\t")[0].endswith("=") for line in lines)
    return lines, _NO_FILES | (_NO_SPACE if joined else 0)


def _plain(words: Sequence[str], fragment: str) -> tuple[list[str], int]:
    return [
        names.printable(word) for word in words if word.startswith(fragment)
    ], _NO_FILES


def _lines(
    found: Sequence[Candidate],
    known: Sequence[names.Name],
    swarm: str,
    fragment: str,
) -> Iterator[str]:
    """Candidates as cobra reads them, live names in the place of their kind."""
    for candidate in found:
        if not candidate.kind:
            yield f"{candidate.text}\t{candidate.help}"
            continue
        for name in known:
            wanted = name.kind == _KIND_OF.get(candidate.kind)
            ours = name.kind == "KiroSwarm" or not swarm or name.swarm == swarm
            if wanted and ours and name.text.startswith(fragment):
                yield f"{name.text}\t{name.help}"


def _parts(argv: Sequence[str]) -> tuple[str, list[str], bool]:
    """The swarm that is named, the words said to it, and whether it could still be named."""
    from kiro_swarm.cli.kubectl.route import NAME, begins
    from kiro_swarm.cli.kubectl.spoken import places_of

    places, dashes = places_of(argv)
    words = [argv[place] for place in places]
    if dashes is not None:
        said = [*words[1:], *argv[dashes + 1 :]]
        return "".join(words[:1]), said, False
    swarm = _option(argv, "--swarm")
    if swarm or (words and (begins(words) or not NAME.match(words[0]))):
        return swarm, words, False
    return "".join(words[:1]), words[1:], not words


def _option(argv: Sequence[str], name: str) -> str:
    for index, word in enumerate(argv):
        if word == name and index + 1 < len(argv):
            return argv[index + 1]
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
    return ""


def _swarm(argv: Sequence[str]) -> str:
    return _parts(argv)[0]


def _view(argv: Sequence[str]) -> str:
    """The view that is asked for; "" for a sentence."""
    from kiro_swarm.cli.kubectl.route import view_of

    _, words, _ = _parts(argv)
    return (view_of(words) or "") if words else ""


def _candidates(argv: Sequence[str], fragment: str) -> Iterator[Candidate]:
    """Everything that may stand here: swarms, views, words of the language."""
    from kiro_swarm.cli.kubectl.route import KINDS, VIEWS
    from kiro_swarm.commands.completion import Candidate, complete

    if argv and argv[-1] == "--swarm":
        yield Candidate("", "", "swarm")
        return
    _, words, unnamed = _parts(argv)
    if unnamed:
        yield Candidate("", "", "swarm")
    if not words or words == ["help"]:
        matching = [view for view in VIEWS if view.startswith(fragment)]
        yield from (Candidate(view, VIEWS[view]) for view in matching)
    if words == ["help"]:
        yield from complete([], fragment)
        return
    if words == ["get"]:
        kinds = [kind for kind in KINDS if kind.startswith(fragment)]
        yield from (Candidate(kind, VIEWS["get"]) for kind in kinds)
    if len(words) == 1:
        yield from (Candidate("", "", kind) for kind in _NAMES_OF.get(words[0], ()))
    yield from complete(words, fragment)
