"""How far the growth of a swarm's volume is, by what its claim says. Pure.

Role: ``reconcile/swarms/volume.py`` asks, and tells the answer in the condition
``VolumeResized``. Guarantees: a claim is never made smaller, whoever made it larger.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple, Optional

from typing_extensions import Literal

from kiro_swarm.api.claims import PersistentVolumeClaim
from kiro_swarm.api.quantity import amount_of

#: How Kubernetes calls a resize that its driver, or the node, has refused for good.
_INFEASIBLE = ("ControllerResizeInfeasible", "NodeResizeInfeasible")
#: Conditions of a claim that say what is being done.
_UNDER_WAY = (
    "ControllerResizeError",
    "NodeResizeError",
    "FileSystemResizePending",
    "Resizing",
)

State = Literal["to ask", "pending", "refused", "settled"]


#: Of a KiroSwarm; there only where its volume had to grow.
CONDITION: Final = "VolumeResized"
RESIZED: Final = "Resized"
PENDING: Final = "ResizePending"
REFUSED: Final = "ResizeRefused"


class Growth(NamedTuple):
    """``to ask``: the claim asks for less than is wanted. ``message``: for a person."""

    state: State
    message: str


def growth_of(claim: PersistentVolumeClaim, wanted: str) -> Growth:
    """How far a claim is on its way to the size that a swarm wants.

    :param wanted: ``spec.storage.size``.
    """
    spec, status = claim.get("spec") or {}, claim.get("status") or {}
    asked = (spec.get("resources") or {}).get("requests") or {}
    size = amount_of(wanted)
    if _amount(asked.get("storage")) < size:
        return Growth("to ask", "")
    has = (status.get("capacity") or {}).get("storage")
    # Without a capacity there is no volume yet: it is made in the size that is asked for.
    if has is None or _amount(has) >= size:
        return Growth("settled", f"the volume has {has or wanted}")
    allocated = (status.get("allocatedResourceStatuses") or {}).get("storage")
    refused = allocated in _INFEASIBLE
    said = _said(claim)
    where = f"claim {claim['metadata']['name']} has {has} and asks for {wanted}"
    return Growth("refused" if refused else "pending", f"{where}: {said}")


def _said(claim: PersistentVolumeClaim) -> str:
    conditions = (claim.get("status") or {}).get("conditions") or []
    there = {
        item.get("type", ""): item
        for item in conditions
        if item.get("status") == "True"
    }
    for kind in _UNDER_WAY:
        if kind in there:
            words = there[kind].get("message") or ""
            return f"{kind}: {words}" if words else kind
    return "the driver of its StorageClass has not begun"


def _amount(quantity: Optional[str]) -> Decimal:
    """Nothing where nothing is said, or nothing that can be read."""
    try:
        return amount_of(quantity or "0")
    except ValueError:
        return Decimal(0)
