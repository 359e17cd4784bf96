"""A ``tasks.md``: read in whatever dialect it is written, published, and ticked.

``parser.parse`` reads a file, ``wire`` publishes what it says, ``edit.tick`` writes a tick
back, ``report`` tells what is wrong with it.
"""

from __future__ import annotations
