"""What a benchmark returns, and how it is shown.

A benchmark is a module tests/bench/<name>.py whose docstring's first line says what it
measures and which has ``def run(arguments: Sequence[str]) -> List[Measure]``. The driver
(tests/bench/__main__.py) calls it and prints what comes back with the functions here.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from typing import Any, Dict, Optional, Sequence

from rich.table import Table


@dataclass(frozen=True)
class Measure:
    """One measured number.

    ``value`` is in ``unit``; the unit "x" makes it a ratio, and ratios are shown first, for
    they hold on other machines too. ``target`` is the largest value that is good enough,
    in the same unit; None says that the number is for information.
    """

    name: str
    value: float
    unit: str
    target: Optional[float] = None

    @property
    def missed(self) -> bool:
        """Whether there is a target and the value is above it (or is not a number)."""
        return self.target is not None and not self.value <= self.target


def ratios_first(measures: Sequence[Measure]) -> Sequence[Measure]:
    """The same measures with the ratios in front, otherwise in their order."""
    return sorted(measures, key=lambda measure: measure.unit != "x")


def as_table(name: str, measures: Sequence[Measure]) -> Table:
    """A table for people: what was measured, what was wanted, by how much it missed."""
    table = Table(title=name, title_justify="left")
    table.add_column("measure")
    for column in ("value", "target", "verdict"):
        table.add_column(column, justify="right")
    for measure in ratios_first(measures):
        target = "" if measure.target is None else f"{measure.target:g} {measure.unit}"
        value = f"{measure.value:.4g} {measure.unit}"
        table.add_row(measure.name, value, target, _verdict(measure))
    return table


def as_json(name: str, measures: Sequence[Measure]) -> Dict[str, Any]:
    """The same for machines, with the machine that it was measured on."""
    return {
        "benchmark": name,
        "passed": not any(measure.missed for measure in measures),
        "machine": {
            "cpus": os.cpu_count(),
            "architecture": platform.machine(),
            "python": platform.python_version(),
        },
        "measures": [
            {
                "name": measure.name,
                "value": measure.value,
                "unit": measure.unit,
                "target": measure.target,
                "missed": measure.missed,
            }
            for measure in ratios_first(measures)
        ],
    }


def _verdict(measure: Measure) -> str:
    if measure.target is None:
        return ""
    if not measure.missed:
        return "met"
    if not measure.target:
        return "missed"
    return f"missed, {measure.value / measure.target:.2f} times the target"
