"""Whose a mirror is: of which repository, and of which KiroSwarm.

Role: mirror.py writes it before anything is fetched; whoever merges, pushes or rescues asks it
first. A volume need not be new: a PersistentVolume can be bound again, and some provisioners make
its folder of namespace and claim, which a swarm of the same name has as well.

Guarantees: what was written whole is what is read. A file that is missing, half written or of zeros
says nothing, and is no other's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Optional

from kiro_swarm.api.bounded_json import BoundsError, read_object
from kiro_swarm.workspace.disk import read_plain, sync_folder, write_plain
from kiro_swarm.workspace.errors import VolumeOfAnother
from kiro_swarm.workspace.redaction import redact_address

#: Agents read the mirror, and cannot write into it.
MARK: Final = "kiro-swarm.json"
#: An address may have 2,048 characters, each of them written in six.
_LONGEST: Final = 20_000
#: What a person can do where a volume is not the swarm's.
REMEDY: Final = (
    "nothing on it was changed. Save what you need of it, then empty the volume, or delete"
    " this KiroSwarm and its PersistentVolume, and create it again"
)


@dataclass(frozen=True)
class Owner:
    """``url`` of the repository, ``swarm``: uid of the KiroSwarm, empty where nobody knows."""

    url: str
    swarm: str = ""

    def names(self, other: Owner) -> bool:
        """Whether the other one may be this one."""
        same = self.swarm == other.swarm or not (self.swarm and other.swarm)
        return same and redact_address(self.url) == redact_address(other.url)


def owner_in(mirror: Path) -> Optional[Owner]:
    """What the mirror says; None where it says nothing."""
    try:
        said = read_object(read_plain(mirror / MARK), size=_LONGEST, depth=1, values=4)
    except BoundsError:
        return None
    url, swarm = said.get("repository"), said.get("swarm")
    if isinstance(url, str) and isinstance(swarm, str) and url:
        return Owner(url, swarm)
    return None


def is_marked(mirror: Path, owner: Owner) -> bool:
    """Whether the mirror says that it is this one's; False: it says nothing, or not all.

    Raises VolumeOfAnother: it is another one's.
    """
    there = owner_in(mirror)
    if there is None:
        return False
    if not there.names(owner):
        what = f"the repository {there.url}"
        if redact_address(there.url) == redact_address(owner.url):
            what = f"another KiroSwarm (uid {there.swarm}) of this repository"
        raise VolumeOfAnother(
            f"the volume has the work of {what}, not of {redact_address(owner.url)} for"
            f" the KiroSwarm of uid {owner.swarm or '-'}; {REMEDY}"
        )
    return there.swarm == owner.swarm or not owner.swarm


def mark(mirror: Path, owner: Owner) -> None:
    """Write it, durably. The caller is sole owner of the mirror."""
    said = {"repository": redact_address(owner.url), "swarm": owner.swarm}
    write_plain(mirror / MARK, json.dumps(said) + "\n")
    # Refs that are written after it are not to outlive it: a power cut would leave work of nobody.
    sync_folder(mirror)
