"""The process of a Job: what it is asked by signals, and that it ends when it has answered.

Called by cli/jobs.py. Guarantees: SIGTERM cancels the work, which has the time that the
kubelet gives to write down where it was; once the work has answered, the process ends,
whatever its threads are still at. asyncio.run would wait for them: for a push, for a pack of
the repository, for a gate of a day, and they would go on meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from typing import Coroutine, NoReturn

log = logging.getLogger(__name__)

#: How a shell says that a process was ended by SIGTERM.
TERMINATED = 128 + signal.SIGTERM


def run(work: Coroutine[object, object, int]) -> NoReturn:
    """Do the work and end the process with the status that it answers.

    What threads and programs that they started are at is left there, as when the process is
    killed, which every Job can go on from; as process 1 it takes them with it.
    """
    status = 1
    try:
        status = asyncio.new_event_loop().run_until_complete(_until_told(work))
    except asyncio.CancelledError:
        log.info("asked to end: this Job ends as it is")
        status = TERMINATED
    except BaseException:
        log.exception("this Job ends")
    finally:
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


async def _until_told(work: Coroutine[object, object, int]) -> int:
    task = asyncio.ensure_future(work)
    # The process is the first of its container: what it has no handler for, it never gets.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task
