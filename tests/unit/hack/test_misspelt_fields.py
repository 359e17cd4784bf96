"""A misspelt field of an object fails hack/verify-types, wherever and however it is written.

Ten are planted in a module of their own, one a line, and mypy runs over it with the settings
of the repository. What the same lines say without the mistake is right.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
#: The line, and the word in it that is wrong, with what it should be.
PLANTED = [
    # Read: by subscript, by get, with a default, nested, of the spec.
    ('print(task["status"]["stat"])', "stat", "state"),
    ('print(status_of(task).get("reson") == "x")', "reson", "reason"),
    ('print((instance.get("status") or {}).get("redyAt"))', "redyAt", "readyAt"),
    ('print([i["atempt"] for i in status_of(task).get("history", [])])', "atempt", ""),
    ('print(task["spec"].get("dependancies") or ())', "dependancies", ""),
    ('print(status_of(swarm).get("integration", {}).get("hed"))', "hed", "head"),
    # Written: through the context, through the client, as a value, nested, a spec.
    (
        'await ctx.patch_status(TASKS, task, {"sate": "Done"})',
        "sate",
        "state",
    ),
    (
        'await client.patch_status(COMMANDS, "ns", "n", {"mesage": "done"})',
        "mesage",
        "message",
    ),
    ('news: KiroTaskStatus = {"progress": {"mesage": "x"}}', "mesage", "message"),
    ('wanted: KiroInstanceSpecPatch = {"desird": "Paused"}', "desird", "desired"),
]
RIGHT = {"atempt": "attempt", "dependancies": "dependencies"}
HEAD = """\
from kiro_swarm.api.access import status_of
from kiro_swarm.api.instance import KiroInstance, KiroInstanceSpecPatch
from kiro_swarm.api.swarm_status import KiroSwarm
from kiro_swarm.api.task import KiroTask, KiroTaskStatus
from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.resources import COMMANDS, INSTANCES, SWARMS, TASKS
from kiro_swarm.reconcile.engine.context import Context


async def look(ctx: Context, client: Client) -> None:
    task = ctx.cache.get(TASKS, "ns", "t")
    instance = ctx.cache.get(INSTANCES, "ns", "i")
    swarm = ctx.cache.get(SWARMS, "ns", "s")
    assert task is not None and instance is not None and swarm is not None
"""


def faults(folder: Path, lines: list[str]) -> dict[int, str]:
    """What mypy says of these lines: number from 0 -> the first message."""
    path = folder / "planted.py"
    path.write_text(HEAD + "".join(f"    {line}\n" for line in lines), encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml"]
    done = subprocess.run(
        [*command, "--no-error-summary", "--no-pretty", str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found: dict[int, str] = {}
    for number, text in re.findall(r"planted\.py:(\d+): error: (.*)", done.stdout):
        found.setdefault(int(number) - HEAD.count("\n") - 1, text)
    return found


def test_ten_misspelt_fields_are_ten_errors(tmp_path: Path) -> None:
    found = faults(tmp_path, [line for line, _, _ in PLANTED])
    assert sorted(found) == list(range(len(PLANTED)))
    assert len(found) == 10


def test_without_the_mistakes_there_is_no_error(tmp_path: Path) -> None:
    mended = [
        line.replace(f'"{wrong}"', f'"{right or RIGHT[wrong]}"')
        for line, wrong, right in PLANTED
    ]
    assert faults(tmp_path, mended) == {}
