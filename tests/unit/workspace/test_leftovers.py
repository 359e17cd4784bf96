"""What agents' tools write for themselves is no work; what teams version is, and is taken."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Optional, get_args

import pytest

from kiro_swarm.api.template import Profile
from kiro_swarm.policy.leftovers import TOOLS, patterns
from kiro_swarm.workspace.evidence import gather
from kiro_swarm.workspace.instance import Cut
from kiro_swarm.workspace.leftovers import Excluded
from kiro_swarm.workspace.restore import restore
from kiro_swarm.workspace.verdict import Evidence
from tests.unit.workspace.repositories import Swarm, commit, git, write

#: Profile -> what its program writes for itself, and what people version.
WRITTEN: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "Aider": (
        (".aider.chat.history.md", ".aider.input.history", ".aider.tags.cache.v4/x.db"),
        (
            ".aider.conf.yml",
            ".aiderignore",
            ".aider.model.settings.yml",
            "CONVENTIONS.md",
        ),
    ),
    "Amp": ((".amp/cache/x",), (".amp/settings.json",)),
    "ClaudeCode": (
        (
            *(
                ".claude/settings.local.json",
                ".claude/worktrees/a/b",
                "CLAUDE.local.md",
            ),
            *(".claude/agent-memory-local/a/MEMORY.md", ".claude/hooks/hook.log"),
            *(".claude/scheduled_tasks.lock", "sub/CLAUDE.local.md", ".claude/x.json"),
        ),
        (
            *(
                "CLAUDE.md",
                ".claude/settings.json",
                ".claude/commands/a/b.md",
                ".mcp.json",
            ),
            *(".claude/agents/a.md", ".claude/skills/a/SKILL.md", ".claude/CLAUDE.md"),
        ),
    ),
    "Cline": ((".cline/data/x",), (".clinerules/a.md",)),
    "Codex": (
        (".codex/sessions/2026/a.jsonl", ".codex/auth.json", "AGENTS.override.md"),
        ("AGENTS.md", ".codex/config.toml", ".codex/prompts/a.md", ".agents/skills/a"),
    ),
    "Continue": ((".continue/sessions/a",), (".continue/rules/a.md",)),
    "Crush": ((".crush/crush.db-wal", ".crush/logs/crush.log"), ("crush.json",)),
    "Cursor": (
        (".cursor/debug.log", ".cursor/chat.md", ".cursor/a/b"),
        (".cursor/rules/a.mdc", ".cursor/mcp.json", ".cursorrules", ".cursorignore"),
    ),
    "Gemini": (
        (
            "gemini-debug.log",
            ".gemini-clipboard/a.png",
            ".gemini/tmp/x",
            ".gemini/.env",
        ),
        ("GEMINI.md", ".gemini/settings.json", ".gemini/commands/a.toml"),
    ),
    "Goose": ((".goose/cache",), (".goosehints", ".goose/recipes/a.yaml")),
    "KiloCode": ((".kilocode/x",), (".kilocode/rules-code/a.md",)),
    "Kiro": (
        (".kiro/cache/a", ".kiro/logs/a.log", ".kiro/sessions/cli/a.json"),
        (
            *(
                ".kiro/steering/a.md",
                ".kiro/specs/x/tasks.md",
                ".kiro/hooks/a.kiro.hook",
            ),
            *(".kiro/settings/mcp.json", ".kiro/agents/a.json"),
        ),
    ),
    "OpenCode": (
        (".opencode/node_modules/a/b.js", ".opencode/bun.lock"),
        ("opencode.json", ".opencode/command/a.md", ".opencode/agents/a.md"),
    ),
    "OpenHands": ((".openhands/x",), (".openhands/microagents/repo.md",)),
    "Qwen": ((".qwen/tmp/x",), ("QWEN.md", ".qwen/settings.json")),
    "Roo": ((".roo/x",), (".roo/rules/a.md", ".roo/mcp.json", ".roomodes")),
    "Windsurf": ((".windsurf/x",), (".windsurf/rules/a.md",)),
}
BESIDE = (".serena/cache/x", ".specstory/history/a.md", ".playwright-mcp/a.png")


def found(
    swarm: Swarm, made: Cut, profile: Optional[str] = None, *exclude: str
) -> Evidence:
    folder = swarm.instance().folder
    about = (folder, made.base, made.branch, "uid-1-1/1", "Task")
    return gather(*about, exclude=Excluded(exclude, profile))


def test_every_profile_is_known() -> None:
    assert {*TOOLS, "None"} == set(get_args(Profile))
    assert set(WRITTEN) == set(TOOLS)


def test_of_all_tools_what_teams_version_is_taken(swarm: Swarm) -> None:
    made = swarm.cut()
    versioned = [name for _, shared in WRITTEN.values() for name in shared]
    own = [name for names, _ in WRITTEN.values() for name in names]
    write(Path(made.tree), dict.fromkeys([*own, *BESIDE, *versioned], "1"))
    done = found(swarm, made)
    assert (done.reason, done.files) == ("Done", sorted(versioned))
    assert git(Path(made.tree), "status", "--porcelain") == ""


@pytest.mark.parametrize("profile", [*WRITTEN, "None", "OfANewerRelease"])
def test_a_profile_is_about_its_own_tool(profile: str) -> None:
    """Pure, for there are many; what git makes of the lines is the test before."""
    lines = patterns(profile, (), ())
    for name, tool in TOOLS.items():
        mine = profile in (name, "OfANewerRelease")
        assert set(tool.own) <= set(lines) if mine else not set(tool.own) & set(lines)
        assert not tool.folder or (f"/{tool.folder}/*" in lines) == mine
    assert ("/.serena/*" in lines) == (profile != "None")


def test_files_of_another_tool_are_work(swarm: Swarm) -> None:
    made = swarm.cut()
    write(Path(made.tree), {".aider.input.history": "1", ".claude/x.json": "1"})
    assert found(swarm, made, "Aider").files == [".claude/x.json"]
    assert found(swarm, swarm.cut(), "Aider").reason == "NoChanges"


def test_of_no_tool_everything_is_work(swarm: Swarm) -> None:
    made = swarm.cut()
    there = [".aider.input.history", ".claude/x.json", ".serena/cache/x"]
    write(Path(made.tree), dict.fromkeys(there, "1"))
    assert found(swarm, made, "None").files == there
    assert found(swarm, made, "None", "*.json").files == there, "it is committed by now"


def test_what_is_tracked_is_never_left_out(swarm: Swarm) -> None:
    tracked = [
        ".aider.chat.history.md",
        ".claude/settings.local.json",
        "CLAUDE.local.md",
    ]
    write(swarm.upstream, dict.fromkeys(tracked, "1"))
    git(swarm.upstream, "add", "--all", "--force")
    commit(swarm.upstream, {})
    swarm.prepare()
    made = swarm.cut()
    assert found(swarm, made).reason == "NoChanges"
    (Path(made.tree) / tracked[0]).write_text("changed")
    (Path(made.tree) / tracked[2]).unlink()
    done = found(swarm, made)
    assert done.files == [tracked[0], tracked[2]]
    assert git(Path(made.tree), "ls-files", *tracked).splitlines() == tracked[:2]


def test_in_a_folder_of_the_repository_only_what_is_the_tool_s_own(
    swarm: Swarm,
) -> None:
    commit(swarm.upstream, {".claude/commands/a.md": "1"})
    swarm.prepare()
    made = swarm.cut()
    new = [
        ".claude/docs/new.md",
        ".claude/settings.local.json",
        ".claude/worktrees/a/b",
    ]
    write(Path(made.tree), dict.fromkeys(new, "1"))
    assert found(swarm, made).files == [".claude/docs/new.md"]


def test_an_attempt_that_left_nothing_else_says_what_is_not_counted(
    swarm: Swarm,
) -> None:
    made = swarm.cut()
    write(Path(made.tree), {".claude/plan.md": "the work", "x.log": "of .gitignore"})
    done = found(swarm, made)
    assert done.reason == "NoChanges"
    assert "not counted" in done.warning
    own, ignored = done.warning.split("; ")
    assert ".claude/" in own
    assert "spec.template.agent.exclude" in own
    assert "x.log" not in own
    assert ": x.log (`git add -f`" in ignored
    assert found(swarm, made, None, "!.claude/").files == [".claude/plan.md"]


def test_files_that_a_gitignore_of_everything_hides_are_named(swarm: Swarm) -> None:
    """A task before has merged it; who only adds files would not know what went wrong."""
    commit(swarm.upstream, {".gitignore": "*\n"})
    swarm.prepare()
    made = swarm.cut()
    tree = Path(made.tree)
    write(tree, {"new.py": "1", "cache/x": "1", "cache/y": "1", ".claude/plan.md": "1"})
    done = found(swarm, made)
    assert done.reason == "NoChanges"
    own, ignored = done.warning.split("; ")
    assert ".claude/" in own
    assert ": new.py, cache/ (`git add -f`" in ignored
    git(tree, "add", "-f", "new.py")
    assert found(swarm, made).files == ["new.py"]


def test_what_need_not_be_a_tool_s_own_is_named_beside_work(swarm: Swarm) -> None:
    """A person would look for it, and beside files that are taken nobody would notice."""
    made = swarm.cut()
    real = (".claude/statusline.sh", ".amp/notes/a.md", ".cursor/a/b", ".serena/x")
    own = (
        *(".aider.chat.history.md", ".claude/settings.local.json", ".codex/auth.json"),
        *(
            ".continue/sessions/a",
            ".crush/crush.db-wal",
            ".kiro/cache/a",
            ".qwen/tmp/x",
        ),
        *(".opencode/node_modules/a/b.js", "sub/CLAUDE.local.md", ".cursor/chat.md"),
    )
    write(Path(made.tree), dict.fromkeys([*real, *own, *BESIDE, "a.txt"], "1"))
    write(Path(made.tree), {".claude/settings.json": "{}"})
    done = found(swarm, made)
    assert (done.reason, done.files) == ("Done", [".claude/settings.json", "a.txt"])
    named = done.warning.partition("their own: ")[2].partition(" (")[0]
    assert named.split(", ") == [
        *(".amp/", ".claude/statusline.sh", ".cursor/", ".serena/")
    ]
    assert done.warning in done.message


@pytest.mark.parametrize(
    ("profile", "exclude", "named"),
    [
        (None, (), ".claude/statusline.sh"),
        ("ClaudeCode", (), ".claude/statusline.sh"),
        ("ClaudeCode", ("/.claude/statusline.sh",), ""),
        ("ClaudeCode", ("!.claude/",), ""),
        ("OfANewerRelease", (), ".claude/statusline.sh"),
        ("Aider", (), ""),
        ("None", (), ""),
    ],
)
def test_what_is_taken_or_asked_for_is_not_named(
    swarm: Swarm, profile: Optional[str], exclude: Sequence[str], named: str
) -> None:
    made = swarm.cut()
    write(Path(made.tree), {".claude/statusline.sh": "1", ".claude/settings.json": "1"})
    done = found(swarm, made, profile, *exclude)
    assert done.reason == "Done"
    assert named in done.warning if named else done.warning == ""
    taken = ".claude/statusline.sh" in done.files
    assert taken == (not named and "/.claude/statusline.sh" not in exclude)


def test_what_the_repository_ignores_is_not_named(swarm: Swarm) -> None:
    commit(swarm.upstream, {".gitignore": "*.log\n.amp/\n"})
    swarm.prepare()
    made = swarm.cut()
    write(Path(made.tree), dict.fromkeys((".amp/x", ".claude/x.log", "x.log", "a"), ""))
    assert found(swarm, made).warning == ""


def test_many_and_long_names_are_few_and_short_words(swarm: Swarm) -> None:
    made = swarm.cut()
    names = [f".claude/{n}{'x' * 200}" for n in range(30)]
    write(Path(made.tree), dict.fromkeys((*names, ".claude/settings.json"), "1"))
    warning = found(swarm, made).warning
    assert "25 more" in warning
    assert len(warning) < 700


def test_they_stay_where_they_are_when_a_check_is_undone(swarm: Swarm) -> None:
    made = swarm.cut()
    write(Path(made.tree), {".codex/sessions/a": "1", "of-the-check": "1"})
    restore(swarm.instance().folder, made.branch, made.base)
    assert (Path(made.tree) / ".codex/sessions/a").exists()
    assert not (Path(made.tree) / "of-the-check").exists()
    assert found(swarm, made).reason == "NoChanges"
