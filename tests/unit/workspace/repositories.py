"""Real repositories for these tests, made with plain git."""

from __future__ import annotations

import atexit
import dataclasses
import functools
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Mapping, Optional

from kiro_swarm.workspace.adoption import adopt
from kiro_swarm.workspace.done import kept
from kiro_swarm.workspace.doubts import Doubts
from kiro_swarm.workspace.evidence import gather
from kiro_swarm.workspace.finished import keep, place_of
from kiro_swarm.workspace.instance import Cut, Instance, cut
from kiro_swarm.workspace.limits import Limits
from kiro_swarm.workspace.messages import Mover
from kiro_swarm.workspace.mirror import MirrorHead, prepare_mirror
from kiro_swarm.workspace.outcomes import Candidate, GateVerdict, Merged, Unproven
from kiro_swarm.workspace.train import MergeTrain
from kiro_swarm.workspace.verdict import Evidence
from kiro_swarm.workspace.whose import Owner, mark, owner_in
from tests.support import plain_git

INTEGRATION = "swarm/demo/integration"
SPEC = ".kiro/specs/demo/tasks.md"
TASKS = (
    "# Plan\n\n- [ ] 1. Begin\n  - [ ] 1.1 First\n  - [ ] 1.2 Second\n- [ ] 2. End\n"
)
#: Titles of the leaves.
TITLES = {"1.1": "First", "1.2": "Second", "2": "End"}
_ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/dev/null",
    "TZ": "UTC",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
    "GIT_AUTHOR_NAME": "Agent",
    "GIT_AUTHOR_EMAIL": "agent@example.com",
    "GIT_COMMITTER_NAME": "Agent",
    "GIT_COMMITTER_EMAIL": "agent@example.com",
}


def git(folder: Path, *arguments: str, check: bool = True) -> str:
    """Plain git, as an agent or a person uses it."""
    done = plain_git.start(folder, *arguments, env=_ENVIRONMENT, timeout=60)
    if check and done.returncode != 0:
        raise AssertionError(f"git {arguments}: {done.stderr.decode()}")
    return done.stdout.decode("utf-8", "replace").strip()


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def commit(folder: Path, files: Mapping[str, str], message: str = "Work") -> str:
    """Commit these files on whatever the folder stands on."""
    write(folder, files)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")


@functools.cache
def _begun() -> Path:
    """An upstream repository with one commit, made once a process: to copy is cheaper."""
    made = Path(tempfile.mkdtemp(prefix="kiro-swarm-upstream-"))
    atexit.register(shutil.rmtree, made)
    git(made, "init", "--quiet", "--template=", "--initial-branch=main")
    commit(
        made,
        {"app.py": "one\ntwo\nthree\n", ".gitignore": "*.log\n", SPEC: TASKS},
        "Begin",
    )
    return made


