"""What hack/image says when something is missing, before it starts to work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Callable, List, Optional

import pytest

from hack.lib.image import base, build, docker, facts, host, main
from hack.lib.image.dependencies import dependency_layer, pip_options
from hack.lib.image.errors import ImageError
from hack.lib.image.layers import Cache, Layer

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on the PATH: empty, for the programs that a test provides."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("KIRO_SWARM_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("KIRO_SWARM_YES", raising=False)
    return folder


@pytest.fixture
def as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests of what comes after that check run for any user."""
    monkeypatch.setattr("os.geteuid", lambda: 0)


def provide(programs: Path, name: str, script: str) -> None:
    path = programs / name
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(0o755)


def write_text(
    text: str, written: Optional[List[str]] = None
) -> Callable[[Path], None]:
    """A writer of archives that notes what it wrote."""

    def write(target: Path) -> None:
        target.write_text(text, "utf-8")
        if written is not None:
            written.append(text)

    return write


def debian_host(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host where everything is installed but mmdebstrap."""
    keyring = programs / "keyring.gpg"
    keyring.touch()
    monkeypatch.setattr(host, "KEYRING", keyring)
    monkeypatch.setattr(host, "pip", lambda: [sys.executable, "-c", ""])


def test_another_user_than_root_is_told_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(ImageError, match=r"needs root.*sudo, or --method docker"):
        host.prepare(install=True)


@pytest.mark.usefixtures("as_root")
def test_missing_packages_are_named_with_the_command_that_installs_them(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "KEYRING", programs / "absent.gpg")
    monkeypatch.setattr(host, "pip", lambda: ["absent"])
    provide(programs, "apt-get", "exit 1")
    with pytest.raises(ImageError) as error:
        host.prepare(install=False)
    missing = "mmdebstrap debian-archive-keyring python3-pip"
    assert f"apt-get install --yes --no-install-recommends {missing}`" in str(
        error.value
    )
    assert "--yes" in str(error.value)


@pytest.mark.usefixtures("as_root")
def test_a_host_without_apt_is_sent_to_the_other_way(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    debian_host(programs, monkeypatch)
    with pytest.raises(
        ImageError, match=r"lacks mmdebstrap and has no apt-get.*docker"
    ):
        host.prepare(install=True)


@pytest.mark.usefixtures("as_root")
def test_missing_packages_are_installed_when_that_is_allowed(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    debian_host(programs, monkeypatch)
    provide(programs, "apt-get", f'echo "$@" >> {programs}/calls')
    host.prepare(install=True)
    assert (programs / "calls").read_text("utf-8").splitlines() == [
        "update",
        "install --yes --no-install-recommends mmdebstrap",
    ]


@pytest.mark.usefixtures("as_root")
def test_a_complete_host_needs_nothing(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    debian_host(programs, monkeypatch)
    provide(programs, "mmdebstrap", "")
    host.prepare(install=False)
    assert host.missing_packages() == []


def test_a_program_that_fails_is_quoted_at_its_end(programs: Path) -> None:
    provide(
        programs,
        "tool",
        'i=0; while [ $i -lt 99 ]; do i=$((i+1)); echo "line $i"; done; exit 7',
    )
    with pytest.raises(ImageError) as error:
        host.run(["tool"], "do it")
    lines = str(error.value).splitlines()
    assert lines[0] == "could not do it: tool exited with 7:"
    assert lines[-1] == "  line 99"
    assert len(lines) == 13


def test_a_program_that_is_not_there_is_named(programs: Path) -> None:
    with pytest.raises(ImageError, match="could not do it: absent is missing"):
        host.run(["absent"], "do it")


def test_a_machine_that_no_image_is_made_for_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(ImageError, match=r"for riscv64; known: aarch64, x86_64"):
        host.architecture()


def test_a_debian_mirror_out_of_reach_is_named_with_the_way_to_choose_another(
    programs: Path, tmp_path: Path
) -> None:
    provide(programs, "mmdebstrap", 'echo "E: Failed to fetch InRelease"; exit 25')
    with pytest.raises(ImageError) as error:
        base.base_layer(Cache(tmp_path), "http://mirror.invalid/debian")
    assert "E: Failed to fetch InRelease" in str(error.value)
    assert "http://mirror.invalid/debian is out of reach" in str(error.value)
    assert base.MIRROR_VARIABLE in str(error.value)


def test_another_mirror_serves_the_security_updates_too() -> None:
    assert [line.split()[1] for line in base.sources("http://m/debian")] == [
        "http://m/debian",
        "http://m/debian",
        "http://m/debian-security",
    ]


def test_missing_requirements_are_named(tmp_path: Path) -> None:
    layer = Layer("base", "k", tmp_path, "sha256:0", 0, cached=True)
    with pytest.raises(ImageError, match=r"runtime-py311\.txt is missing"):
        dependency_layer(Cache(tmp_path), tmp_path, tmp_path, layer)


def test_pip_takes_wheels_for_the_image_and_not_for_this_python() -> None:
    options = pip_options()
    assert f"--python-version={facts.PYTHON_VERSION}" in options
    assert {"--require-hashes", "--only-binary=:all:", "--no-deps"} <= set(options)
    platforms = [option for option in options if option.startswith("--platform=")]
    assert any("manylinux_2_36" in platform for platform in platforms)
    assert any("manylinux2014" in platform for platform in platforms)


@pytest.mark.parametrize(
    "tag",
    [
        "",
        "kiro-swarm",
        "UPPER:dev",
        "../../etc/x:y",
        "a:b:c/../d",
        "x" * 300 + ":dev",
        "a b:c",
        "a:\nb",
    ],
)
def test_a_name_that_no_registry_would_take_is_refused(
    tag: str, programs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["build", "--tag", tag]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "is not an image name" in said.err
    assert len(said.err) < 300
    assert not (programs.parent / "cache").exists()


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("kiro-swarm:dev", "kiro-swarm@dev.tar"),
        (
            "registry.example:5000/team/kiro-swarm:1.0",
            "registry.example@5000_team_kiro-swarm@1.0.tar",
        ),
    ],
)
def test_an_archive_lies_in_the_cache_by_its_name(
    tag: str, name: str, programs: Path
) -> None:
    folder = programs.parent / "cache" / "kiro-swarm" / "image" / "archives"
    assert build.archive_path(tag) == folder / name


def test_an_archive_is_written_again_only_for_another_image(tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    written: List[str] = []

    for image_id in ("sha256:1", "sha256:1", "sha256:2", "sha256:1"):
        build.keep_archive(path, image_id, write_text(image_id, written))
        assert path.read_text("utf-8") == image_id
    assert written == ["sha256:1", "sha256:2", "sha256:1"]


def test_an_archive_of_a_build_that_died_is_not_trusted(tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    build.keep_archive(path, "sha256:1", write_text("1"))

    def die(target: Path) -> None:
        target.write_text("half", "utf-8")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build.keep_archive(path, "sha256:2", die)
    assert path.read_text("utf-8") == "1"
    build.keep_archive(path, "sha256:2", write_text("2"))
    assert path.read_text("utf-8") == "2"


def test_a_docker_client_without_an_engine_is_no_engine(programs: Path) -> None:
    assert not docker.engine_answers()
    provide(programs, "docker", 'echo "cannot connect" >&2; exit 1')
    assert not docker.engine_answers()


DOCKER = """
echo "$@" >> {calls}
case "$1" in
    info) echo 27.0 ;;
    image) echo sha256:abc ;;
    save) echo archive > "$3" ;;
