"""The steps of the demo and how long each took."""

from __future__ import annotations

import contextlib
import time
from typing import Iterator, List, Tuple

from rich.console import Console
from rich.table import Table

from hack.lib.demo.watch import Seen


class Times:
    """Says where the demo is, and in the end how long that took. Seconds everywhere.

    ``began`` is when the user typed the command, in seconds since 1970.
    """

    def __init__(self, console: Console, began: float) -> None:
        self.console = console
        self._began = began
        self._steps: List[Tuple[str, float]] = []
        self._swarm = ""

    @contextlib.contextmanager
    def step(self, name: str, about: str = "") -> Iterator[None]:
        """A step that ends with the block; one that fails is not counted.

        ``about``: what is waited for, of a step that shows nothing by itself.
        """
        self.console.print(f"\n[bold]{name}[/]")
        if about:
            self.console.print(about, soft_wrap=True)
        began = time.monotonic()
        yield
        self.add(name, time.monotonic() - began)

    def add(self, name: str, seconds: float) -> None:
        """A step that is over already."""
        self._steps.append((name, seconds))

    def worked(self, end: Seen) -> None:
        """What the swarm itself measured."""
        self._swarm = end.result()

    def show(self) -> None:
        """The table of times."""
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(justify="left")
        table.add_column(justify="right")
        for name, seconds in self._steps:
            table.add_row(name, f"{seconds:.1f} s")
        table.add_row("All", f"{time.time() - self._began:.1f} s")
        self.console.print("\n[bold]Times[/]")
        self.console.print(table)
        self.console.print(self._swarm, soft_wrap=True)
