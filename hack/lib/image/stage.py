"""A folder inside the unpacked base where a layer is put together.

Inside, so that the image's interpreter can see it without any mount.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

_PREFIX = "stage-"


@contextlib.contextmanager
def stage_in(root: Path) -> Iterator[Path]:
    """An empty folder under ``root``, gone afterwards. Removes those of killed builds."""
    for left in (root / "tmp").glob(f"{_PREFIX}*"):
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(dir=root / "tmp", prefix=_PREFIX) as folder:
        yield Path(folder)
