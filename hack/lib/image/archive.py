"""A docker-archive: what ``docker load``, ``kind load`` and ``ctr images import`` read.

Called by ``build``. An import reads the whole archive, but unpacks only the layers it lacks.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

from hack.lib.image import facts
from hack.lib.image.host import architecture
from hack.lib.image.layers import Layer

_EPOCH = "1970-01-01T00:00:00Z"


def config(layers: Sequence[Layer]) -> bytes:
    """The image config; its checksum is the image's id."""
    history = [
        {"created": _EPOCH, "created_by": f"hack/image: {layer.name} {layer.key}"}
        for layer in layers
    ]
    environment = [f"{name}={facts.ENVIRONMENT[name]}" for name in facts.ENVIRONMENT]
    content: dict[str, object] = {
        "architecture": architecture(),
        "os": "linux",
        "created": _EPOCH,
        "config": {
            "User": f"{facts.USER_ID}:{facts.USER_ID}",
            "Entrypoint": list(facts.ENTRYPOINT),
            "Env": environment,
            "WorkingDir": facts.WORKING_DIRECTORY,
        },
        "rootfs": {
            "type": "layers",
            "diff_ids": [layer.diff_id for layer in layers],
        },
        "history": history,
    }
    return json.dumps(content, sort_keys=True).encode()


def write(target: Path, tag: str, image: bytes, layers: Sequence[Layer]) -> None:
    """Writes the archive ``target``, with ``tag`` as the image's name."""
    names = [f"{layer.name}-{layer.key}.tar.gz" for layer in layers]
    image_name = f"{hashlib.sha256(image).hexdigest()}.json"
    manifest = [{"Config": image_name, "RepoTags": [tag], "Layers": names}]
    with tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as archive:
        for name, layer in zip(names, layers):
            member = tarfile.TarInfo(name)
            member.size = layer.size
            with layer.path.open("rb") as source:
                archive.addfile(member, source)
        _add(archive, image_name, image)
        _add(archive, "manifest.json", json.dumps(manifest).encode())


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))
