"""The way with a container engine: the Dockerfile, saved as the same archive.

Called by ``main``. The engine has a cache of its own; an archive that holds the
image it built is not written again.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from hack.lib.image.build import Image, archive_path, keep_archive, lock
from hack.lib.image.errors import ImageError
from hack.lib.image.host import run


def engine_answers() -> bool:
    """Whether a container engine runs here; a client alone says nothing."""
    if shutil.which("docker") is None:
        return False
    question = ["docker", "info", "--format", "{{.ServerVersion}}"]
    answer = subprocess.run(
        question, check=False, capture_output=True, text=True, timeout=30
    )
    return answer.returncode == 0 and bool(answer.stdout.strip())


def build_docker(repository: Path, tag: str, *, refresh: bool) -> Image:
    """Builds the Dockerfile and saves the image as an archive."""
    path = archive_path(tag)
    fresh = ["--pull", "--no-cache"] if refresh else []
    print("docker build ...", file=sys.stderr)
    with lock():
        try:
            command = ["docker", "build", *fresh, "--tag", tag, str(repository)]
            run(command, "build the Dockerfile")
        except ImageError as error:
            raise ImageError(
                f"{error}\nWithout a registry in reach, use --method offline."
            ) from error
        inspect = ["docker", "image", "inspect", "--format", "{{.Id}}", tag]
        image_id = run(inspect, "find the image that was built").strip()
        keep_archive(path, image_id, lambda target: save(tag, target))
    return Image(tag, image_id, path, path.stat().st_size, [])


def save(tag: str, target: Path) -> None:
    """Writes an image of the engine as an archive."""
    run(["docker", "save", "--output", str(target), tag], "save the image")
