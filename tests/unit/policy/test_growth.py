"""How far a claim is, by what Kubernetes says of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Dict, Optional

import pytest

from kiro_swarm.api.quantity import amount_of
from kiro_swarm.policy.growth import growth_of


def claim(asked: str, has: Optional[str] = None, **status: Any) -> Any:
    capacity: Dict[str, Any] = {} if has is None else {"capacity": {"storage": has}}
    return {
        "metadata": {"name": "demo-workspace"},
        "spec": {"resources": {"requests": {"storage": asked}}},
        "status": {**capacity, **status},
    }


def said(kind: str, message: str = "", status: str = "True") -> Dict[str, Any]:
    return {"conditions": [{"type": kind, "status": status, "message": message}]}


INFEASIBLE = {"allocatedResourceStatuses": {"storage": "ControllerResizeInfeasible"}}


@pytest.mark.parametrize(
    ("found", "wanted", "state", "words"),
    [
        (claim("1Gi"), "5Gi", "to ask", ""),
        (claim("1Gi", "1Gi"), "1025Mi", "to ask", ""),
        (claim("1Gi", "1Gi"), "1Gi", "settled", "has 1Gi"),
        (claim("1Gi", "1073741824"), "1Gi", "settled", "has 1073741824"),
        (claim("5Gi"), "5Gi", "settled", ""),
        (claim("9Gi", "9Gi"), "5Gi", "settled", "has 9Gi"),  # a person made it larger
        (claim("5Gi", "8Gi"), "5Gi", "settled", "has 8Gi"),  # rounded up by the driver
        (claim("5Gi", "1Gi"), "5Gi", "pending", "has not begun"),
        (
            claim("5Gi", "1Gi", **said("FileSystemResizePending", "waiting for a pod")),
            "5Gi",
            "pending",
            "FileSystemResizePending: waiting for a pod",
        ),
        (
            claim("5Gi", "1Gi", **said("Resizing", status="False")),
            "5Gi",
            "pending",
            "has not begun",
        ),
        (
            claim("5Gi", "1Gi", **INFEASIBLE),
            "5Gi",
            "refused",
            "has 1Gi and asks for 5Gi",
        ),
        (claim("what", "1Gi"), "5Gi", "to ask", ""),
        ({"metadata": {"name": "bare"}}, "5Gi", "to ask", ""),
    ],
)
def test_a_claim(found: Any, wanted: str, state: str, words: str) -> None:
    growth = growth_of(found, wanted)
    assert growth.state == state
    assert words in growth.message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", "0"),
        ("1500m", "1.5"),
        ("2k", "2000"),
        ("1.5Gi", str(3 * 512 * 1024**2)),
        ("1Ei", str(1024**6)),
        ("5E", "5000000000000000000"),
        ("5e9", "5000000000"),
    ],
)
def test_a_quantity(text: str, value: str) -> None:
    assert amount_of(text) == Decimal(value)


@pytest.mark.parametrize(
    "text", ["", "Gi", "-1", "1K", "1 Gi", "1e", "1e999", "\u0661"]
)
def test_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="is no quantity"):
        amount_of(text)
