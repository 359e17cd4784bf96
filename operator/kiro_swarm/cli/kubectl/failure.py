"""How ``kubectl swarm`` ends: exit statuses, and the error that carries one.

Raised by every module of this package, told to people by ``session.run`` and ``main``.
"""

from __future__ import annotations

from typing import Sequence

DONE = 0
#: The command failed, with the reason.
FAILED = 1
#: The sentence or an option was not understood; nothing was sent.
NOT_UNDERSTOOD = 2
#: There is no cluster, kiro-swarm is not in it, or it does not allow this.
NO_CLUSTER = 3
#: As of timeout(1): the answer did not come in time.
TIMED_OUT = 124
#: As of a shell: ended by Ctrl-C.
INTERRUPTED = 130


class Failure(Exception):
    """Why nothing more can be done: a message, lines that help, the exit status."""

    def __init__(
        self, message: str, status: int = FAILED, hints: Sequence[str] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.hints = tuple(hints)
