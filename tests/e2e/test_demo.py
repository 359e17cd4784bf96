"""hack/demo as a newcomer types it: everything is made, shown and taken down again."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Iterator, List

import pytest

# The tasks of the sample without the optional one.
WORK = {
    *("1.1", "1.2"),
    *("2.1", "2.2", "2.3", "2.4"),
    *("3.1", "3.2", "3.3", "3.4"),
    *("4.1", "4.2", "4.3", "4.4"),
}
HACK = Path(__file__).resolve().parents[2] / "hack"
# A cold machine builds Kubernetes first.
pytestmark = pytest.mark.timeout(2400)


@pytest.fixture
def name() -> Iterator[str]:
    """Name of a cluster that is gone afterwards, whatever the demo did."""
    chosen = f"test-demo-{os.getpid()}"
    yield chosen
    subprocess.run([HACK / "cluster", "down", "--name", chosen], check=True)


def clusters() -> List[str]:
    """Names of the clusters that there are."""
    command = [str(HACK / "cluster"), "status", "--all", "--output=json"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return [record["name"] for record in json.loads(said)]


def test_the_demo_ends_with_merged_and_working_code(name: str, tmp_path: Path) -> None:
    """From a foreign folder; one task fails its check first, two conflict."""
    demo = subprocess.run(
        [HACK / "demo", "--name", name],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    said = demo.stdout
    assert demo.returncode == 0, said
    merged = re.findall(r"^KiroTask ([0-9.]+) Merged ", said, re.MULTILINE)
    assert set(merged) == WORK
    assert re.search(r"^2\.2 took 2 attempts: the verification", said, re.MULTILINE)
    # Every merge is in the pushed history, and what was pushed works.
    for task in merged:
        assert f"Merge task {task}: " in said
    tests = re.search(r"Ran (\d+) tests in .*\n\nOK", said)
    assert tests is not None
    assert int(tests.group(1)) >= 25
    assert "kiroswarm.swarm.kiro.dev/sample   Succeeded" in said
    assert re.search(r"14 tasks in [0-9.]+ s; their times sum to", said)
    assert name not in clusters()


def test_a_demo_that_is_stopped_leaves_nothing_behind(name: str) -> None:
    """Stopped as soon as there is something to leave behind."""
    with subprocess.Popen(
        [HACK / "demo", "--name", name],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if line.startswith("Image"):
                demo.send_signal(signal.SIGINT)
                break
        rest = demo.stdout.read()
    assert demo.returncode == 130, rest
    assert "stopped" in rest
    assert name not in clusters()
