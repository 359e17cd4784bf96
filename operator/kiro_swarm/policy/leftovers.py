"""What agents' tools write into a worktree for themselves. Data, and what follows from it. Pure.

Role: ``workspace.leftovers`` writes it as patterns for git, of one agent where
``spec.template.agent.profile`` names it.

Three kinds of paths: what a tool keeps for itself wherever it works (``own``); its ``folder``, of
which nobody knows all that is in it; and in that folder what teams version (``shared``), by the
documentation of the tools and by the list of github.com/github/gitignore (Global/Agents). The
folder of a repository that has something in it is the repository's, so there only ``own`` counts.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Optional

if TYPE_CHECKING:
    # It brings pydantic, which a worktree command has no other use for.
    from kiro_swarm.api.template import Profile


@dataclass(frozen=True)
class Tool:
    """What one tool writes: patterns of .gitignore, a folder at the top, names below it."""

    own: tuple[str, ...] = ()
    folder: str = ""
    shared: tuple[str, ...] = ()


_COMMON: Final = ("commands/", "agents/", "skills/", "rules/", "hooks/", "hooks.json")
_CONFIGURATION: Final = ("!.aiderignore", "!.aider.conf.yml", "!.aider.model.*")

TOOLS: Final[dict[Profile, Tool]] = {
    "Aider": Tool(own=(".aider*", *_CONFIGURATION)),
    "Amp": Tool((), ".amp", ("settings.json", *_COMMON)),
    "ClaudeCode": Tool(
        (
            *("CLAUDE.local.md", "/.claude/**/*.local.json", "/.claude/**/*.local.md"),
            *(
                "/.claude/worktrees/",
                "/.claude/agent-memory-local/",
                "/.claude/**/*.log",
            ),
            *("/.claude/*.lock", "/.claude/todos/", "/.claude/shell-snapshots/"),
        ),
        ".claude",
        (
            *("settings.json", "CLAUDE.md", "output-styles/", "agent-memory/"),
            *("plugins/", "workflows/", "scripts/", "README.md", *_COMMON),
        ),
    ),
    "Cline": Tool((), ".cline", ("mcp.json", "workflows/", *_COMMON)),
    "Codex": Tool(
        (
            *("/.codex/sessions/", "/.codex/log/", "/.codex/history.jsonl"),
            *("/.codex/auth.json", "AGENTS.override.md"),
        ),
        ".codex",
        ("config.toml", "prompts/", "AGENTS.md", *_COMMON),
    ),
    "Continue": Tool(
        ("/.continue/sessions/", "/.continue/index/"),
        ".continue",
        ("config.yaml", "config.json", "models/", "prompts/", "mcpServers/", *_COMMON),
    ),
    "Crush": Tool(("/.crush/crush.db*", "/.crush/logs/"), ".crush", _COMMON),
    "Cursor": Tool(
        ("/.cursor/debug.log", "/.cursor/logs/", "/.cursor/chat.md"),
        ".cursor",
        (
            *(
                "mcp.json",
                "cli.json",
                "environment.json",
                "worktrees.json",
                "BUGBOT.md",
            ),
            *("sandbox.json", "permissions.json", *_COMMON),
        ),
    ),
    "Gemini": Tool(
        ("gemini-debug.log", "/.gemini-clipboard/", "/.gemini/tmp/", "/.gemini/.env"),
        ".gemini",
        (
            *(
                "settings.json",
                "GEMINI.md",
                "system.md",
                "config.yaml",
                "styleguide.md",
            ),
            *("extensions/", "policies/", "sandbox.Dockerfile", *_COMMON),
        ),
    ),
    "Goose": Tool((), ".goose", ("recipes/", "config.yaml", *_COMMON)),
    "KiloCode": Tool((), ".kilocode", ("mcp.json", "rules*/", "workflows/", *_COMMON)),
    # Steering, specs, hooks, agents and settings are what people work with.
    "Kiro": Tool(("/.kiro/cache/", "/.kiro/logs/", "/.kiro/sessions/", "/.kiro/tmp/")),
    "OpenCode": Tool(
        ("/.opencode/node_modules/",),
        ".opencode",
        (
            *(
                "opencode.json",
                "opencode.jsonc",
                "agent/",
                "command/",
                "plugin/",
                "tool/",
            ),
            *("plugins/", "tools/", "skill/", "mode/", "modes/", "themes/", *_COMMON),
        ),
    ),
    "OpenHands": Tool(
        (), ".openhands", ("microagents/", "setup.sh", "pre-commit.sh", *_COMMON)
    ),
    "Qwen": Tool(
        ("/.qwen/tmp/",),
        ".qwen",
        ("settings.json", "QWEN.md", "PROJECT_SUMMARY.md", *_COMMON),
    ),
    "Roo": Tool((), ".roo", ("mcp.json", "rules*/", "system-prompt*", *_COMMON)),
    "Windsurf": Tool((), ".windsurf", ("workflows/", *_COMMON)),
}
#: Servers and recorders that any agent may be given.
BESIDE: Final = (
    Tool(
        ("/.serena/cache/", "/.serena/logs/"), ".serena", ("project.yml", "memories/")
    ),
    Tool((".cursorindexingignore", "/.specstory/history/"), ".specstory"),
    Tool(("/.playwright-mcp/",), ".playwright-mcp"),
)


def patterns(
    profile: Optional[str], tracked: Collection[str], wanted: Sequence[str]
) -> list[str]:
    """Lines of a ``.gitignore`` at the top.

    :param profile: None: nobody has said, so all tools. One that is unknown here, of a newer
        release, counts as none said.
    :param tracked: what the repository has at the top.
    :param wanted: patterns of the swarm: they come last, and ``!.claude/`` takes a folder back
        with all that is in it.
    """
    back = {one[1:].strip("/") for one in wanted if one.startswith("!")}
    lines: list[str] = []
    for tool in _tools(profile):
        if tool.folder and tool.folder in back:
            lines += (one for one in tool.own if not one.startswith(f"/{tool.folder}/"))
            continue
        if tool.folder and tool.folder not in tracked:
            lines.append(f"/{tool.folder}/*")
            lines += (f"!/{tool.folder}/{name}" for name in tool.shared)
        lines += tool.own
    return [*lines, *(one for one in wanted if one.isprintable())]


def expected(profile: Optional[str], wanted: Sequence[str]) -> list[str]:
    """Of those lines what leaves out nothing that a person would look for.

    It is what a tool is known to keep for itself, and what the swarm's own patterns name. What
    is left out beside it lies in a tool's folder, and nobody knows what it is.
    """
    lines = [line for tool in _tools(profile) for line in tool.own]
    return [*lines, *(one for one in wanted if one.isprintable())]


def _tools(profile: Optional[str]) -> tuple[Tool, ...]:
    if profile == "None":
        return ()
    named = next((tool for name, tool in TOOLS.items() if name == profile), None)
    return (*([named] if named else TOOLS.values()), *BESIDE)
