"""What ends the process from outside: SIGTERM and SIGINT.

Used by ``operator`` around all parts. kopf takes these signals too, but only once it runs: a
standby, or a leader that still lists, would never hear of them. As process 1 of its container
it would then be killed after the grace period, because the kernel gives process 1 no default.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Iterator

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextlib.contextmanager
def signals_set(stop: asyncio.Event) -> Iterator[None]:
    """Have signals set ``stop`` meanwhile; afterwards they do what they did before.

    kopf puts its own handlers in place of ours when it starts, and sets ``stop`` as well.
    Only the main thread may do any of this: an operator in another hears of no signal.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
