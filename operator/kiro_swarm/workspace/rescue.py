"""What goes with the volume and is nowhere else, pushed where nobody works.

Role: the integrate Job of a swarm that is being deleted calls ``rescue``.

Guarantees: the repository gets commits under ``refs/kiro/rescue/<uid of the swarm>/`` and no
branch of it is touched; nothing is forced, and what is there already is pushed again without
harm. What the repository has is not pushed: by what it says itself now, for a branch that was
pushed may have been deleted there since, and what the work began from.

What is safe first is pushed first: the integration branch, then finished work that the mirror has,
then each work that a runner has kept, as soon as it is adopted. One that is refused, or that killed
Jobs before, keeps no other from being pushed; it is tried last, and named. Where the integration
branch as a whole is refused, for something that one merge brought, the newest merge is searched
for that is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from kiro_swarm.workspace.adoption import adopt
from kiro_swarm.workspace.blame import blame
from kiro_swarm.workspace.credentials import Credentials
from kiro_swarm.workspace.done import Kept, kept, refs
from kiro_swarm.workspace.doubts import Doubts
from kiro_swarm.workspace.errors import (
    Doubtful,
    GitFailed,
    GitTimeout,
    RefNotFound,
    RemoteError,
)
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.limits import Limits
from kiro_swarm.workspace.mirror import START_REF, integration_head
from kiro_swarm.workspace.outcomes import Unproven
from kiro_swarm.workspace.probe import find_trouble
from kiro_swarm.workspace.redaction import redact
from kiro_swarm.workspace.refs import check_word
from kiro_swarm.workspace.remote import Remote

RESCUE_REFS = "refs/kiro/rescue"
#: A server that breaks off oftener, one push after another, is away.
_MOST_BROKEN = 2
#: Merges among which the newest is searched for that is taken: a dozen pushes at most.
_LONGEST = 4096


@dataclass
class Rescued:
    """Names of the refs that the repository has for it now, and what is nowhere else still."""

    refs: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    """Each as one line: what it is, and why."""


@dataclass(frozen=True)
class _Rescue:
    """One Job's rescue."""

    git: Git
    branch: str
    remote: Remote
    into: str
    known: list[str]
    """What the repository has."""
    made: Rescued = field(default_factory=Rescued)
    broken: list[str] = field(default_factory=list)
    """At which the server broke off, one after another."""
    there: dict[str, str] = field(default_factory=dict)
    """What the repository says that it has of it already: ref -> commit."""

    def ask(self) -> None:
        """Ask the repository what it has now, of the work and of an earlier rescue."""
        began = self.git.commit_id(START_REF)
        mine = f"{self.into}/integration"
        try:
            said = self.remote.list_refs(
                self.git, ["HEAD", f"refs/heads/{self.branch}", mine]
            )
        except RemoteError:
            said = {}  # the first push says so, too
        there = [oid for oid in sorted(set(said.values())) if self.git.commit_id(oid)]
        self.known.extend(there if began is None else [began, *there])
        if mine in said:
            self.made.refs.append(mine)

    def branch_head(self) -> None:
        """Push the integration branch, or all of it that is taken.

        Raises RefNotFound: there is none.
        """
        head = integration_head(self.git.git_dir, self.branch)
        if self._push("integration", head):
            self.known.append(head)
        elif not self.broken:
            self._newest_taken(head)

    def _newest_taken(self, head: str) -> None:
        """Push the newest merge before ``head`` that the repository takes, if there is one.

        Each that is taken is older than the next that is tried: none has to be forced.
        """
        nots = [f"^{known}" for known in self.known]
        line = self.git.run(
            *("rev-list", "--first-parent", "--reverse", f"--max-count={_LONGEST}"),
            *(head, *nots),
        ).text.split()
        taken, refused = 0, len(line) - 1
        while taken < refused:
            middle = (taken + refused) // 2
            if self._push("integration", line[middle], told=True):
                self.known.append(line[middle])
                taken = middle + 1
            elif self.broken:
                return
            else:
                refused = middle

    def done(self, doubts: Doubts) -> None:
        """Push finished work that the mirror has."""
        works = self._adopted()
        refs = [f"{self.into}/done/{trailer}" for trailer in works]
        if refs:
            self.there.update(self.remote.list_refs(self.git, refs))
        for trailer in sorted(works, key=doubts.later):
            self._one(doubts, trailer, works[trailer])

    def kept(self, doubts: Doubts, works: Iterable[Kept], limits: Limits) -> None:
        """Adopt finished work, and push each before the next is adopted."""
        wanted, adopted = [], self._adopted()
        for work in sorted(works, key=lambda work: doubts.later(work.trailer)):
            if adopted.get(work.trailer) == work.commit:
                continue  # killed before it was removed here
            why = doubts.killer(work.trailer)
            if why:
                self.made.left.append(f"{work.trailer}: {why}")
            else:
                wanted.append(work)
        mirror = self.git.git_dir
        for work, why in adopt(mirror, self.branch, wanted, doubts, limits):
            if why:
                self.made.left.append(f"{work.trailer}: {why}")
            else:
                self._one(doubts, work.trailer, work.commit)

    def _adopted(self) -> dict[str, str]:
        """Trailer -> commit of the finished work that the mirror has."""
        return refs(self.git)

    def _one(self, doubts: Doubts, trailer: str, commit: str) -> None:
        """Push one work; what it may do to git is noted, where there is room to note it."""
        ref = f"{self.into}/done/{trailer}"
        if self.there.get(ref) == commit:
            self.made.refs.append(ref)
            return
        why = doubts.killer(trailer)
        if why:
            self.made.left.append(f"{trailer}: {why}")
            return
        with suppress(OSError):
            doubts.begins(trailer)
        try:
            self._push(f"done/{trailer}", commit)
        finally:
            with suppress(OSError):
                doubts.rests()

    def _push(self, name: str, commit: str, *, told: bool = False) -> bool:
        """Push one commit, or note why not: it is the only one of which that is known.

        :param told: it is noted already that the ref lacks something.
        """
        ref, left = f"{self.into}/{name}", [] if told else self.made.left
        try:
            nots = [f"^{known}" for known in self.known]
            if not self.git.run("rev-list", "--max-count=1", commit, *nots).text:
                return True  # the repository has it
            pushed = self.remote.push(self.git, f"{commit}:{ref}")
        except RemoteError as error:
            # A server breaks off when a push is too large for it, and when it is away.
            self.broken.append(ref)
            if len(self.broken) > _MOST_BROKEN:
                raise
            left.append(f"{ref}: {error.message}")
            return False
        except (GitFailed, GitTimeout) as error:
            found = blame(error, lambda: find_trouble(self.git.git_dir, self.branch))
            if not isinstance(found, (Unproven, Doubtful)):
                raise found from error
            left.append(f"{ref}: {error.message}")
            return False
        self.broken.clear()
        if pushed.status == 0:
            if ref not in self.made.refs:
                self.made.refs.append(ref)
            return True
        said = f"{self.remote.url} did not take {ref}: {pushed.text} {pushed.stderr}"
        left.append(" ".join(redact(said).split()))
        return False


def rescue(
    mirror: Path,
    root: Path,
    url: str,
    branch: str,
    swarm_uid: str,
    credentials: Optional[Credentials] = None,
    limits: Optional[Limits] = None,
    reported: Iterable[Kept] = (),
) -> Rescued:
    """Push it; what could be pushed, and what could not.

    :param reported: what is Done by its status, and where it is if it is on no shelf and not
        in the mirror.

    Raises RemoteError, GitFailed, and whatever is nobody's fault, when all was pushed that could
    be before. Of a swarm without its integration branch, RefNotFound.
    """
    git, into = Git(mirror), f"{RESCUE_REFS}/{check_word(swarm_uid)}"
    remote = Remote(url, credentials)
    run = _Rescue(git, branch, remote, into, [])
    run.ask()
    missing: Optional[RefNotFound] = None
    try:
        run.branch_head()
    except RefNotFound as error:
        missing = error
    doubts = Doubts(mirror)
    run.done(doubts)
    if missing is not None:
        raise missing
    works = {work.trailer: work for work in reported}
    works.update((work.trailer, work) for work in kept(root))
    run.kept(doubts, works.values(), limits or Limits())
    return run.made
