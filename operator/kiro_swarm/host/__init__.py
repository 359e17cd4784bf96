"""The operator process: its parts, and the one place that knows all of them."""

from __future__ import annotations
