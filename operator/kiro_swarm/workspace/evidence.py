"""What a task left behind: committed, on its branch, ahead of its base, or why not.

Role: ``kiro-swarm workspace evidence`` runs ``gather`` in the agent container when the
agent has ended. The answer is a claim that the merge train proves for itself.

Guarantees: nothing the agent wrote is lost: what it left uncommitted is committed with the
task's trailer. Nothing outside the instance's folder is touched. Called again it finds
what it made and changes nothing.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from kiro_swarm.workspace.blame import NEVER_THE_CANDIDATE, of_the_machine, words_of
from kiro_swarm.workspace.disk import read_plain, remove
from kiro_swarm.workspace.elsewhere import refs_of
from kiro_swarm.workspace.errors import (
    NOT_OURS,
    BrokenRepository,
    GitFailed,
    GitTimeout,
    not_ours,
    of_another,
)
from kiro_swarm.workspace.git import WORKTREE_SECONDS, Git
from kiro_swarm.workspace.instance import Instance
from kiro_swarm.workspace.leftovers import (
    NOTHING_SAID,
    Excluded,
    doubtful,
    exclude_leftovers,
    left_out,
)
from kiro_swarm.workspace.lent import bring_home
from kiro_swarm.workspace.locks import (
    remove_stale_locks,
    sole_owner,
    wait_until_no_git_works_in,
)
from kiro_swarm.workspace.losses import (
    elsewhere,
    lost_content,
    nested_repositories,
    not_taken,
    warning,
)
from kiro_swarm.workspace.messages import TRAILER_KEY, carries, signed, subject
from kiro_swarm.workspace.missing import kept_for_a_filter
from kiro_swarm.workspace.patterns import endless_below
from kiro_swarm.workspace.pointers import Stored, stored
from kiro_swarm.workspace.portable import remark
from kiro_swarm.workspace.probe import place_trouble
from kiro_swarm.workspace.refs import check_object_id, check_task_branch, check_trailer
from kiro_swarm.workspace.spec import spec_file
from kiro_swarm.workspace.staging import (
    Unreadable,
    add_all,
    out_of_reach,
    staged_changes,
)
from kiro_swarm.workspace.standing import (
    check_state,
    head_on_branch,
    refuse_half_a_checkout,
)
from kiro_swarm.workspace.submodules import staged_by_us
from kiro_swarm.workspace.unchanged import keep_unchanged
from kiro_swarm.workspace.unfit import unfit, words
from kiro_swarm.workspace.verdict import Evidence, NotDone

log = logging.getLogger(__name__)

_NAMES = ("--name-status", "--no-renames", "--no-ext-diff", "-z")


@dataclass(frozen=True)
class _Commit:
    """The commit that the work ends with."""

    base: str
    branch: str
    trailer: str
    title: str
    may_be_empty: bool
    plan: Optional[str]
    exclude: Excluded


def gather(
    folder: Path,
    base: str,
    branch: str,
    trailer: str,
    title: str,
    *,
    may_be_empty: bool = False,
    plan: Optional[str] = None,
    exclude: Excluded = NOTHING_SAID,
    seconds: float = WORKTREE_SECONDS,
) -> Evidence:
    """Commit what was left and say what there is on ``branch`` since ``base``.

    ``may_be_empty``: a checkpoint; an empty commit stands for "checked, nothing to do".
    ``plan``: the swarm's own task file, as ``spec.tasks.specPath`` names it. The merge train
    takes it from nobody, so a change of it alone is none. ``exclude``: as for leftovers.py.
    ``seconds``: for each command of git.

    Raises InvalidRef for bad arguments, RepositoryBusy while a git process of the agent
    is alive, BrokenRepository where the branch was of no use before, and where the machine is
    in trouble as that says. Everything else is a state that the agent is to blame for: an
    Evidence, whatever was raised.
    """
    check_object_id(base)
    check_task_branch(branch)
    check_trailer(trailer)
    spec = None if plan is None else spec_file(plan)
    instance = Instance(folder)
    wait_until_no_git_works_in(instance.tree)
    with sole_owner(folder) as held:
        try:
            commit = _Commit(
                *(base, branch, trailer, subject(title)), may_be_empty, spec, exclude
            )
            return _gather(instance, held, commit, seconds)
        except NotDone as verdict:
            return verdict.evidence
        except Unreadable as found:
            return Evidence(found.reason, found.message)
        except Exception as error:  # whatever it is: the work has led to it
            if isinstance(error, NEVER_THE_CANDIDATE) or (
                of_the_machine(error) and not _endless(error, instance)
            ):
                raise
            log.warning("no evidence can be gathered", exc_info=True)
            closed = _closed(instance, error)
            if closed:
                return Evidence(Unreadable.reason, closed)
            return Evidence(
                "BrokenRepository",
                f"the worktree cannot be read any more: {words_of(error)};"
                " the next attempt gets a new one",
            )


def _endless(error: Exception, instance: Instance) -> bool:
    """Whether git never came to an end although the machine is well: then it is the work."""
    return isinstance(error, GitTimeout) and place_trouble(instance.folder) is None


def _refuse_endless(git: Git, instance: Instance, base: str) -> None:
    """Start no git that reads patterns where it would not come to an end with them."""
    exclude = os.fsencode(read_plain(instance.repository / "info" / "exclude"))
    found = endless_below(git, instance.tree, exclude, base)
    if found is not None:
        raise Unreadable(found.said) if found.own else BrokenRepository(found.said)


def _closed(instance: Instance, error: Exception) -> str:
    """What in the instance's folder is not ours to change, where that is why; in words."""
    if isinstance(error, OSError) and error.errno in NOT_OURS:
        return not_ours(error, instance.folder)
    names = out_of_reach(instance.folder)
    if not names or not isinstance(error, GitFailed):
        return ""
    first = instance.folder / os.fsdecode(names[0])
    return of_another(first, instance.folder, words_of(error))


