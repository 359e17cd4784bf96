"""The layer of our own package, and the archive that joins the layers."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import tarfile
from pathlib import Path

import pytest

from hack.lib.image import archive, facts
from hack.lib.image.errors import ImageError
from hack.lib.image.layers import Cache
from hack.lib.image.package import contents, version, write

REPOSITORY = Path(__file__).resolve().parents[3]
INIT = f"{facts.SITE_PACKAGES}/kiro_swarm/__init__.py"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A checkout with the smallest package that can be put into an image."""
    package = tmp_path / "operator" / "kiro_swarm"
    (package / "cli" / "__pycache__").mkdir(parents=True)
    (package / "__init__.py").write_text('__version__ = "1.2.3"\n', "utf-8")
    (package / "cli" / "main.py").write_text("main = print\n", "utf-8")
    (package / "cli" / "__pycache__" / "main.cpython-39.pyc").touch()
    command = tmp_path / facts.COMMAND_SOURCE
    command.parent.mkdir(parents=True)
    command.write_bytes((REPOSITORY / facts.COMMAND_SOURCE).read_bytes())
    return tmp_path


def test_the_layer_has_the_sources_the_metadata_and_the_command(
    repository: Path,
) -> None:
    site, about = facts.SITE_PACKAGES, "kiro_swarm-1.2.3.dist-info"
    assert list(contents(repository)) == [
        f"{site}/{about}/INSTALLER",
        f"{site}/{about}/METADATA",
        f"{site}/{about}/RECORD",
        f"{site}/{about}/entry_points.txt",
        f"{site}/kiro_swarm/__init__.py",
        f"{site}/kiro_swarm/cli/main.py",
        facts.COMMAND,
    ]


def test_the_record_states_the_true_checksum_and_size_of_every_file(
    repository: Path,
) -> None:
    files = contents(repository)
    record = files[f"{facts.SITE_PACKAGES}/kiro_swarm-1.2.3.dist-info/RECORD"].decode()
    rows = [line.split(",") for line in record.splitlines()]
    assert len(rows) == len(files) - 1
    for name, checksum, size in rows:
        if name.endswith("RECORD"):
            assert (checksum, size) == ("", "")
            continue
        content = files[f"{facts.SITE_PACKAGES}/{name}"]
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode()
        assert checksum == f"sha256={digest.rstrip('=')}"
        assert size == str(len(content))


def test_the_command_of_this_repository_uses_the_environment_of_the_image() -> None:
    files = contents(REPOSITORY)
    assert files[facts.COMMAND].startswith(
        f"#!{facts.PREFIX}/bin/python3 -IB\n".encode()
    )
    assert INIT in files


def test_writing_makes_the_command_executable(repository: Path, tmp_path: Path) -> None:
    stage = tmp_path / "stage"
    write(contents(repository), stage)
    assert os.access(stage / facts.COMMAND.lstrip("/"), os.X_OK)
    assert (stage / INIT.lstrip("/")).read_text("utf-8") == '__version__ = "1.2.3"\n'


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('__version__ = "0.1.0"', "0.1.0"),
        ("__version__ = '2.0'", "2.0"),
        ('__version__: str = "1.0rc1"', "1.0rc1"),
    ],
)
def test_the_version_is_read_from_the_package(
    tmp_path: Path, line: str, expected: str
) -> None:
    (tmp_path / "__init__.py").write_text(f'"""Doc."""\n{line}\n', "utf-8")
    assert version(tmp_path) == expected


def test_a_package_without_a_version_is_refused(repository: Path) -> None:
    path = repository / "operator" / "kiro_swarm" / "__init__.py"
    path.write_text("", "utf-8")
    with pytest.raises(ImageError, match=r"__init__\.py has no line `__version__"):
        contents(repository)


def test_a_folder_without_the_package_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="operator/kiro_swarm is missing"):
        contents(tmp_path)


def test_an_archive_names_the_image_its_layers_and_how_it_runs(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    layers = [
        cache.layer(name, "k", lambda target: target.touch())
        for name in ("base", "package")
    ]
    config = archive.config(layers)
    for target in ("one.tar", "two.tar"):
        archive.write(tmp_path / target, "kiro-swarm:test", config, layers)
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()

    with tarfile.open(tmp_path / "one.tar") as tar:
        files = {
            member.name: tar.extractfile(member).read()  # type: ignore[union-attr]
            for member in tar
        }
    (manifest,) = json.loads(files["manifest.json"])
    assert manifest["RepoTags"] == ["kiro-swarm:test"]
    image = json.loads(files[manifest["Config"]])
    assert manifest["Config"] == f"{hashlib.sha256(config).hexdigest()}.json"
    assert image["config"]["User"] == "65532:65532"
    assert image["config"]["Entrypoint"] == ["kiro-swarm"]
    assert image["rootfs"]["diff_ids"] == [layer.diff_id for layer in layers]
    assert len(image["history"]) == len(layers)
    for name, layer in zip(manifest["Layers"], layers):
        assert files[name] == layer.path.read_bytes()
