"""What processes of a container hold on a volume though it is in no folder any more.

Used by the entrypoint alone, for the runner: a file that is unlinked and open takes room that
nobody finds by looking into folders. Guarantees: what cannot be looked at counts for nothing, a
file counts once, and looking has an end, however much is open.
"""

from __future__ import annotations

import os
import stat
import time
from typing import Final, Iterable

from kiro_swarm.sandbox.port import Held

_BLOCK: Final = 512
_SECONDS: Final = 5.0


def held_by(pids: Iterable[int], place: str) -> Held:
    """What these processes hold unlinked on the file system of ``place``. Raises OSError."""
    device = os.stat(place).st_dev
    until = time.monotonic() + _SECONDS
    found: dict[int, int] = {}
    for pid in pids:
        try:
            with os.scandir(f"/proc/{pid}/fd") as entries:
                for entry in entries:
                    if time.monotonic() > until:
                        break
                    try:
                        # By the descriptor: the name that it had is gone.
                        facts = os.stat(entry.path)
                    except OSError:
                        continue  # closed meanwhile
                    regular = stat.S_ISREG(facts.st_mode)
                    if regular and facts.st_nlink == 0 and facts.st_dev == device:
                        found[facts.st_ino] = facts.st_blocks * _BLOCK
        except OSError:
            continue  # gone, or it lets nobody look
    return Held(sum(found.values()), len(found))
