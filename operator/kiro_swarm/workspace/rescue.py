"""What goes with the volume and is nowhere else, pushed where nobody works.

Role: the integrate Job of a swarm that is being deleted calls ``rescue``.

Guarantees: the repository gets commits under ``refs/kiro/rescue/<uid of the swarm>/`` and no
branch of it is touched; nothing is forced, and what is there already is pushed again without
harm. What the repository has is not pushed: by what it says itself now, for a branch that was
pushed may have been deleted there since, and what the work began from.

What is safe first is pushed first: the integration branch, then finished work that the mirror has,
all of it by one push while none of it is in doubt, then each work that a runner has kept, as soon
as it is adopted. One that is refused, or that killed Jobs before, keeps no other from being pushed;
it is tried last, and named. Where the integration branch as a whole is refused, for something that
one merge brought, the newest merge is searched for that is not.

A volume that is full or read-only, a mirror in which a ref, the HEAD, the settings or an object is
broken, keeps nothing from being pushed but what needs just that object: refs are read from their
files, git works in a folder for temporary files that borrows the objects, and what the mirror
cannot adopt is pushed from where its runner has kept it.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Optional

from kiro_swarm.policy import naming
from kiro_swarm.workspace.adoption import adopt
from kiro_swarm.workspace.blame import words_of
from kiro_swarm.workspace.borrowed import borrow, make_repository
from kiro_swarm.workspace.credentials import Credentials
from kiro_swarm.workspace.done import DONE_REFS, Kept, kept
from kiro_swarm.workspace.doubts import Doubts
from kiro_swarm.workspace.errors import (
    GitFailed,
    GitTimeout,
    RemoteError,
)
from kiro_swarm.workspace.git import Git, Output
from kiro_swarm.workspace.limits import Limits
from kiro_swarm.workspace.mirror import START_REF, check_owner
from kiro_swarm.workspace.plain_refs import Refs, read_refs
from kiro_swarm.workspace.redaction import redact_start
from kiro_swarm.workspace.refs import check_word, is_trailer
from kiro_swarm.workspace.remote import Remote
from kiro_swarm.workspace.whose import Owner

log = logging.getLogger(__name__)

#: Folder of a volume with the finished work of all instances: no agent has a mount of it.
_SHELVES = Path(naming.finished_folder("x")).parent
RESCUE_REFS = "refs/kiro/rescue"
#: Refs that one push names.
_AT_ONCE = 200
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
    head: str = ""
    """Where the integration branch is."""


@contextmanager
def _desk(*lenders: Path) -> Iterator[Git]:
    """git with the objects of these repositories, the mirror in front, and nothing else of them.

    Where nothing temporary can be written it is git in the mirror.
    """
    with ExitStack() as opened:
        try:
            folder = opened.enter_context(
                tempfile.TemporaryDirectory(prefix="kiro-rescue-")
            )
            path = Path(folder, "repo.git")
            make_repository(path, "ref: refs/heads/rescue")
            borrow(path, *lenders)
        except OSError:
            path = lenders[0]
        yield Git(path)


@dataclass(frozen=True)
class _Rescue:
    """One Job's rescue."""

    git: Git
    mirror: Path
    root: Path
    branch: str
    remote: Remote
    into: str
    refs: Refs
    """Of the mirror."""
    known: list[str] = field(default_factory=list)
    """What the repository has."""
    made: Rescued = field(default_factory=Rescued)
    broken: list[str] = field(default_factory=list)
    """At which the server broke off, one after another."""
    there: dict[str, str] = field(default_factory=dict)
    """What the repository says that it has of it already: ref -> commit."""

    def ask(self) -> None:
        """Ask the repository what it has now, of the work and of an earlier rescue."""
        mine = f"{self.into}/integration"
        try:
            said = self.remote.list_refs(
                self.git, ["HEAD", f"refs/heads/{self.branch}", mine]
            )
        except RemoteError:
            said = {}  # the first push says so, too
        began = self.refs.found.get(START_REF)
        asked = {*said.values(), *([] if began is None else [began])}
        self.known.extend(oid for oid in sorted(asked) if self.git.commit_id(oid))
        if mine in said:
            self.made.refs.append(mine)

    def branch_head(self, told: str) -> None:
        """Push the integration branch, or all of it that is taken.

        :param told: where it is by the ledger, for which its own ref is asked first.
        """
        ref = f"refs/heads/{self.branch}"
        head = self.refs.found.get(ref, "")
        if told and (ref in self.refs.broken or not head):
            head = told
        if not head or self.git.commit_id(head) is None:
            seen = "cannot be read" if head or ref in self.refs.broken else "is gone"
            said = f"branch {self.branch} of the mirror {seen}"
            also = f", nor can commit {head}, where it was" if head else ""
            self.made.left.append(f"{self.into}/integration: {said}{also}")
            return
        self.made.head = head
        if self._push("integration", head):
            self.known.append(head)
        elif not self.broken:
            try:
                self._newest_taken(head)
            except (GitFailed, GitTimeout) as error:
                self.made.left.append(f"{self.into}/integration: {error.message}")

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
            with suppress(RemoteError):  # what is there is pushed again without harm
                self.there.update(self.remote.list_refs(self.git, refs))
        if not any(map(doubts.later, works)):
            self._together(doubts, works)
        for trailer in sorted(sorted(works), key=doubts.later):
            self._one(doubts, trailer, works[trailer])

    def _together(self, doubts: Doubts, works: Mapping[str, str]) -> None:
        """Push all of them by few connections; which ones are there then is known.

        Halves of what is refused as a whole are tried. Who is refused alone, or may have killed
        a Job, is left to those who push one at a time.
        """
        names = sorted(works)
        left = [names[at : at + _AT_ONCE] for at in range(0, len(names), _AT_ONCE)]
        broken = 0
        while left and broken <= _MOST_BROKEN:
            some = left.pop()
            ref_of = {f"{self.into}/done/{name}": works[name] for name in some}
            try:
                # Where this cannot be noted, the next Job would die of the same.
                doubts.begins(some[0])
                wanted = {
                    ref: oid
                    for ref, oid in ref_of.items()
                    if self.there.get(ref) != oid and not self._has(oid)
                }
                if len(wanted) < 2:
                    continue
                pairs = (f"{oid}:{ref}" for ref, oid in wanted.items())
                taken = _taken(self.remote.push(self.git, *pairs))
            except RemoteError:
                broken, taken = broken + 1, set()
            except (GitFailed, GitTimeout):
                taken = set()
            except OSError:
                return
            else:
                broken = 0
            finally:
                with suppress(OSError):
                    doubts.rests()
            self.there.update({ref: wanted[ref] for ref in taken & wanted.keys()})
            if not taken:
                half = len(some) // 2
                left.extend(
                    part for part in (some[:half], some[half:]) if len(part) > 1
                )

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
        for work in wanted:
            self._kept(doubts, work, limits)

    def _kept(self, doubts: Doubts, work: Kept, limits: Limits) -> None:
        """Adopt one and push it; where the mirror is in trouble, push it from its own place."""
        try:
            ((_, why),) = adopt(self.mirror, self.branch, [work], doubts, limits)
        except Exception as error:
            log.warning("%s is not adopted", work.trailer, exc_info=True)
            why = words_of(error)
        if not why:
            self._one(doubts, work.trailer, work.commit)
            return
        # What agents could write is opened by no git of ours.
        if work.place.parent.parent == self.root / _SHELVES:
            with _desk(self.mirror, work.place / "repo.git") as git:
                itself = replace(self, git=git)
                if itself._one(doubts, work.trailer, work.commit, told=True):
                    return
        self.made.left.append(f"{work.trailer}: {why}")

    def _adopted(self) -> dict[str, str]:
        """Trailer -> commit of the finished work that the mirror has."""
        start, found = f"{DONE_REFS}/", self.refs.found
        names = {
            r[len(start) :]: oid for r, oid in found.items() if r.startswith(start)
        }
        return {trailer: oid for trailer, oid in names.items() if is_trailer(trailer)}

    def unread(self, works: Iterable[str]) -> None:
        """Name finished work of which the mirror cannot say what it is.

        :param works: trailers of what is known by other means.
        """
        known = {*works, *self._adopted()}
        for ref in self.refs.broken:
            trailer = ref[len(DONE_REFS) + 1 :]
            if ref.startswith(f"{DONE_REFS}/") and trailer not in known:
                self.made.left.append(f"{trailer}: its ref in the mirror is broken")

    def _one(
        self, doubts: Doubts, trailer: str, commit: str, *, told: bool = False
    ) -> bool:
        """Push one work; what it may do to git is noted, where there is room to note it.

        Whether the repository has it. :param told: else somebody else notes why not.
        """
        ref = f"{self.into}/done/{trailer}"
        if self.there.get(ref) == commit:
            self.made.refs.append(ref)
            return True
        why = doubts.killer(trailer)
        if why:
            self.made.left.append(f"{trailer}: {why}")
            return False
        with suppress(OSError):
            doubts.begins(trailer)
        try:
            return self._push(f"done/{trailer}", commit, told=told)
        finally:
            with suppress(OSError):
                doubts.rests()

    def _push(self, name: str, commit: str, *, told: bool = False) -> bool:
        """Push one commit, or note why not: it is the only one of which that is known.

        :param told: it is noted already that the ref lacks something.
        """
        ref, left = f"{self.into}/{name}", [] if told else self.made.left
        try:
            if self._has(commit):
                return True
            pushed = self.remote.push(self.git, f"{commit}:{ref}")
        except RemoteError as error:
            # A server breaks off when a push is too large for it, and when it is away.
            self.broken.append(ref)
            if len(self.broken) > _MOST_BROKEN:
                raise
            left.append(f"{ref}: {error.message}")
            return False
        except (GitFailed, GitTimeout, OSError) as error:
            # Whoever is to blame: the next may be well.
            left.append(f"{ref}: {words_of(error)}")
            return False
        self.broken.clear()
        if pushed.status == 0:
            if ref not in self.made.refs:
                self.made.refs.append(ref)
            return True
        said = f"{self.remote.url} did not take {ref}: {pushed.shown} {pushed.stderr}"
        left.append(" ".join(redact_start(said, 2000).split()))
        return False

    def _has(self, commit: str) -> bool:
        """Whether it is known that the repository has this commit."""
        nots = [f"^{known}" for known in self.known]
        try:
            return not self.git.run("rev-list", "--max-count=1", commit, *nots).text
        except GitFailed:
            return False  # what cannot be read here may be there all the same


