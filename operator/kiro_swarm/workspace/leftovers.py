"""What agents' tools leave in a worktree and nobody wants in a repository.

Role: cut, evidence and restore write it as ``info/exclude`` of the instance's repository, so
that the agent's own git leaves it out, too. Which patterns: ``policy.leftovers``.

Guarantees: what is tracked stays tracked, changed or deleted, and what an agent stages in spite
of it is taken; what teams version of a tool's folder (``.claude/settings.json``,
``.cursor/rules/``) is not left out, and nothing of a folder but what the tool keeps for itself
where the repository has something in it. What is left out without being known to be a tool's own
is named to people, whatever else the attempt has done; where it has done nothing else, so is what
the repository ignores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

from kiro_swarm.policy.leftovers import expected, patterns
from kiro_swarm.workspace.disk import real_folder, write_plain
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.instance import Instance

_SHOWN = 5
_SHOWN_CHARACTERS = 80


@dataclass(frozen=True)
class Excluded:
    """What a swarm says of it: the tool that its agent is, and patterns of its own."""

    patterns: Sequence[str] = ()
    profile: Optional[str] = None


NOTHING_SAID = Excluded()


def exclude_leftovers(
    git: Git, instance: Instance, base: str, excluded: Excluded
) -> None:
    """Write the patterns; ``base`` is the commit that the work began from."""
    listed = git.run("ls-tree", "-z", "--name-only", "--full-tree", base, ok=(0, 128))
    tracked = set(listed.stdout.decode("utf-8", "replace").split("\0"))
    lines = patterns(excluded.profile, tracked, excluded.patterns)
    place = instance.repository / "info"
    real_folder(place)
    write_plain(place / "exclude", "".join(f"{line}\n" for line in lines))


def left_out(git: Git, instance: Instance) -> str:
    """What of the worktree is ignored, and why, in words; for when there is nothing else.

    The worktree was empty at the cut, so all that is ignored is the attempt's.
    """
    own = _ignored(git, f"--exclude-from={instance.repository / 'info' / 'exclude'}")
    hidden = _ignored(git, "--exclude-per-directory=.gitignore")
    # A folder is mostly a cache; a file by itself is what somebody looks for.
    others = sorted(hidden - own, key=lambda name: (name.endswith(b"/"), name))
    said = []
    if own:
        said.append(
            f"not counted, for agents' tools write it for themselves: {_names(sorted(own))}"
            " (spec.template.agent.exclude takes it back)"
        )
    if others:
        said.append(
            f"not counted, for a .gitignore of the repository ignores it: {_names(others)}"
            " (`git add -f` takes a file in spite of that)"
        )
    return "; ".join(said)


def _ignored(git: Git, patterns: str) -> set[bytes]:
    listed = git.run(
        *("ls-files", "--others", "--ignored", "--directory", "-z", patterns)
    ).stdout
    return {name for name in listed.split(b"\0") if name}


def doubtful(git: Git, excluded: Excluded) -> str:
    """What of it need not be a tool's own, in words; for when all else is committed.

    Then only what is ignored is not in the index, so it is what neither the repository's
    ``.gitignore`` nor a pattern that is meant so explains.
    """
    lines = expected(excluded.profile, excluded.patterns)
    listed = git.run(
        *("ls-files", "--others", "--directory", "--no-empty-directory", "-z"),
        *("--exclude-per-directory=.gitignore", *(f"--exclude={x}" for x in lines)),
    ).stdout
    names = _names([name for name in listed.split(b"\0") if name])
    if not names:
        return ""
    return (
        "not taken, for it lies where agents' tools keep what is their own:"
        f" {names} (a pattern like '!.claude/' in spec.template.agent.exclude takes a"
        " folder back)"
    )


def _names(names: Sequence[bytes]) -> str:
    """A few paths, each on one line and not too long."""
    shown = [name.decode("utf-8", "backslashreplace") for name in names[:_SHOWN]]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(map(_short, shown)) + more


def _short(name: str) -> str:
    plain = name if name.isprintable() else repr(name)
    return (
        plain if len(plain) <= _SHOWN_CHARACTERS else f"{plain[:_SHOWN_CHARACTERS]}..."
    )
