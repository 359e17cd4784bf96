"""Answers about a worktree are claims from a container that an agent could write to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Optional

import pytest

from kiro_swarm.runner.worktree import Cut, Evidence, Worktree, WorktreeError
from kiro_swarm.sandbox.port import ExecResult, OnOutput
from tests.unit.runner.fakes import BASE, COMMIT

TREE = "d" * 40
CUT = Cut(BASE, "swarm/demo/1.1/1")


class AnsweringPort:
    """An agent container in which every command prints ``stdout``."""

    def __init__(self, stdout: str, code: int = 0, unclean: str = "") -> None:
        self.argv: Sequence[str] = ()
        self.env: Mapping[str, str] = {}
        self.renewed = 0
        self._unclean = unclean
        self._result = ExecResult(code, None, "Exited", 0.1, "", stdout, stdout)

    async def exec(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        env: Optional[Mapping[str, str]] = None,
        stdin: str = "",
        timeout_seconds: float,
        idle_timeout_seconds: Optional[float] = None,
        on_output: Optional[OnOutput] = None,
    ) -> ExecResult:
        self.argv = argv
        self.env = env or {}
        return self._result

    async def renew(self) -> str:
        assert not self.argv, "before anything is started for the task"
        self.renewed += 1
        return self._unclean


async def test_cut_names_instance_mirror_and_branches() -> None:
    port = AnsweringPort(f'a warning\n{{"base": "{BASE}", "branch": "other"}}\n')
    worktree = Worktree(port, "demo-1")
    assert await worktree.cut("swarm/demo/1.1/1", "swarm/demo/integration") == CUT
    assert worktree.tree == "/swarm/instances/demo-1/tree"
    assert port.argv == [
        "kiro-swarm",
        "workspace",
        "cut",
        "--instance-dir=/swarm/instances/demo-1",
        "--mirror=/swarm/repo.git",
        "--branch=swarm/demo/1.1/1",
        "--integration=swarm/demo/integration",
    ]


async def test_a_container_that_is_not_as_new_is_given_no_task() -> None:
    port = AnsweringPort(f'{{"base": "{BASE}"}}', unclean="a folder stays")
    with pytest.raises(WorktreeError, match="is not as new: a folder stays"):
        await Worktree(port, "demo-1").cut("b", "i")
    assert port.argv == ()


async def test_what_an_attempt_left_is_there_for_its_check() -> None:
    port = AnsweringPort(f'{{"commit": "{COMMIT}", "tree": "{TREE}"}}')
    await Worktree(port, "demo-1").evidence(CUT, "uid/1", "")
    await Worktree(port, "demo-1").restore(CUT, COMMIT)
    assert port.renewed == 0


async def test_evidence_passes_hostile_titles_as_one_harmless_value() -> None:
    port = AnsweringPort(
        f'{{"commit": "{COMMIT}", "files": ["a", "b"], "reason": "Done", "message": "",'
        f' "tree": "{TREE}"}}'
    )
    found = await Worktree(port, "demo-1").evidence(CUT, "uid/1", "--help\n$(id)\0")
    assert found == Evidence(COMMIT, 2, "Done", "", TREE)
    assert port.argv[-1] == "--title=--help $(id)"


async def test_what_is_no_work_is_told_by_the_environment() -> None:
    """An image of an earlier release has no such options, and does without them."""
    port = AnsweringPort('{"commit": null, "reason": "NoChanges", "message": "none"}')
    patterns = ["*.bak", "!.claude/"]
    worktree = Worktree(
        port, "demo-1", plan="demo", exclude=patterns, profile="ClaudeCode"
    )
    await worktree.evidence(CUT, "uid/1", "")
    assert port.env == {
        "KIRO_PLAN": "demo",
        "KIRO_EXCLUDE": "*.bak\n!.claude/",
        "KIRO_PROFILE": "ClaudeCode",
    }


async def test_an_answer_without_a_commit_is_no_error() -> None:
    port = AnsweringPort('{"commit": null, "reason": "NoChanges", "message": "none"}')
    found = await Worktree(port, "demo-1").evidence(CUT, "uid/1", "")
    assert found == Evidence(None, 0, "NoChanges", "none")
    assert port.argv[-1] == "--title=task"


async def test_restore_names_branch_and_commit() -> None:
    port = AnsweringPort(f'{{"commit": "{COMMIT}", "removed": 1}}')
    await Worktree(port, "demo-1").restore(CUT, COMMIT)
    assert port.argv == [
        "kiro-swarm",
        "workspace",
        "restore",
        "--instance-dir=/swarm/instances/demo-1",
        "--branch=swarm/demo/1.1/1",
        f"--commit={COMMIT}",
    ]


async def test_a_folder_is_given_back_by_its_name_alone() -> None:
    port = AnsweringPort('{"cleared": true}')
    await Worktree(port, "demo-1").give_back()
    folder = "--instance-dir=/swarm/instances/demo-1"
    assert port.argv == ["kiro-swarm", "workspace", "clear", folder]


@pytest.mark.parametrize(
    ("stdout", "code", "message"),
    [
        ("", 0, "`workspace cut` exited with 0 without a usable answer"),
        ("Traceback\nKeyError: x", 1, "exited with 1 .* KeyError: x"),
        ("[1, 2]", 0, "without a usable answer"),
        ("[" * 100_000, 0, "without a usable answer"),
        ('{"a":' * 100_000, 0, "without a usable answer"),
        ('{"base": ' + "9" * 5000 + "}", 0, "without a usable answer"),
        ('{"base": NaN}', 0, "without a usable answer"),
        ('{"base": "\\ud800"}', 0, "without a usable answer"),
        ('{"base": "HEAD"}', 0, "'HEAD' for base: not an object"),
        ('{"base": "--upload-pack=x"}', 0, "not an object"),
        ('{"base": 7}', 0, "7 for base: not an object"),
        ('{"branch": "b"}', 0, "None for base: not an object"),
        ('{"error": {"reason": "RefNotFound", "message": "no such"}}', 1, "^no such$"),
    ],
)
async def test_a_useless_answer_is_an_error_that_quotes_it(
    stdout: str, code: int, message: str
) -> None:
    with pytest.raises(WorktreeError, match=message):
        await Worktree(AnsweringPort(stdout, code), "demo-1").cut("b", "i")