def _taken(pushed: Output) -> set[str]:
    """The refs that a push says are there now."""
    lines = (line.split("\t") for line in pushed.text.split("\n"))
    return {
        line[1].partition(":")[2]
        for line in lines
        if len(line) > 1 and line[0] in (" ", "*", "=", "+")
    }


def rescue(
    mirror: Path,
    root: Path,
    url: str,
    branch: str,
    swarm_uid: str,
    credentials: Optional[Credentials] = None,
    limits: Optional[Limits] = None,
    reported: Iterable[Kept] = (),
    head: str = "",
    begun: bool = True,
) -> Rescued:
    """Push it; what could be pushed, and what could not.

    :param reported: what is Done by its status, and where it is if it is on no shelf and not
        in the mirror.
    :param head: where the integration branch is, for whom its ref in the mirror is broken.
    :param begun: the swarm was prepared, so a mirror that says nothing is its own.

    Raises VolumeOfAnother; RemoteError where the server is away, when all was pushed that could
    be before.
    """
    into = f"{RESCUE_REFS}/{check_word(swarm_uid)}"
    remote = Remote(url, credentials)
    check_owner(mirror, Owner(url, swarm_uid), begun=begun)
    with _desk(mirror) as git:
        run = _Rescue(git, mirror, root, branch, remote, into, read_refs(mirror))
        run.ask()
        run.branch_head(head)
        doubts = Doubts(mirror)
        run.done(doubts)
        works = {work.trailer: work for work in reported}
        works.update((work.trailer, work) for work in kept(root))
        run.unread(works)
        run.kept(doubts, works.values(), limits or Limits())
    return run.made
