"""No tree may come to be whose patterns git does not come to an end with.

Role: evidence.py and restore.py ask about a worktree before git reads it, proof.py, mirror.py and
sync.py about what is to come onto the integration branch, from which every worktree and every
gate's checkout is made. What it costs is counted in pattern_steps.py.

Guarantees: a line of one task and a path of another are judged together, by whoever comes second.
Who brings no such line into a tree that is as bad already is not to blame. Nothing is checked out,
no link is followed, and what is read is bounded.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Optional

from kiro_swarm.workspace.briefs import shown_name
from kiro_swarm.workspace.disk import read_plain, walk
from kiro_swarm.workspace.errors import GitTimeout
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.globs import LARGEST_FILE, STEPS, most_stars, taken
from kiro_swarm.workspace.limits import in_units
from kiro_swarm.workspace.objects import contents, sizes_of
from kiro_swarm.workspace.pattern_steps import Rules, steps
from kiro_swarm.workspace.tree_names import counted

#: So much of a tree's pattern files is read; more of them is more than git needs minutes for.
BYTES = 4 * 1024 * 1024
#: So much the paths of a worktree may take, folders and what is ignored among them.
NAMES_BYTES = 256 * 1024 * 1024
#: So much more is taken in a worktree, for what is ignored is among its files.
_WORKTREE = 4
_NAMES = (b".gitattributes", b".gitignore")
#: git ends where an attribute of a file says this of its encoding, in each checkout of it.
_NO_ENCODING = re.compile(
    rb"(?![ \t\r]*#).*[ \t\r]-?working-tree-encoding(?=[ \t\r]|\Z)"
)
_SHOWN, _LINE = 3, 40
_REMEDY = (
    "write fewer stars in one line, fewer lines, or folders that are less deep and names that"
    " are shorter"
)
_NOBODYS = (
    "The integration branch has them, so no attempt is to blame: whoever keeps the repository has"
    " to correct them in its source, and `sync` brings that here"
)

#: Path -> object id; none of a link that has the name of a pattern file.
Files = Mapping[bytes, str]


class Endless(NamedTuple):
    """Why git is not started in a worktree; ``own``: what the attempt has left is to blame."""

    said: str
    own: bool


def is_pattern_file(path: bytes) -> bool:
    """Whether git reads patterns from a file of this path."""
    return path.rpartition(b"/")[2] in _NAMES


def objection(git: Git, old: Files, new: Files) -> str:
    """Why nobody may put the files ``new`` in the place of ``old``; mostly nothing."""
    rules = rules_of(git, new)
    if not rules:
        return ""
    fresh = _fresh(git, rules, old, new)
    broken = sorted(
        path
        for path, said in fresh.items()
        if path.endswith(_NAMES[0]) and _ends_git(said or b"")
    )
    if broken:
        return (
            f"{_names(broken)}: working-tree-encoding without a value: git ends with it"
            " instead of checking out a file that it is about. Name an encoding, or take"
            " the attribute away"
        )
    paths = list(new)
    if steps(rules, paths) <= STEPS or _lived_with(git, old, fresh, paths, STEPS):
        return ""
    added = steps(fresh, paths) > STEPS
    return _words(fresh if added else rules, paths)


def _ends_git(said: bytes) -> bool:
    return any(_NO_ENCODING.match(taken(line)) for line in said.split(b"\n"))


def too_costly(git: Git, commit: str) -> str:
    """The same of a commit that begins everything."""
    return objection(git, {}, files_of(git, commit))


def endless_below(
    git: Git, tree: Path, exclude: bytes, base: str, names_bytes: int = NAMES_BYTES
) -> Optional[Endless]:
    """Why git would not come to an end in a worktree.

    :param exclude: lines that count for all of it, of the swarm's own.
    :param base: the commit that the work began from.
    """
    rules, paths = _below(tree, names_bytes)
    if paths is None:
        said = f"the names of its files take more than {in_units(names_bytes)} together"
        if counted(files_of(git, base)) <= names_bytes // 2:
            return Endless(f"{said}: remove those that are no work", own=True)
        return Endless(f"{said}, most of them of the branch. {_NOBODYS}", own=False)
    most = _WORKTREE * STEPS
    if steps({**rules, b"": exclude}, paths, most) <= most:
        return None
    if steps(rules, paths, most) <= most:
        return Endless(
            "git would need minutes, or for ever, for the patterns of"
            f" spec.template.agent.exclude: {_REMEDY}",
            own=False,
        )
    said = _words(rules, paths)
    old = files_of(git, base)
    fresh = _new_lines(rules, rules_of(git, old))
    if not _lived_with(git, old, fresh, paths, most):
        return Endless(said, own=True)
    return Endless(f"{said}. {_NOBODYS}", own=False)


def is_endless(tree: Path) -> bool:
    """The same without asking whose it is."""
    rules, paths = _below(tree, NAMES_BYTES)
    most = _WORKTREE * STEPS
    return paths is None or steps(rules, paths, most) > most


@contextmanager
def told_of_patterns(git: Git, commit: str) -> Iterator[None]:
    """Where a checkout of the commit takes too long: say that its patterns are why."""
    try:
        yield
    except GitTimeout as error:
        said = too_costly(git, commit)
        if not said:
            raise
        raise GitTimeout(
            f"{error.message}: {said}. No attempt is to blame: whoever keeps the repository has"
            " to correct it in its source, and `sync` brings that here"
        ) from error


def files_of(git: Git, tree: str) -> dict[bytes, str]:
    """All files of a tree or commit."""
    listed = git.run("ls-tree", "-r", "-z", "--full-tree", tree).stdout
    found: dict[bytes, str] = {}
    for record in listed.split(b"\0"):
        facts, _, path = record.partition(b"\t")
        if path:
            mode, _, oid = facts.split(b" ")
            found[path] = entry(path, mode, oid)
    return found


def entry(path: bytes, mode: bytes, oid: bytes) -> str:
    """Of ``Files``: of a link of such a name git reads nothing."""
    plain = mode.startswith(b"100") or not is_pattern_file(path)
    return oid.decode("ascii") if plain else ""


def rules_of(git: Git, files: Files) -> dict[bytes, Optional[bytes]]:
    """What the pattern files among these say."""
    wanted = {path: oid for path, oid in files.items() if oid and is_pattern_file(path)}
    if not wanted:
        return {}
    sizes = sizes_of(git, set(wanted.values()))
    # git reads nothing of such a file of attributes.
    large = {oid for oid, one in sizes.items() if one.size >= LARGEST_FILE}
    wanted = {
        path: oid
        for path, oid in wanted.items()
        if not (oid in large and path.endswith(_NAMES[0]))
    }
    if sum(sizes[oid].size for oid in wanted.values() if oid in sizes) > BYTES:
        return dict.fromkeys(wanted)
    texts = contents(git, set(wanted.values()))
    return {path: bytes(texts.get(oid, b"")) for path, oid in wanted.items()}


def _below(
    tree: Path, names_bytes: int
) -> tuple[dict[bytes, Optional[bytes]], Optional[list[bytes]]]:
    """What the pattern files of a worktree say, and all paths in it, if it is not too much."""
    top = len(os.fsencode(tree)) + 1
    paths: list[bytes] = []
    rules: dict[bytes, Optional[bytes]] = {}
    left, names = _WORKTREE * BYTES, names_bytes
    for entry in walk(tree):
        path = os.fsencode(entry.path)[top:]
        paths.append(path)
        names -= len(path)
        if names < 0:
            return rules, None
        if is_pattern_file(path):
            # Of what is no plain file this is nothing, as for git.
            said = os.fsencode(read_plain(Path(entry.path))) if left > 0 else b""
            left -= len(said)
            rules[path] = said if left > 0 else None
    return rules, paths


def _fresh(
    git: Git, rules: Rules, old: Files, new: Files
) -> dict[bytes, Optional[bytes]]:
    """The lines that ``old`` has not in the same file."""
    changed = {path: said for path, said in rules.items() if old.get(path) != new[path]}
    before = rules_of(git, {path: old[path] for path in changed if path in old})
    return _new_lines(changed, before)


def _new_lines(rules: Rules, before: Rules) -> dict[bytes, Optional[bytes]]:
    fresh: dict[bytes, Optional[bytes]] = {}
    for path, said in rules.items():
        if said is not None:
            known = set((before.get(path) or b"").split(b"\n"))
            said = b"\n".join(x for x in said.split(b"\n") if x not in known)
        fresh[path] = said
    return fresh


def _lived_with(
    git: Git, old: Files, fresh: Rules, paths: list[bytes], most: int
) -> bool:
    """Whether it was as bad before, and the lines that are new are not."""
    if not old or steps(rules_of(git, old), old) <= STEPS:
        return False
    return steps(fresh, paths, most) <= most


def _words(rules: Rules, paths: list[bytes]) -> str:
    """Where to look, and what to do about it."""
    costs = {path: steps({path: said}, paths) for path, said in rules.items()}
    worst = sorted(costs, key=lambda path: -costs[path])[:_SHOWN]
    worst = [path for path in worst if costs[path] > STEPS] or worst
    stars, line = most_stars(worst[0], rules[worst[0]] or b"")
    where = f", {stars} stars in {_shown(line[:_LINE])}" if stars > 2 else ""
    return (
        f"{_names(worst)}{where}: git would need minutes, or for ever, to try these patterns"
        f" on the paths that there are: {_REMEDY}"
    )


def _names(paths: Iterable[bytes]) -> str:
    return ", ".join([_shown(path) for path in paths][:_SHOWN])


def _shown(text: bytes) -> str:
    return shown_name(text.decode("utf-8", "backslashreplace"))
