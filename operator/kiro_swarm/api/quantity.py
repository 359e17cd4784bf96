"""Quantities of bytes as people write them, and as numbers.

Role: fields of a swarm that bound something in bytes, and the sizes of claims. As a Kubernetes
quantity has it: ``100M`` is decimal, ``100Mi`` binary; in a ``ByteSize`` ``m``, thousandths of
a byte, is refused by the pattern.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from pydantic import Field
from typing_extensions import Annotated

_PATTERN: Final = r"^[0-9]{1,12}(\.[0-9]{1,3})?(k|Ki|M|Mi|G|Gi)?$"
_PARTS: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,3})?)(|k|Ki|M|Mi|G|Gi)")
_UNITS: Final = {
    **{"": 1, "k": 1000, "M": 1000**2, "G": 1000**3},
    **{"Ki": 1024, "Mi": 1024**2, "Gi": 1024**3},
}

#: All that the API server writes; decimals of any exponent that a volume can have.
_AMOUNT: Final = re.compile(
    r"([0-9]{1,20}(?:\.[0-9]{1,9})?)(?:(m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi|E|Ei)|[eE]([0-9]{1,2}))?"
)
_AMOUNTS: Final = {
    **{"m": Decimal("0.001")},
    **{unit: Decimal(1000) ** n for n, unit in enumerate("kMGTPE", 1)},
    **{f"{unit}i": Decimal(1024) ** n for n, unit in enumerate("KMGTPE", 1)},
}

ByteSize = Annotated[str, Field(max_length=20, pattern=_PATTERN)]


def bytes_of(size: str) -> int:
    """What a ``ByteSize`` is in bytes, rounded down. Raises ValueError for anything else."""
    found = _PARTS.fullmatch(size)
    if found is None:
        raise ValueError(f"{size[:40]!r} is no size in bytes, such as 100M or 512Ki")
    return int(Decimal(found[1]) * _UNITS[found[2]])


def amount_of(quantity: str) -> Decimal:
    """What a quantity of Kubernetes is as a number. Raises ValueError for anything else."""
    found = _AMOUNT.fullmatch(quantity)
    if found is None:
        raise ValueError(f"{quantity[:40]!r} is no quantity, such as 10Gi")
    number, unit, exponent = found.groups()
    times = Decimal(10) ** int(exponent) if exponent else _AMOUNTS.get(unit or "", 1)
    return Decimal(number) * times
