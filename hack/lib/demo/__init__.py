"""What hack/demo is made of: the story, what it applies, and what it shows."""

from __future__ import annotations