def _gather(instance: Instance, held: int, commit: _Commit, seconds: float) -> Evidence:
    if instance.tree.is_symlink() or not instance.tree.is_dir():
        raise NotDone("BrokenRepository", "the worktree is gone; do not remove it")
    instance.restore_settings(commit.branch)
    interrupted = os.path.lexists(instance.admin / "index.lock")
    remove_stale_locks(instance.repository)
    private = instance.repository / "kiro-index"
    remove(private)
    agents_own = Git(
        instance.admin, work_tree=instance.tree, held=held, seconds=seconds
    )
    git = agents_own.using({"GIT_INDEX_FILE": str(private)})
    check_state(agents_own, instance)
    head = head_on_branch(git, instance, commit.base, commit.branch)
    git.run("read-tree", head)
    exclude_leftovers(git, instance, commit.base, commit.exclude)
    _refuse_endless(git, instance, commit.base)
    with staged_by_us(git, instance):
        left = _stage(git, agents_own, instance.tree, (head, commit.base))
    keep_unchanged(git, agents_own, instance.tree, head, commit.base)
    if interrupted:
        refuse_half_a_checkout(git, agents_own, instance, head)
    made, large = _commit_leftovers(git, instance, head, commit)
    # From now on the agent's index is ours, so that `git status` says clean.
    remove(instance.admin / "index")
    os.replace(private, instance.admin / "index")
    return _describe(agents_own, instance, commit, made, large, words(left))


def _stage(
    git: Git, agents_own: Git, tree: Path, commits: tuple[str, str]
) -> list[bytes]:
    """Stage the worktree as it is into a new index; what could not be, and is as it was.

    Not the agent's own index: it may hide changed files (assume-unchanged). From it come
    only those ignored files that the agent had staged on purpose.
    """
    left = add_all(git, tree, lambda: unfit(git, tree, commits))
    added = agents_own.run(
        *("diff-index", "--cached", "--no-renames", "--diff-filter=A"),
        *("--name-only", "-z", "HEAD"),
        ok=(0, 128),
    ).stdout
    there = [
        name
        for name in added.split(b"\0")
        if name and os.path.lexists(os.path.join(os.fsencode(tree), name))
    ]
    if there:
        git.run(
            *("add", "--force", "--pathspec-from-file=-", "--pathspec-file-nul"),
            stdin=b"\0".join(there),
        )
    return left


