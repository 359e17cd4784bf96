"""Names that live in the cluster, for completion: asked of kubectl, within a time.

Called by ``complete``, which lets kubectl work while it loads the language. kubectl knows
every way to log in; a client library would take longer to load than the whole answer may.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import time
from typing import NamedTuple, Optional, Sequence

#: Options of kubectl that say where to ask.
_WHERE = ("-n", "--namespace", "--context", "--kubeconfig", "--as", "--as-group")
_KINDS = "kiroswarms,kirotasks,kiroinstances,swarmcommands"
_FIELDS = (
    "{.kind} {.metadata.name} {.spec.swarm} {.spec.id} "
    "{.status.state}{.status.phase} {.spec.title}"
)
_ROW = _FIELDS.replace(" ", '{"\\t"}')
_TEMPLATE = "jsonpath={range .items[*]}" + _ROW + '{"\\n"}{end}'
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*\Z")


class Name(NamedTuple):
    """A name as people say it: the id of a task, else the object's name."""

    kind: str
    text: str
    swarm: str
    help: str


class Question:
    """A kubectl that has been started and is not waited for yet."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._process: Optional[subprocess.Popen[bytes]] = None
        with contextlib.suppress(OSError):  # no kubectl: no names
            self._process = subprocess.Popen(
                ["kubectl", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )

    def lines(self, until: float) -> list[str]:
        """What it said, nothing if it failed or is not done at that monotonic time."""
        if self._process is None:
            return []
        try:
            left = max(0.0, until - time.monotonic())
            said, _ = self._process.communicate(timeout=left)
        except subprocess.TimeoutExpired:
            self.drop()
            return []
        return said.decode("utf-8", "replace").split("\n")

    def drop(self) -> None:
        """End it; its answer is not needed."""
        if self._process is not None and self._process.stdout is not None:
            self._process.kill()
            self._process.stdout.close()
            self._process.wait()


def ask_names(argv: Sequence[str]) -> Question:
    """Begin to ask for swarms, tasks, instances and commands."""
    return Question([*_where(argv), "get", _KINDS, "-o", _TEMPLATE])


def ask_namespaces(argv: Sequence[str]) -> Question:
    """Begin to ask for the namespaces."""
    template = 'jsonpath={range .items[*]}{.metadata.name}{"\\n"}{end}'
    return Question([*_where(argv), "get", "namespaces", "-o", template])


def ask_contexts(argv: Sequence[str]) -> Question:
    """Begin to ask for the contexts of the kubeconfig."""
    return Question([*_where(argv), "config", "get-contexts", "-o", "name"])


def read_names(lines: Sequence[str]) -> list[Name]:
    """The names in the answer to ``ask_names``; what is no name is left out."""
    found = []
    for line in lines:
        kind, name, swarm, task, state, title, *_ = [*line.split("\t"), *[""] * 6]
        text = task or name
        if kind and _PLAIN.match(text):
            words = " ".join(filter(None, (state, title)))
            found.append(Name(kind, text, swarm, printable(words)))
    return found


def printable(text: str) -> str:
    """One short line that does nothing to a terminal."""
    return "".join(char for char in text if char.isprintable())[:60]


def _where(argv: Sequence[str]) -> list[str]:
    """The options among the arguments that kubectl needs, too."""
    found: list[str] = []
    for index, word in enumerate(argv):
        if word in _WHERE and index + 1 < len(argv):
            found += argv[index : index + 2]
        elif word.split("=")[0] in _WHERE and "=" in word:
            found.append(word)
    return found
