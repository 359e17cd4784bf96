"""Git work in the agent container, asked for over the agent socket.

Called by an attempt. The runner itself never runs git in an instance's repository, for
the agent can write it; what comes back here is a claim that the integrate Job proves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Optional, Sequence

from kiro_swarm.agents.prompt import one_line
from kiro_swarm.policy import naming
from kiro_swarm.sandbox.bounds import ProtocolError, read_object
from kiro_swarm.sandbox.port import ExecResult, WorktreePort

_SECONDS = 600.0
_SHA = re.compile(r"([0-9a-f]{40}|[0-9a-f]{64})\Z")


class WorktreeError(Exception):
    """The worktree could not be cut or looked at; the message says why."""


@dataclass(frozen=True)
class Cut:
    """A branch cut for an attempt; ``base`` is the commit it starts from."""

    base: str
    branch: str


@dataclass(frozen=True)
class Evidence:
    """What is found in the worktree after the agent; ``commit`` is None for nothing.

    ``tree`` is git's name for the files of that commit: two commits with the same files
    have the same one. Empty without a commit. ``warning`` is what people should know of
    work that is there.
    """

    commit: Optional[str]
    files: int
    reason: str
    message: str
    tree: str = ""
    warning: str = ""


class Worktree:
    """The worktree of one instance.

    ``root`` is where the swarm's volume is mounted; ``program`` starts our command line in
    the agent container. ``plan`` is the swarm's own task file, as its spec names it, and
    ``exclude`` are patterns of files that are nobody's work, ``profile`` says which
    agent's own files are not.
    """

    def __init__(
        self,
        socket: WorktreePort,
        instance: str,
        root: str = "/swarm",
        program: Sequence[str] = ("kiro-swarm",),
        *,
        plan: Optional[str] = None,
        exclude: Sequence[str] = (),
        profile: str = "",
    ) -> None:
        self._socket = socket
        self._program = tuple(program)
        # Not as options: the agent's image may be of an earlier release.
        self._environment = {
            "KIRO_PLAN": plan or "",
            "KIRO_EXCLUDE": "\n".join(exclude),
            "KIRO_PROFILE": profile,
        }
        self.mirror = f"{root}/repo.git"
        self.folder = f"{root}/instances/{instance}"
        # Mounted in the runner's container alone.
        self.shelf = f"{root}/{naming.finished_folder(instance)}"
        self.tree = f"{self.folder}/tree"

    async def cut(self, branch: str, integration: str) -> Cut:
        """Cut ``branch`` from the head of ``integration``; raises WorktreeError.

        The container is as new before: nothing of an earlier task is there any more.
        """
        problem = await self._socket.renew()
        if problem:
            raise WorktreeError(f"the agent container is not as new: {problem}")
        answer = await self._ask(
            "cut", mirror=self.mirror, branch=branch, integration=integration
        )
        return Cut(base=_sha(answer, "base"), branch=branch)

    async def evidence(
        self, cut: Cut, trailer: str, title: str, *, may_be_empty: bool = False
    ) -> Evidence:
        """Commit what was left and say what is there; raises WorktreeError.

        ``trailer`` is the value of the Swarm-Task trailer that the commit carries; with
        ``may_be_empty`` a commit without changes counts as work.
        """
        answer = await self._ask(
            "evidence",
            "--may-be-empty" if may_be_empty else "--no-may-be-empty",
            base=cut.base,
            branch=cut.branch,
            trailer=trailer,
            title=one_line(title) or "task",
        )
        files = answer.get("files")
        nothing = answer.get("commit") is None
        return Evidence(
            commit=None if nothing else _sha(answer, "commit"),
            files=len(files) if isinstance(files, list) else 0,
            reason=one_line(str(answer.get("reason", "")), 64),
            message=one_line(str(answer.get("message", "")), 512),
            tree="" if nothing else _sha(answer, "tree"),
            warning=one_line(str(answer.get("warning", "")), 512),
        )

    async def restore(self, cut: Cut, commit: str) -> None:
        """Bring the files back to ``commit`` of the branch; raises WorktreeError.

        Ignored files stay. What a check leaves behind is not the work of the agent.
        """
        await self._ask("restore", branch=cut.branch, commit=commit)

    async def give_back(self) -> None:
        """Empty the instance's folder: the next cut makes it anew. Raises WorktreeError."""
        await self._ask("clear")

    async def _ask(self, verb: str, *flags: str, **options: str) -> dict[str, object]:
        # With "=" a value that begins with a dash is no option.
        result = await self._socket.exec(
            [
                *self._program,
                "workspace",
                verb,
                f"--instance-dir={self.folder}",
                *flags,
                *(f"--{name}={value}" for name, value in options.items()),
            ],
            cwd="/",
            env=self._environment,
            timeout_seconds=_SECONDS,
        )
        answer = _last_object(result.stdout)
        error = answer.get("error")
        if isinstance(error, dict):
            raise WorktreeError(one_line(str(error.get("message")), 512))
        if not result.succeeded or not answer:
            raise WorktreeError(f"`workspace {verb}` {_end_of(result)}")
        return answer


def _end_of(result: ExecResult) -> str:
    said = one_line(result.tail[-512:], 512)
    return f"{result.describe()} without a usable answer" + (
        f": {said}" if said else ""
    )


def _last_object(stdout: str) -> dict[str, object]:
    lines = stdout.strip().split("\n")
    try:
        return read_object(lines[-1])
    except ProtocolError:
        return {}


def _sha(answer: dict[str, object], field: str) -> str:
    value = answer.get(field)
    if not isinstance(value, str) or not _SHA.match(value):
        raise WorktreeError(
            f"`workspace` answered {one_line(repr(value))} for {field}: not an object"
        )
    return value
