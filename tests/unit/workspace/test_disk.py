"""Files where an agent may have put anything: read as text, or as nothing."""

from __future__ import annotations

import os
from pathlib import Path

from kiro_swarm.workspace.disk import read_plain


def test_what_is_no_plain_file_is_empty(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("text")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("plain")
    os.mkfifo(tmp_path / "pipe")
    before = len(os.listdir("/proc/self/fd"))
    names = ("plain", "folder", "link", "pipe", "nothing")
    said = [read_plain(tmp_path / name) for name in names]
    assert said == ["text", "", "", "", ""]
    assert len(os.listdir("/proc/self/fd")) == before