esac
"""


def test_an_engine_builds_the_dockerfile_and_saves_it_once(
    programs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = programs / "calls"
    provide(programs, "docker", DOCKER.format(calls=calls))
    for _ in range(2):
        assert main.main(["build", "--tag", "kiro-swarm:test"]) == 0
    path = Path(capsys.readouterr().out.splitlines()[-1])
    assert path.read_text("utf-8") == "archive\n"
    made = [line.split()[0] for line in calls.read_text("utf-8").splitlines()]
    once = ["info", "build", "image"]
    assert made == [*once, "save", *once]


def test_an_engine_without_its_registry_points_to_the_offline_way(
    programs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    provide(programs, "docker", "echo 'pull access denied'; exit 1")
    assert main.main(["build", "--method", "docker"]) == 1
    said = capsys.readouterr().err
    assert "pull access denied" in said
    assert "--method offline" in said


def test_loading_hands_the_archive_to_the_cluster_tool(
    programs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "hack").mkdir()
    monkeypatch.setattr(main, "REPOSITORY", tmp_path)
    provide(programs, "docker", DOCKER.format(calls=tmp_path / "calls"))
    provide(tmp_path / "hack", "cluster", f'echo "$@" >> {tmp_path}/loads')
    assert main.main(["load", "--tag", "a:b"]) == 0
    assert main.main(["load", "--tag", "a:b", "--cluster", "two"]) == 0
    path = build.archive_path("a:b")
    assert (tmp_path / "loads").read_text("utf-8").splitlines() == [
        f"load {path}",
        f"load {path} --name two",
    ]


def test_a_cluster_that_does_not_take_the_image_is_a_failure(
    programs: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "hack").mkdir()
    monkeypatch.setattr(main, "REPOSITORY", tmp_path)
    provide(programs, "docker", DOCKER.format(calls=tmp_path / "calls"))
    provide(tmp_path / "hack", "cluster", "exit 3")
    assert main.main(["load"]) == 1
    said = capfd.readouterr()
    assert said.out == ""
    assert "hack/cluster load exited with 3" in said.err


def test_the_script_says_how_it_is_used() -> None:
    script = REPOSITORY / "hack" / "image"
    done = subprocess.run(
        [sys.executable, str(script), "build", "--help"],
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
    )
    for option in ("--tag", "--method", "--refresh", "--yes", "--output"):
        assert option in done.stdout
