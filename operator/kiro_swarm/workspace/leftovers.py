"""What agents' tools leave in a worktree and nobody wants in a repository.

Role: cut, evidence and restore write it as ``info/exclude`` of the instance's repository, so
that the agent's own git leaves it out, too.

Guarantees: what is tracked stays tracked, and what an agent stages in spite of it is taken;
a folder that the repository itself has something in is not left out. Patterns of a swarm
come last, so that ``!.claude/`` takes one of ours back.
"""

from __future__ import annotations

from collections.abc import Sequence

from kiro_swarm.workspace.disk import real_folder, write_plain
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.instance import Instance

#: Histories, caches, sessions and settings of coding agents.
FOLDERS = (
    *(".claude", ".codex", ".cursor", ".gemini", ".opencode", ".crush", ".goose"),
    *(".continue", ".windsurf", ".cline", ".roo", ".kilocode", ".qwen", ".amp"),
    *(".specstory", ".serena", ".playwright-mcp", ".openhands"),
)
FILES = (".aider*", "CLAUDE.local.md", ".cursorindexingignore")


def exclude_leftovers(
    git: Git, instance: Instance, base: str, patterns: Sequence[str]
) -> None:
    """Write the patterns; ``base`` is the commit that the work began from."""
    listed = git.run("ls-tree", "-z", "--name-only", "--full-tree", base, ok=(0, 128))
    tracked = set(listed.stdout.decode("utf-8", "replace").split("\0"))
    folders = [f"/{name}/" for name in FOLDERS if name not in tracked]
    lines = [*FILES, *folders, *(one for one in patterns if one.isprintable())]
    place = instance.repository / "info"
    real_folder(place)
    write_plain(place / "exclude", "".join(f"{line}\n" for line in lines))