@dataclass
class Swarm:
    """An upstream repository, the mirror of it, and instances.

    A folder that holds them already, a copy of another one, is taken as it is.
    """

    top: Path
    upstream: Path = field(init=False)
    mirror: Path = field(init=False)

    def __post_init__(self) -> None:
        self.upstream = self.top / "upstream"
        self.mirror = self.top / "repo.git"
        if not self.upstream.exists():
            shutil.copytree(_begun(), self.upstream)
        said = owner_in(self.mirror)
        if said is not None and said.url != self.url:
            self.belongs_to(self.url, said.swarm)

    @property
    def url(self) -> str:
        return f"file://{self.upstream}"

    def belongs_to(self, url: str, swarm: str = "") -> None:
        """Have the mirror say that it is of this repository."""
        mark(self.mirror, Owner(url, swarm))

    def prepare(self, ref: str = "main") -> MirrorHead:
        return prepare_mirror(self.mirror, self.url, ref, INTEGRATION)

    def instance(self, index: int = 1) -> Instance:
        return Instance(self.top / "instances" / f"demo-{index}")

    def cut(self, index: int = 1, task: str = "1.1", attempt: int = 1) -> Cut:
        folder = self.instance(index).folder
        return cut(folder, self.mirror, branch(task, attempt), INTEGRATION)

    def gather(
        self, made: Cut, index: int = 1, task: str = "1.1", attempt: int = 1
    ) -> Evidence:
        trailer = f"uid-{task.replace('.', '-')}/{attempt}"
        folder = self.instance(index).folder
        return gather(folder, made.base, made.branch, trailer, TITLES.get(task, task))

    def work(
        self,
        files: Mapping[str, str],
        index: int = 1,
        task: str = "1.1",
        attempt: int = 1,
    ) -> Candidate:
        """A whole task by a well-behaved agent that leaves its files uncommitted."""
        made = self.cut(index, task, attempt)
        write(Path(made.tree), files)
        evidence = self.gather(made, index, task, attempt)
        assert evidence.reason == "Done", evidence
        return self.candidate(made, evidence.commit, index, task, attempt)

    def candidate(
        self,
        made: Cut,
        done: Optional[str],
        index: int = 1,
        task: str = "1.1",
        attempt: int = 1,
    ) -> Candidate:
        assert done is not None
        uid = f"uid-{task.replace('.', '-')}"
        return Candidate(
            task_id=task,
            title=TITLES.get(task, f"Task {task}"),
            uid=uid,
            attempt=attempt,
            instance_dir=self.instance(index).folder,
            branch=made.branch,
            commit=done,
            base=made.base,
        )

    def shelf(self, index: int = 1) -> Path:
        """Where the runner of an instance keeps finished work."""
        return self.top / "finished" / f"demo-{index}"

    def keep(self, done: Candidate) -> None:
        """What the runner does before it reports an attempt as Done."""
        folder = done.instance_dir
        shelf = self.top / "finished" / folder.name
        work = (done.uid, done.attempt, folder, self.mirror, INTEGRATION, done.commit)
        keep(shelf, *work)

    def kept(self, done: Candidate) -> Candidate:
        """The same candidate, as the integrate Job finds it."""
        name = done.instance_dir.name
        place = place_of(self.top, name, done.uid, done.attempt)
        return dataclasses.replace(done, instance_dir=place)

    def head(self) -> str:
        return git(self.mirror, "rev-parse", f"refs/heads/{INTEGRATION}")

    def show(self, path: str) -> str:
        return git(self.mirror, "show", f"{INTEGRATION}:{path}")

    def fsck(self, repository: Path) -> str:
        return git(repository, "fsck", "--strict", "--no-dangling")


def branch(task: str = "1.1", attempt: int = 1) -> str:
    return f"swarm/demo/{task}/{attempt}"


class Gate:
    """A gate that answers as told and remembers what it was asked."""

    def __init__(self, passed: bool = True, output: str = "") -> None:
        self.verdict = GateVerdict(passed, "unit", output)
        self.asked: list[str] = []

    def check(self, commit: str) -> GateVerdict:
        self.asked.append(commit)
        return self.verdict


#: Who moves the branch in these tests: the uid of the swarm and the name of the Job.
MOVER = Mover("0b5e7f1a-swarm", "demo-integrate-1")


def train(
    swarm: Swarm, gate: Gate | None = None, limits: Limits | None = None
) -> MergeTrain:
    return MergeTrain(swarm.mirror, INTEGRATION, SPEC, gate or Gate(), limits, MOVER)


def merged(swarm: Swarm, candidate: Candidate) -> Merged:
    outcome = train(swarm).merge(candidate)
    assert isinstance(outcome, Merged), outcome
    return outcome


def unproven(swarm: Swarm, candidate: Candidate, limits: Limits | None = None) -> str:
    before = swarm.head()
    gate = Gate()
    outcome = train(swarm, gate, limits).merge(candidate)
    assert isinstance(outcome, Unproven), outcome
    assert swarm.head() == before
    assert gate.asked == []
    return f"{outcome.reason}: {outcome.brief}"


def adopted(swarm: Swarm) -> int:
    """Take what runners have kept into the mirror, as Jobs do; how much could be taken."""
    doubts, works = Doubts(swarm.mirror), kept(swarm.top)
    made = adopt(swarm.mirror, INTEGRATION, works, doubts, Limits())
    return sum(not why for _, why in made)
