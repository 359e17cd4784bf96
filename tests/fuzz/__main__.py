"""The driver behind hack/fuzz: searches for texts that break a parser, and says how far.

``python -m tests.fuzz [--seconds 60] [--target NAME|all] [--seed N]``. Exit
code 0 when nothing was found, 1 with the text that breaks it, 2 for a bad option.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import time
from typing import Callable, Mapping, Sequence

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from tests.fuzz.engine import Report, Target, search
from tests.fuzz.targets import targets

_ABOUT = """Searches for texts that break a parser, and says how far it is. Exit code 0 when
nothing was found, 1 with the text that breaks it, 2 for a bad option."""
#: Most address space of the search, in bytes: a text that needs more breaks its parser.
MEMORY = 2 * 1024**3


def main(arguments: Sequence[str], known: Mapping[str, Target]) -> int:
    """Search for so long; the time is parted among the targets."""
    options = _options(arguments, known)
    chosen = list(known) if options.target == "all" else [options.target]
    share = options.seconds / len(chosen)
    console = Console(soft_wrap=True)
    console.print(f"fuzz: {options.seconds:g} s, seed {options.seed}")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %  {task.fields[words]}"),
    )
    for name in chosen:
        with Progress(*columns, console=console) as progress:
            line = progress.add_task(f"{name:10}", total=share, words="")
            show = _shown_by(progress, line, time.monotonic())
            report = Report()
            before = _peak()
            for report in search(known[name], share, options.seed, time.monotonic):
                show(report)
        if report.failure is not None:
            console.print(f"\nfuzz: {name} fails: {report.failure.error}", markup=False)
            console.print(
                f"fuzz: with this text: {report.failure.text!r}", markup=False
            )
            return 1
        if _peak() - before > known[name].memory:
            console.print(
                f"\nfuzz: {name} took {(_peak() - before) >> 20} MiB of memory"
            )
            return 1
    return 0


def _peak() -> int:
    """The most memory that this process has had so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _options(
    arguments: Sequence[str], known: Mapping[str, Target]
) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="hack/fuzz", description=_ABOUT)
    parser.add_argument("--seconds", type=float, default=60.0, help="default 60")
    parser.add_argument(
        "--target", choices=[*known, "all"], default="all", help="default all"
    )
    parser.add_argument(
        "--seed", type=int, default=random.SystemRandom().randrange(2**31)
    )
    options = parser.parse_args(arguments)
    if not options.seconds > 0:
        parser.error(f"argument --seconds: must be above 0, got {options.seconds:g}")
    return options


def _shown_by(
    progress: Progress, line: TaskID, begun: float
) -> Callable[[Report], None]:
    """Shows a report in a line of the display."""

    def show(report: Report) -> None:
        spent = time.monotonic() - begun
        words = (
            f"{report.inputs:,} texts, {report.inputs / max(spent, 1e-6):,.0f}/s, "
            f"{report.kinds} kinds of outcome"
        )
        progress.update(line, completed=spent, words=words)

    return show


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    sys.exit(main(sys.argv[1:], targets()))
