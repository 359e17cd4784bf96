"""From a Kiro ``tasks.md`` to "this task on that instance now".

Pure: no I/O, no clock. ``file`` reads, publishes and ticks; called by the prepare and
integrate Jobs and by the command line. ``plan`` orders, schedules and foretells; called by
the operator's decisions.
"""

from __future__ import annotations
