"""What runners have kept, taken into the mirror one after another.

Role: the merge train adopts before each merge (jobs/tries.py), the rescue before it pushes.

Guarantees: which work is taken is noted in ``Doubts`` before, so that work which kills the
process is known to the next Job and keeps nothing else from being taken. What is no fault of
the work stops the whole, and counts against no work.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from kiro_swarm.workspace.blame import blame, words_of
from kiro_swarm.workspace.done import Kept, take
from kiro_swarm.workspace.doubts import Doubts
from kiro_swarm.workspace.errors import Doubtful, ObjectsRefused
from kiro_swarm.workspace.limits import Limits
from kiro_swarm.workspace.outcomes import Unproven
from kiro_swarm.workspace.probe import find_trouble

log = logging.getLogger(__name__)


class Adopted(NamedTuple):
    """What came of one: ``why`` says why it stays where it is, and is empty if it does not."""

    work: Kept
    why: str


def adopt(
    mirror: Path, branch: str, works: Iterable[Kept], doubts: Doubts, limits: Limits
) -> Iterator[Adopted]:
    """Take each of these, when it is asked for.

    Raises WorkspaceError for what is nobody's fault, and OSError.
    """
    for work in works:
        doubts.begins(work.trailer)
        why = ""
        try:
            take(mirror, branch, work, limits)
        except ObjectsRefused as refusal:
            why = refusal.message
        except Exception as error:
            found = blame(error, lambda: find_trouble(mirror, branch))
            if not isinstance(found, (Unproven, Doubtful)):
                # No fault of the work: the next Job must not take it for a killer.
                with suppress(OSError):
                    doubts.stopped(work.trailer)
                raise found from error
            why = words_of(error)
        if why:
            log.warning("%s is not adopted: %s", work.trailer, why)
        doubts.rests()
        yield Adopted(work, why)