def _commit_leftovers(
    git: Git, instance: Instance, head: str, commit: _Commit
) -> tuple[str, Stored]:
    """The commit that the work ends with, and what of it is of Git LFS."""
    changes = staged_changes(git, commit.base)
    changed = bool(changes)
    if head != commit.base:
        compared = git.run("diff-index", "--cached", "--quiet", head, ok=(0, 1))
        changed = compared.status == 1
    untouched = not changed and head == commit.base
    if untouched and not commit.may_be_empty:
        raise _nothing(
            git, instance, commit, "the agent ended without changing anything"
        )
    nested = nested_repositories(changes, instance.tree)
    if nested:
        raise NotDone("NestedRepository", nested)
    large = stored(git, commit.base, changes)
    lost = lost_content(git, instance, commit.base, changes, large)
    if lost:
        raise NotDone("ContentElsewhere", lost)
    trailer = f"{TRAILER_KEY}: {commit.trailer}"
    options = ("--quiet", "--no-verify", "--trailer", trailer)
    if changed or untouched:
        git.run("commit", *options, "--allow-empty", "--message", commit.title)
    elif not carries(git, head, commit.trailer):
        # A commit that git cannot write again is what the next step is for.
        git.run(
            *("commit", *options, "--amend", "--no-edit"),
            *("--allow-empty", "--allow-empty-message"),
            ok=range(256),
        )
    return _sign(git, commit.trailer), large


def _sign(git: Git, trailer: str) -> str:
    """Let HEAD say what it is part of, as the merge train reads it, whatever its message."""
    made = git.run("rev-parse", "--verify", "HEAD").text
    if carries(git, made, trailer):
        return made
    text = signed(git.run("cat-file", "commit", made).stdout, trailer)
    again = git.run("hash-object", "-t", "commit", "-w", "--stdin", stdin=text).text
    git.run("update-ref", "--end-of-options", "HEAD", again, made)
    return again


def _nothing(
    git: Git, instance: Instance, commit: _Commit, message: str, also: str = ""
) -> NotDone:
    """The task's branch has no work: because there is none, or it is elsewhere."""
    place = elsewhere(git, instance, commit.base, commit.branch)
    if place:
        return NotDone("WrongBranch", place)
    kept = kept_for_a_filter(git, instance.tree)
    said = (also, kept, left_out(git, instance), not_taken(instance, refs_of(git)))
    return NotDone("NoChanges", message, "; ".join(filter(None, said)))


def _describe(
    git: Git, instance: Instance, wanted: _Commit, commit: str, large: Stored, left: str
) -> Evidence:
    base = wanted.base
    said = git.run("diff", *_NAMES, base, commit).stdout.split(b"\0")
    changed = list(zip(said[0::2], said[1::2]))
    files = [name.decode("utf-8", "replace") for _, name in changed]
    if not files and not wanted.may_be_empty:
        message = "the commits of the agent change nothing altogether"
        raise _nothing(git, instance, wanted, message)
    if files == [wanted.plan] and not wanted.may_be_empty:
        message = f"the agent changed nothing but {wanted.plan}, which the swarm ticks"
        ticked = f"a change of {wanted.plan} alone is none: the swarm ticks it"
        raise _nothing(git, instance, wanted, message, ticked)
    bring_home(git, instance, base, commit)
    told = (
        warning(git, instance, base, wanted.branch, large),
        kept_for_a_filter(git, instance.tree),
        doubtful(git, wanted.exclude),
        remark([name for kind, name in changed if kind == b"A"]),
        left,
    )
    also = "; ".join(filter(None, told))
    ahead = int(git.run("rev-list", "--count", f"{base}..{commit}").text)
    message = f"{ahead} commit(s) ahead of {base[:12]}, {len(files)} file(s) changed"
    message += f"; {also}" if also else ""
    tree = git.run("rev-parse", f"{commit}^{{tree}}").text
    return Evidence("Done", message, commit, tree, ahead, True, files, also)
