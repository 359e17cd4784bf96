"""Work that an agent has put where nobody takes it from.

Role: evidence.py. A task's branch alone is merged; what is in a stash, on another branch, in
a worktree beside, on a detached HEAD that was left, or in a submodule is not.

Guarantees: nothing is moved or run; the names are printable and few. What the base of the
task contains, what the branch has by now, if in another commit, and what earlier tasks have
left is not work of this one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice

from kiro_swarm.workspace.briefs import shown_name
from kiro_swarm.workspace.disk import read_plain
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.instance import Instance
from kiro_swarm.workspace.refs import is_object_id, is_task_branch
from kiro_swarm.workspace.tags import DROPPED

_HEADS = "refs/heads/"
_KNOWN = ("refs/kept/", "refs/remotes/", "refs/kiro/")
_TAGS = "refs/tags/"
_NOT_TAKEN = (_TAGS, "refs/notes/")
#: What a tag with a message is of, or a ref itself.
_COMMIT = "%(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)"
_STASH = "the stash"
_SHOWN = 5
_MOST = 200


def refs_of(git: Git) -> list[tuple[str, str]]:
    """Commit and name of every ref of a repository."""
    listed = git.run("for-each-ref", f"--format={_COMMIT} %(refname)", ok=(0, 128))
    return [(oid, name) for oid, _, name in (x.partition(" ") for x in listed.lines)]


def work_elsewhere(
    git: Git,
    instance: Instance,
    base: str,
    branch: str,
    refs: Sequence[tuple[str, str]],
    *,
    nothing_else: bool,
) -> list[str]:
    """Where commits are that began from ``base`` and are not on ``branch``; for people.

    ``refs``: of the repository of the worktree.
    ``nothing_else``: the branch has no work, so that commits count which a HEAD has left
    behind; beside work they are mostly what was amended.
    """
    named: dict[str, str] = {}
    places = _places(instance, branch, refs)
    left = _left_behind(instance) if nothing_else else iter(())
    for name, oid in chain(places, left):
        named.setdefault(oid, name)
    if not named:
        return []
    new = _tips(git, list(named), base, branch)
    if not new:
        return []
    began, known = _from_base(git, new, base), _trees(git, base, branch)
    trees = _tree_of(git, new)
    found = [
        f"{shown_name(named[oid])} ({oid[:12]})"
        for oid in new
        # New files are beside the tree of a stash, in a parent of its own.
        if oid in began and (named[oid] == _STASH or trees.get(oid) not in known)
    ]
    return found[:_SHOWN]


def tags_and_notes(instance: Instance, refs: Sequence[tuple[str, str]]) -> list[str]:
    """Tags and notes that are not those of the source: nothing but commits is taken.

    A tag of the source that is of something else here was moved, and is named as that.
    """
    own = [ref for ref in refs if ref[1].startswith(_NOT_TAKEN)]
    known: dict[str, str] = {}
    if any(name.startswith(_TAGS) for _, name in own) and instance.mirror.is_dir():
        there = Git(instance.mirror).run(
            *("for-each-ref", f"--format={_COMMIT} %(refname)", _TAGS, DROPPED),
            ok=range(256),
        )
        source = [line.split(" ", 1) for line in there.lines]
        known = {name: oid for oid, name in source}
        # A tag that was moved or dropped since the cut has lost its name there.
        late = {oid for oid, name in source if name.startswith(f"{DROPPED}/")}
        own = [ref for ref in own if known.get(ref[1]) != ref[0] and ref[0] not in late]
    found = [
        shown_name(name[len("refs/") :]) + " (moved)" * (name in known)
        for _, name in own[: _SHOWN + 1]
    ]
    return [*found[:_SHOWN], "..."] if len(found) > _SHOWN else found


def _places(
    instance: Instance, branch: str, refs: Sequence[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """Name and commit of every place but the branch itself."""
    tagged = any(name.startswith(_TAGS) for _, name in refs)
    theirs = _tags_of_the_source(instance) if tagged else frozenset()
    own = (ref for ref in refs if not (ref[1].startswith(_TAGS) and ref[0] in theirs))
    for oid, name in islice(own, _MOST):
        short = name[len(_HEADS) :] if name.startswith(_HEADS) else ""
        if short == branch or is_task_branch(short):
            continue
        if name.startswith(_KNOWN):
            continue
        shown = f"branch {short}" if short else name
        yield (_STASH if name == "refs/stash" else shown), oid
    for admin in sorted(instance.admin.parent.glob("*"))[:_MOST]:
        head = read_plain(admin / "HEAD").strip()
        if admin != instance.admin and is_object_id(head):
            yield f"worktree {read_plain(admin / 'gitdir').strip()}", head


def _tags_of_the_source(instance: Instance) -> frozenset[str]:
    """Commits that the cut has copied tags of: those of the mirror, now or before."""
    if not instance.mirror.is_dir():
        return frozenset()
    listed = Git(instance.mirror).run(
        *("for-each-ref", f"--format={_COMMIT}", _TAGS, DROPPED), ok=range(256)
    )
    return frozenset(listed.lines)


def _left_behind(instance: Instance) -> Iterator[tuple[str, str]]:
    """The last states of a HEAD that was detached, or of a branch that was deleted."""
    moves = read_plain(instance.admin / "logs" / "HEAD").split("\n")[-_MOST:]
    for line in reversed(moves):
        oid = line.split(" ", 2)[1] if line.count(" ") > 1 else ""
        if is_object_id(oid):
            yield "a commit that no branch leads to", oid


def _tips(git: Git, commits: list[str], base: str, branch: str) -> list[str]:
    """Those that nothing leads to, the branch and the others included."""
    asked = "".join(f"{oid}\n" for oid in commits)
    answers = git.run("cat-file", "--batch-check", stdin=asked.encode("ascii")).lines
    there = [
        line.split(" ")[0] for line in answers if line.split(" ")[1:2] == ["commit"]
    ]
    if not there:
        return []
    ref = f"{_HEADS}{branch}"
    against = [f"^{base}", *([f"^{ref}"] if git.commit_id(ref) else [])]
    lines = "".join(f"{line}\n" for line in [*there, *against])
    listed = git.run(
        *("rev-list", "--parents", "--stdin"), stdin=lines.encode("ascii"), ok=(0, 128)
    ).lines
    rows = [line.split(" ") for line in listed]
    inner = {parent for row in rows for parent in row[1:]}
    new = {row[0] for row in rows} - inner
    return [oid for oid in there if oid in new]


def _from_base(git: Git, commits: list[str], base: str) -> set[str]:
    """Those of the commits, none of them the base, that contain it; and what is between."""
    asked = "".join(f"{oid}\n" for oid in (*commits, f"^{base}")).encode("ascii")
    return set(git.run("rev-list", "--ancestry-path", "--stdin", stdin=asked).lines)


def _tree_of(git: Git, commits: list[str]) -> dict[str, str]:
    """Commit -> its tree."""
    asked = "".join(f"{oid}^{{tree}}\n" for oid in commits).encode("ascii")
    listed = git.run("cat-file", "--batch-check=%(objectname)", stdin=asked).lines
    return dict(zip(commits, listed))


def _trees(git: Git, base: str, branch: str) -> set[str]:
    """What the base and the commits of the branch hold: whoever has the same is not new."""
    listed = git.run(
        "log", "--format=%T", f"{base}..{_HEADS}{branch}", ok=(0, 128)
    ).lines
    return {git.run("rev-parse", f"{base}^{{tree}}").text, *listed}
