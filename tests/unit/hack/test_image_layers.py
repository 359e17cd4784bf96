"""Layers of the image: the same content gives the same bytes, and only once."""

from __future__ import annotations

import gzip
import hashlib
import os
import tarfile
from pathlib import Path
from typing import Callable

import pytest

from hack.lib.image.layers import Cache, Layer, key_of, pack, tar_folder
from hack.lib.image.stage import stage_in


def write_text(text: str) -> Callable[[Path], None]:
    """A maker of a layer whose tar is just ``text``."""

    def make(target: Path) -> None:
        target.write_text(text, "utf-8")

    return make


def never(target: Path) -> None:
    raise AssertionError(f"{target} was made although it is in the cache")


def made(cache: Cache, key: str, name: str = "base") -> Layer:
    return cache.layer(name, key, write_text(f"content of {key}"))


def folder_with(root: Path, names: list[str], stamp: int) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"text of {name}", "utf-8")
        os.utime(path, (stamp, stamp))
    return root


def test_equal_folders_give_equal_tars_whenever_and_in_whatever_order_they_were_made(
    tmp_path: Path,
) -> None:
    names = ["usr/bin/tool", "usr/lib/b.py", "a"]
    for folder, order, stamp in (("x", names, 1), ("y", names[::-1], 2_000_000_000)):
        tar_folder(
            folder_with(tmp_path / folder, order, stamp), tmp_path / f"{folder}.tar"
        )
    assert (tmp_path / "x.tar").read_bytes() == (tmp_path / "y.tar").read_bytes()


def test_files_of_a_layer_belong_to_root_and_keep_only_their_executable_bit(
    tmp_path: Path,
) -> None:
    root = folder_with(tmp_path / "root", ["bin/tool", "private"], 1)
    (root / "bin" / "tool").chmod(0o4711)
    (root / "private").chmod(0o600)
    (root / "link").symlink_to("/usr/bin/python3")
    tar_folder(root, tmp_path / "layer.tar")
    with tarfile.open(tmp_path / "layer.tar") as archive:
        members = {member.name: member for member in archive}
    assert {name: oct(member.mode) for name, member in members.items()} == {
        "bin": "0o755",
        "bin/tool": "0o755",
        "link": "0o755",
        "private": "0o644",
    }
    assert {(m.uid, m.gid, m.mtime, m.uname) for m in members.values()} == {
        (0, 0, 0, "")
    }
    assert members["link"].linkname == "/usr/bin/python3"


def test_a_packed_layer_is_named_by_the_checksum_of_what_is_in_it(
    tmp_path: Path,
) -> None:
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    content = os.urandom(3_000_000)
    plain.write_bytes(content)
    diff_id = pack(plain, packed)
    assert diff_id == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert gzip.decompress(packed.read_bytes()) == content
    again = tmp_path / "again"
    os.utime(plain, (1, 1))
    pack(plain, again)
    assert again.read_bytes() == packed.read_bytes()


def test_a_layer_is_made_once(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    first = made(cache, "k1")
    second = cache.layer("base", "k1", never)
    assert (first.cached, second.cached) == (False, True)
    assert first.diff_id == second.diff_id
    assert gzip.decompress(second.path.read_bytes()) == b"content of k1"
    assert second.size == second.path.stat().st_size


def test_a_build_that_dies_leaves_nothing_that_passes_for_a_layer(
    tmp_path: Path,
) -> None:
    cache = Cache(tmp_path)

    def die(target: Path) -> None:
        target.write_text("half", "utf-8")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.layer("base", "k1", die)
    assert not made(cache, "k1").cached


def test_a_layer_that_somebody_deleted_is_made_again(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    made(cache, "k1").path.unlink()
    layer = made(cache, "k1")
    assert not layer.cached
    assert layer.path.exists()


def test_only_the_layers_used_last_are_kept(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    for number in range(5):
        note = made(cache, f"k{number}").path.with_name(f"base-k{number}.json")
        os.utime(note, (number, number))
    (tmp_path / "base-k0.root" / "etc").mkdir(parents=True)
    (tmp_path / "base-killed.tar").touch()
    made(cache, "k0", name="package")
    cache.prune("base")
    kept = {path.name.split(".")[0] for path in tmp_path.iterdir()}
    assert kept == {"base-k2", "base-k3", "base-k4", "package-k0"}


def test_forgetting_removes_every_layer_of_that_name(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    made(cache, "k1")
    kept = made(cache, "k1", name="package")
    cache.forget("base")
    assert not made(cache, "k1").cached
    assert kept.path.exists()


def test_every_part_of_a_recipe_counts_and_they_do_not_run_together() -> None:
    keys = [key_of("a", "b"), key_of("b", "a"), key_of("ab"), key_of("a", "b", "")]
    assert len(set(keys)) == len(keys)
    assert key_of("a", "b") == keys[0]


def test_a_stage_is_gone_afterwards_and_takes_what_a_killed_build_left(
    tmp_path: Path,
) -> None:
    (tmp_path / "tmp" / "stage-killed" / "usr").mkdir(parents=True)
    with stage_in(tmp_path) as stage:
        assert [path.name for path in (tmp_path / "tmp").iterdir()] == [stage.name]
        (stage / "file").touch()
    assert list((tmp_path / "tmp").iterdir()) == []
