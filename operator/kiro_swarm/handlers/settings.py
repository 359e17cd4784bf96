"""kopf's settings, field by field with the reason, for every kopf that we support."""

from __future__ import annotations

from itertools import chain, repeat
from typing import Any, Iterator, Sequence

import kopf

from kiro_swarm.api.meta import GROUP


def configure(settings: kopf.OperatorSettings) -> None:
    """Set what this operator needs; the rest stays as kopf has it."""
    # Leadership is by Lease (cluster/leases.py); kopf's peering is no leader election.
    settings.peering.standalone = True
    # kopf posts no Events for us: they would be one or two writes an object.
    settings.posting.enabled = False
    # The CRDs are there before the operator starts; watching them costs a watch.
    settings.scanning.disabled = True
    # With indices or many objects a limit deadlocks; ours is the work queue.
    _queueing(settings).worker_limit = None
    # Watches end on their own: a stream that is silently dead is found by its timeout.
    settings.watching.connect_timeout = 5
    settings.watching.server_timeout = 300
    settings.watching.client_timeout = 310
    _list_first(settings.watching)
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 5
    # After the last one kopf gives up, and ends the process: an API server may be away longer.
    settings.networking.error_backoffs = Endless((0.2, 0.5, 1, 2, 4, 8))
    # An accidental state handler must not write keys of another domain.
    settings.persistence.finalizer = f"{GROUP}/kopf"
    settings.persistence.progress_storage = NoProgress(prefix=GROUP)
    settings.persistence.diffbase_storage = NoDiffs()


class Endless:
    """Delays of which the last one is repeated; each request begins anew with the first."""

    def __init__(self, delays: Sequence[float]) -> None:
        self._delays = delays

    def __iter__(self) -> Iterator[float]:
        """The delays before the second try, the third and so on."""
        return chain(self._delays, repeat(self._delays[-1]))


class NoProgress(kopf.AnnotationsProgressStorage):
    """There is no progress of handlers, so none need be taken out of what is compared.

    kopf makes a deep copy of that for every event.
    """

    def clear(self, *, essence: Any) -> Any:
        """The essence of an object, which has no progress in it."""
        return essence


class NoDiffs(kopf.DiffBaseStorage):
    """Remembers nothing: there are no handlers that look at differences.

    kopf copies the whole object for every event to find out what changed; with nothing to
    remember it has nothing to copy.
    """

    def build(self, **_: Any) -> Any:
        """The essence of an object: nothing."""
        return {}

    def fetch(self, **_: Any) -> Any:
        """What was stored: nothing."""
        return None

    def store(self, **_: Any) -> None:
        """Store nothing."""


def _list_first(watching: Any) -> None:
    """Keep kopf, from 1.45 on, from having its lists streamed by a watch.

    Our session knows a list by its request: it then has the kind listed anew, to find what
    vanished. It would take a streamed one for news, and keep known objects from kopf.
    """
    if hasattr(watching, "initial_streaming"):
        watching.initial_streaming = False


def _queueing(settings: Any) -> Any:
    """``queueing``, or ``batching`` as it was called before kopf 1.42."""
    queueing = getattr(settings, "queueing", None) or settings.batching
    if not hasattr(settings, "queueing"):
        queueing.batch_window = 0.01
    return queueing
