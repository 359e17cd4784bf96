"""What a task asks for, as a short hash: two tasks of one id may ask for different work. Pure.

Role: the merge train writes it into its merge, and compares it where a KiroTask has the id of
one that was merged; so does the operator, by the ledger.

Guarantees: how the text is broken into lines, and which boxes in it are ticked, does not count;
the train itself ticks boxes.
"""

from __future__ import annotations

import hashlib
import re

from kiro_swarm.api.task import KiroTaskSpec

_BOX = re.compile(r"\[[ xX~-]\]")


def asked_of(spec: KiroTaskSpec) -> str:
    """Sixteen hex digits that stand for the title and the text of a task."""
    title, text = spec.get("title") or "", spec.get("description") or ""
    said = "\0".join(" ".join(_BOX.sub("[]", part).split()) for part in (title, text))
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def same_work(merged: str, wanted: str) -> bool:
    """Whether a merge is of the work that is wanted.

    An earlier release did not write what was asked for: then the id of the task is believed.
    """
    return not merged or merged == wanted
