"""The task graph: from a Kiro ``tasks.md`` to "this task on that instance now".

Pure: no I/O, no clock. ``parser.parse`` reads a file, ``wire`` publishes what it says,
``graph`` answers questions about order, ``schedule.choose`` pairs ready tasks with idle
instances, ``edit.tick`` writes a tick back. Called by the prepare and integrate Jobs
(parser, wire, edit) and by the operator's decisions (wire, graph, schedule).
"""

from __future__ import annotations
