"""The one way to run git.

Role: every git command of the project is started here, as a process of GitPython's, from a
list of arguments.

Guarantees: no shell; an environment of its own (nothing inherited but the search path
and the machine's proxy and certificate settings; configuration only from the file
``gitconfig`` beside this module); no prompt; a deadline, after which the command and its
children are killed; failures raise an error of errors.py.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from contextlib import ExitStack
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Collection, Mapping, Optional, cast

import git as gitpython

from kiro_swarm.workspace.errors import (
    GitFailed,
    GitHindered,
    GitMissing,
    GitSaysHindered,
    GitSilent,
    GitTimeout,
)
from kiro_swarm.workspace.redaction import HIDDEN, redact_end
from kiro_swarm.workspace.silence import Watch
from kiro_swarm.workspace.starting import start

_CONFIGURATION = str(Path(__file__).with_name("gitconfig"))
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_INHERITED = frozenset(
    ("PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", *_PROXIES, *map(str.lower, _PROXIES))
)
_FIXED: dict[str, str] = {
    "HOME": "/dev/null",
    "LC_ALL": "C",
    "TZ": "UTC",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": _CONFIGURATION,
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "include.path",
    "GIT_CONFIG_VALUE_0": _CONFIGURATION,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_EDITOR": "false",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    # Three ways in which a repository can pretend to hold other objects than it does.
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_GRAFT_FILE": "/dev/null/none",
}
#: How git says that the machine was in its way, this one: whole lines of its own, at the end
#: of which the C library says why. Names, refs and contents of a repository stand before that.
_HINDERED = re.compile(
    r"^(?:"
    r"error: [^:\n]+ died of signal \d+"
    r"|fatal: Out of memory, \w+ failed(?: \(tried to allocate \d+ bytes\))?"
    r"|(?:fatal|error): (?:in|de)flate: out of memory"
    r"|fatal: update_ref failed for ref '[^' ]*': cannot lock ref '[^' ]*':"
    r" unable to create directory for /[^\n]*"
    r"|(?:(?:fatal|error): (?!object [0-9a-f]{40})[^\n]*|/[^:\n]*): (?:Cannot allocate memory"
    r"|No space left on device|Disk quota exceeded|Read-only file system"
    r"|Input/output error|Stale file handle|Too many open files"
    r"|Resource temporarily unavailable)"
    r")$",
    re.MULTILINE,
)
LOCAL_SECONDS = 600.0
# Characters of the end of what git said: the reason comes last, after what it warned of.
_TOLD = 1800
#: In a worktree: less than the 600 that runners and Jobs wait for, so that they are told why.
WORKTREE_SECONDS = 420.0
# What prlimit ends with when it finds no git.
_NOT_FOUND = 127
_MIB = 1024 * 1024
# Where git reads what a candidate has made: the address space, in which what it maps of packs
# takes 256 MiB at most (gitconfig), seconds of a processor, and one piece of memory.
_BOUNDS = ("prlimit", f"--as={2048 * _MIB}", "--cpu=600")
_PIECE = 512 * _MIB


@dataclass(frozen=True)
class Output:
    """What a git command answered."""

    status: int
    stdout: bytes
    stderr: str
    #: What its standard output holds and nobody is to be told.
    hidden: tuple[bytes, ...] = ()

    @property
    def shown(self) -> str:
        """Standard output as a person may be told it. It is not for being parsed."""
        said = without(self.hidden, self.stdout)
        return said.decode("utf-8", "replace").rstrip("\n")

    @property
    def text(self) -> str:
        """Standard output as text, without the last line end."""
        return self.stdout.decode("utf-8", "replace").rstrip("\n")

    @property
    def lines(self) -> list[str]:
        """Its lines, as git ends them: a name may hold what Unicode calls an end of line.

        A name that is not UTF-8 keeps its bytes, as the file system's do (os.fsencode).
        """
        said = self.stdout.decode("utf-8", "surrogateescape")
        return said.rstrip("\n").split("\n") if said.rstrip("\n") else []


def without(hidden: Collection[bytes], said: bytes) -> bytes:
    """It, with none of these values in it; the longest first: one may be a part of another."""
    for value in sorted(filter(None, hidden), key=len, reverse=True):
        said = said.replace(value, HIDDEN.encode())
    return said


class Git:
    """Runs git in one git directory.

    ``work_tree`` and ``index`` replace git's own notion of them; ``environment`` adds
    variables (credentials.py); ``held`` is the descriptor of the lock to be inherited;
    ``seconds`` is the deadline of a command that is given none.
    """

    def __init__(
        self,
        git_dir: Path,
        *,
        work_tree: Optional[Path] = None,
        index: Optional[Path] = None,
        environment: Optional[Mapping[str, str]] = None,
        held: Optional[int] = None,
        seconds: float = LOCAL_SECONDS,
    ) -> None:
        self.git_dir = git_dir
        self.seconds = seconds
        self._directory = work_tree if work_tree is not None else git_dir
        self._environment = {**_FIXED, "GIT_DIR": str(git_dir), **(environment or {})}
        if work_tree is not None:
            self._environment["GIT_WORK_TREE"] = str(work_tree)
        if index is not None:
            self._environment["GIT_INDEX_FILE"] = str(index)
        self._held: tuple[int, ...] = () if held is None else (held,)
        self._bounds: tuple[str, ...] = ()
        self._hidden: tuple[bytes, ...] = ()

    def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        ok: Collection[int] = (0,),
        seconds: Optional[float] = None,
        silence: Optional[float] = None,
    ) -> Output:
        """Run ``git <arguments>``; raises GitFailed unless its status is in ``ok``.

        Raises GitHindered, whatever is ``ok``, when it was killed or the machine was in
        its way: then its answer says nothing about what was asked.

        :param silence: GitSilent is raised when it did nothing for so many seconds.
        """
        process = self._start(arguments)
        seconds = self.seconds if seconds is None else seconds
        with ExitStack() as watched:
            watch = silence and watched.enter_context(Watch(process.pid, silence))
            try:
                stdout, stderr = process.communicate(stdin, timeout=seconds)
            except subprocess.TimeoutExpired:
                _kill_session(process)
                raise GitTimeout(
                    f"git {arguments[0]} did not finish within {seconds:g} seconds"
                ) from None
        if watch and watch.over:
            raise GitSilent(f"git {arguments[0]} did nothing for {silence:g} seconds")
        said = without(self._hidden, stderr).decode("utf-8", "replace")
        output = Output(process.returncode, stdout, said, self._hidden)
        if output.status < 0:
            raise GitHindered(
                f"git {arguments[0]} was ended by signal {-output.status}"
            )
        if output.status and says_hindered(output.stderr):
            raise GitSaysHindered(f"git {arguments[0]}: {output.stderr.strip()}")
        if output.status in ok:
            return output
        if output.status == _NOT_FOUND and not stdout:
            raise _missing("git")
        end = redact_end(output.stderr.strip(), _TOLD)
        raise GitFailed(f"git {arguments[0]}: {end or 'failed'}")

    def using(self, environment: Mapping[str, str]) -> Git:
        """The same with more variables."""
        other = copy(self)
        other._environment = {**self._environment, **environment}
        return other

    @property
    def directory(self) -> Path:
        """Where git is started."""
        return self._directory

    def in_work_tree(self, folder: Path) -> Git:
        """The same, with that folder as its worktree."""
        other = self.using({"GIT_WORK_TREE": str(folder)})
        other._directory = folder
        return other

    def hiding(self, values: Collection[bytes]) -> Git:
        """The same; none of ``values`` is in what it says in an error, or that is ``shown``.

        What it answers stays as it is: a value may be a part of what is parsed.
        """
        other = copy(self)
        other._hidden = tuple(values)
        return other

    def bounded(self) -> Git:
        """The same with bounds on memory and processor time, for what is not proved yet."""
        other = self.using({"GIT_ALLOC_LIMIT": str(_PIECE)})
        other._bounds = _BOUNDS
        return other

    def commit_id(self, name: str) -> Optional[str]:
        """The commit that a full ref name or object id leads to, or None."""
        found = self.run(
            *("rev-parse", "--verify", "--quiet", "--end-of-options"),
            name + "^{commit}",
            ok=(0, 1, 128),
        )
        return found.text if found.status == 0 else None

    def commit_ids(self, *names: str) -> list[Optional[str]]:
        """What ``commit_id`` says of each of these names; one process where all are there."""
        asked = "".join(f"{name}^{{commit}}\n" for name in names)
        found = self.run(
            *("cat-file", "--batch-check=%(objecttype) %(objectname)"),
            stdin=asked.encode("utf-8", "surrogateescape"),
            ok=(0, 128),
        )
        answers = [line.split(" ") for line in found.text.split("\n")]
        if found.status != 0 or len(answers) != len(names):
            return [self.commit_id(name) for name in names]
        # "Missing" may be a machine in trouble here, which is told by the status there.
        return [
            oid[0] if kind == "commit" and len(oid) == 1 else self.commit_id(name)
            for name, (kind, *oid) in zip(names, answers)
        ]

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether ``newer`` contains ``older``; both are ids of commits that exist."""
        if older == newer:
            return True
        asked = self.run("merge-base", "--is-ancestor", older, newer, ok=(0, 1))
        return asked.status == 0

    def _start(self, arguments: tuple[str, ...]) -> gitpython.Git.AutoInterrupt:
        # GitPython's own way to start a process adds to the environment of this one. Values (a
        # proxy's password) are never on the command line.
        reachable = os.access(self._directory, os.X_OK)
        folder = ("-C", str(self._directory)) if reachable else ()
        command = [*self._bounds, "git", *folder, "--no-pager", *arguments]
        inherited = {name: os.environ[name] for name in _INHERITED & os.environ.keys()}
        try:
            process = start(command, {**inherited, **self._environment}, self._held)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise _missing(command[0]) from error
        except PermissionError as error:
            raise GitFailed(f"git {arguments[0]}: {error}") from error
        # Whichever of the two it is, it has what AutoInterrupt asks for.
        return gitpython.Git.AutoInterrupt(
            cast("subprocess.Popen[bytes]", process), command
        )


def _missing(program: str) -> GitMissing:
    needed = "git 2.39 or newer" if program == "git" else "util-linux"
    return GitMissing(f"no {program} program on the PATH; install {needed}")


def says_hindered(stderr: str) -> bool:
    """Whether a git that failed says that the machine was in its way."""
    return _HINDERED.search(stderr) is not None


def _kill_session(process: gitpython.Git.AutoInterrupt) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
