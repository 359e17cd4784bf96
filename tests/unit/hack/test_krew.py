"""The manifest for krew, the archive it names, and the program in it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What hack/krew makes."""
    folder = tmp_path_factory.mktemp("krew")
    subprocess.run(
        [
            *(str(ROOT / "hack" / "krew"), "--into", str(folder)),
            *("--uri", "https://git.example.com/plugin.tar.gz"),
        ],
        env={**os.environ, "KIRO_SWARM_PYTHON": sys.executable},
        check=True,
        capture_output=True,
    )
    return folder


def test_the_manifest_names_the_archive_that_was_made(made: Path) -> None:
    manifest = yaml.safe_load((made / "swarm.yaml").read_text())
    assert (manifest["kind"], manifest["metadata"]["name"]) == ("Plugin", "swarm")
    archive = (made / "kubectl-swarm.tar.gz").read_bytes()
    [platform] = manifest["spec"]["platforms"]
    assert platform["sha256"] == hashlib.sha256(archive).hexdigest()
    assert platform["uri"] == "https://git.example.com/plugin.tar.gz"
    with tarfile.open(made / "kubectl-swarm.tar.gz") as content:
        names = {Path(name).name for name in content.getnames()}
    assert {platform["bin"], "kubectl_complete-swarm", "LICENSE"} <= names
    version = manifest["spec"]["version"][1:]
    assert f"kiro_swarm-{version}-py3-none-any.whl" in names


@pytest.mark.parametrize("program", ["kubectl-swarm", "kubectl_complete-swarm"])
def test_the_program_runs_what_its_name_says_from_the_wheel(
    made: Path, tmp_path: Path, program: str
) -> None:
    subprocess.run(
        ["tar", "-xzf", str(made / "kubectl-swarm.tar.gz"), "-C", str(tmp_path)],
        check=True,
    )
    (tmp_path / "bin").mkdir()
    uv = tmp_path / "bin" / "uv"
    uv.write_text('#!/bin/sh\necho "$@"\n')
    uv.chmod(0o755)
    link = tmp_path / "bin" / program
    link.symlink_to(tmp_path / program)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.defpath}"
    said = subprocess.run(
        [str(link), "status", "swarm"],
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert said[:4] == ["tool", "run", "--quiet", "--from"]
    assert Path(said[4]).parent == tmp_path
    assert said[5:] == [program, "status", "swarm"]


def test_without_uv_the_program_says_what_is_missing() -> None:
    done = subprocess.run(
        [str(ROOT / "krew" / "kubectl-swarm")],
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "needs uv on the PATH" in done.stderr
