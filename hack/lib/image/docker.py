"""The way with a container engine: the Dockerfile, saved as the same archive.

Called by `main`. The engine has a cache of its own; an archive that holds the
image it built is not written again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from hack.lib.image.build import Image, archive_path, archived_id, lock, note_path
from hack.lib.image.errors import ImageError
from hack.lib.image.host import run
from hack.lib.image.layers import write_note


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
        if archived_id(path) != image_id:
            partial = path.with_suffix(".partial")
            run(["docker", "save", "--output", str(partial), tag], "save the image")
            os.replace(partial, path)
            write_note(note_path(path), {"id": image_id})
    return Image(tag, image_id, path, path.stat().st_size, [])
