"""The task graph and what follows from it: order, who does what, when it will be done.

``graph`` answers questions about order, ``schedule.choose`` pairs ready tasks with idle
instances, ``forecast`` says when the work will be over.
"""

from __future__ import annotations
