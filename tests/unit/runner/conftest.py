from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.entrypoint import entrypoint, folder, server
from tests.unit.runner.pods import INTEGRATION, RECIPES, Pod, git

__all__ = ["folder", "server"]


@pytest.fixture
def pod(folder: Path, tmp_path: Path) -> Iterator[Pod]:
    source = tmp_path / "source"
    root = tmp_path / "swarm"
    (source / ".kiro").mkdir(parents=True)
    (source / ".kiro" / "scripted-agent.json").write_text(json.dumps(RECIPES))
    git(source, "init", "-q", "-b", "main")
    git(source, "add", "-A")
    git(source, "commit", "-q", "-m", "first")
    (root / "instances").mkdir(parents=True)
    git(tmp_path, "clone", "-q", "--bare", str(source), str(root / "repo.git"))
    git(root / "repo.git", "branch", INTEGRATION, "main")
    with entrypoint(folder) as server:
        yield Pod(server, root)
