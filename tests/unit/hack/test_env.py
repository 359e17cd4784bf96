"""The maker of environments: which Python it takes, and what it says when it cannot."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from hack.lib import env
from hack.lib.env import (
    ASKED_BY,
    EnvError,
    clean_environment,
    ensure,
    ensure_oracles,
    main,
    requirements_for,
)
from hack.lib.interpreters import PREFERRED, find, probe


def fake_python(folder: Path, answer: str) -> Path:
    """A program that answers the probe like a Python of our choice."""
    path = folder / "python3"
    path.write_text(f"#!/bin/sh\necho '{answer}'\n")
    path.chmod(0o755)
    return path


def test_the_running_interpreter_is_found_under_its_version() -> None:
    version = sys.version_info[:2]
    found = find(version)
    assert {interpreter.version for interpreter in found} == {version}
    assert probe(sys.executable) is not None


def test_a_program_that_does_not_start_is_no_interpreter(tmp_path: Path) -> None:
    shim = tmp_path / "python3.9"
    shim.write_text("#!/bin/sh\necho 'python3.9: command not found' >&2\nexit 127\n")
    shim.chmod(0o755)
    assert probe(str(shim)) is None
    assert probe(str(tmp_path / "nothing")) is None


def test_every_supported_interpreter_has_its_pinned_file() -> None:
    assert all(requirements_for(version).exists() for version in PREFERRED)


@pytest.mark.parametrize(
    ("python", "message"),
    [
        ("three", 'takes a version such as "3.11"'),
        ("2.7", "Python 2.7 is not supported; 3.9 to 3.13 are"),
        ("/nowhere/python3", "does not start"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused(
    tmp_path: Path, python: str, message: str
) -> None:
    with pytest.raises(EnvError, match=message):
        ensure(python, tmp_path / "venv")


def test_an_unsupported_interpreter_is_named(tmp_path: Path) -> None:
    python = fake_python(tmp_path, "3 8 True /usr/bin/python3.8")
    with pytest.raises(
        EnvError, match=r"/usr/bin/python3\.8 is Python 3\.8; supported"
    ):
        ensure(str(python), tmp_path / "venv")


def test_without_ensurepip_it_says_which_package_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = fake_python(tmp_path, "3 11 False /usr/bin/python3.11")
    apt = tmp_path / "apt-get"
    apt.write_text("#!/bin/sh\n")
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ASKED_BY:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(EnvError, match=r"apt-get install --yes python3\.11-venv"):
        ensure(str(python), tmp_path / "venv")


def test_a_folder_that_is_something_else_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "venv" / "precious"
    precious.parent.mkdir()
    precious.write_text("mine")
    with pytest.raises(EnvError, match="is no Python environment"):
        ensure(sys.executable, tmp_path / "venv")
    assert precious.read_text() == "mine"


def test_the_command_answers_an_error_with_1_and_an_empty_stdout(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--python", "2.7"]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert "not supported" in output.err


def test_a_foreign_environment_does_not_leak_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("KEPT", "yes")
    environment = clean_environment()
    assert "PYTHONPATH" not in environment
    assert "PYTHONDONTWRITEBYTECODE" not in environment
    assert environment["KEPT"] == "yes"
    assert shutil.which("sh", path=environment["PATH"])


def test_oracles_are_installed_once_beside_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def pip(python: Path, command: str, *arguments: str) -> None:
        calls.append(arguments)
        (folder / "leftover").parent.mkdir(exist_ok=True)
        (folder / "leftover").touch()

    folder = tmp_path / ".venv-oracles-py311"
    pins = tmp_path / "requirements" / "oracles-py311.txt"
    pins.parent.mkdir()
    pins.write_text("one==1\n")
    monkeypatch.setattr(env, "ROOT", tmp_path)
    monkeypatch.setattr(env, "_pip", pip)
    python = fake_python(tmp_path, "3 11 True /usr/bin/python3.11")
    assert [ensure_oracles(python), ensure_oracles(python)] == [folder, folder]
    assert len(calls) == 1
    assert {"--require-hashes", str(folder), str(pins)} <= set(calls[0])
    pins.write_text("one==2\n")
    ensure_oracles(python)
    assert len(calls) == 2
    with pytest.raises(EnvError, match="does not start"):
        ensure_oracles(tmp_path / "nothing")
