"""The command line of hack/image: arguments, the choice of the way, the answer.

The answer goes to stdout (the path of the archive, or JSON), everything else
to stderr. Exit code 1 with one message when something is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

from hack.lib.image import facts, host
from hack.lib.image.base import MIRROR_VARIABLE
from hack.lib.image.build import Image, archive_path, build_offline
from hack.lib.image.docker import build_docker, engine_answers
from hack.lib.image.errors import ImageError

REPOSITORY = Path(__file__).resolve().parents[3]
_DESCRIPTION = f"""\
Builds the image that operator, runner, agent entrypoint, prepare and integrate
share, as a docker-archive. Layers are cached: after a change of our code alone
only the last, small one is made again.

KIRO_SWARM_CACHE (default ~/.cache) holds the cache; {MIRROR_VARIABLE} names
another Debian mirror than deb.debian.org.
"""


def parser() -> argparse.ArgumentParser:
    """The arguments of ``hack/image``."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--tag", default=facts.TAG, help="default: %(default)s")
    common.add_argument(
        "--method",
        choices=("docker", "offline"),
        help="docker: the Dockerfile; offline: Debian packages and wheels, as root. "
        "Default: docker where an engine answers",
    )
    common.add_argument(
        "--refresh", action="store_true", help="make every layer anew, for updates"
    )
    common.add_argument(
        "--yes",
        action="store_true",
        default=any(os.environ.get(name) for name in ("CI", "KIRO_SWARM_YES")),
        help="install missing Debian packages (default in CI)",
    )
    common.add_argument("--output", choices=("text", "json"), default="text")
    result = argparse.ArgumentParser(
        prog="hack/image",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = result.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("build", parents=[common], help="build the archive")
    load = actions.add_parser(
        "load", parents=[common], help="build and load into a cluster"
    )
    load.add_argument("--cluster", help="its name; default: that of hack/cluster")
    return result


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs one action; returns the exit code."""
    chosen = parser().parse_args(arguments)
    started = time.monotonic()
    try:
        image = build(chosen)
        if chosen.action == "load":
            load(image, chosen.cluster)
    except ImageError as error:
        print(f"hack/image: {error}", file=sys.stderr)
        return 1
    seconds = time.monotonic() - started
    if chosen.output == "json":
        print(json.dumps(answer(image, seconds), indent=2))
    else:
        print(image.path)
    return 0


def build(chosen: argparse.Namespace) -> Image:
    """Builds by the chosen way, or by the one that this machine offers."""
    archive_path(chosen.tag)
    method = chosen.method or ("docker" if engine_answers() else "offline")
    if method == "docker":
        return build_docker(REPOSITORY, chosen.tag, refresh=chosen.refresh)
    host.prepare(install=chosen.yes)
    return build_offline(REPOSITORY, chosen.tag, refresh=chosen.refresh)


def load(image: Image, cluster: Optional[str]) -> None:
    """Hands the archive to hack/cluster."""
    command = [str(REPOSITORY / "hack" / "cluster"), "load", str(image.path)]
    name = ["--name", cluster] if cluster else []
    # Its output is progress: stdout belongs to our own answer.
    done = subprocess.run([*command, *name], check=False, stdout=sys.stderr)
    if done.returncode != 0:
        raise ImageError(f"hack/cluster load exited with {done.returncode}")


def answer(image: Image, seconds: float) -> object:
    """What ``--output json`` prints."""
    return {
        "tag": image.tag,
        "id": image.image_id,
        "archive": str(image.path),
        "bytes": image.size,
        "seconds": round(seconds, 2),
        "layers": [
            {
                "name": layer.name,
                "key": layer.key,
                "diff_id": layer.diff_id,
                "bytes": layer.size,
                "cached": layer.cached,
            }
            for layer in image.layers
        ],
    }
