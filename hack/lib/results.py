"""Judges the reports of a test run: nothing was skipped, and every part really ran.

Called by .ci/run as `python -m hack.lib.results REPORT.xml... [--parts unit cluster e2e]`
with JUnit files of pytest. pytest itself is content with a run that skipped everything;
a machine without a cluster must not look like a success.
"""

from __future__ import annotations

import argparse
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path
from typing import Iterator, List, Sequence


def problems(reports: Sequence[Path], parts: Sequence[str]) -> Iterator[str]:
    """What is wrong with the reports, one sentence each; nothing when all is well.

    ``parts`` are the folders of tests/ of which each report must hold at least one test.
    """
    for report in reports:
        if not report.exists():
            yield f"{report}: missing, so its tests did not run to the end"
            continue
        ran: Counter[str] = Counter()
        # Written by our own pytest a moment ago, so entity attacks are no concern.
        for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314
            name = f"{case.get('classname')}::{case.get('name')}"
            skipped = case.find("skipped")
            if skipped is not None:
                yield f"{report}: {name} was skipped: {skipped.get('message')}"
            elif case.find("failure") is not None or case.find("error") is not None:
                yield f"{report}: {name} failed"
            else:
                ran[_part(case.get("classname", ""))] += 1
        for part in parts:
            if not ran[part]:
                yield f"{report}: no test of tests/{part} ran"
        counts = ", ".join(f"{count} {part}" for part, count in sorted(ran.items()))
        print(f"{report}: {counts or 'nothing'} passed")


def _part(classname: str) -> str:
    """ "cluster" of "tests.cluster.test_apply.TestApply"."""
    names = classname.split(".")
    return names[1] if len(names) > 1 else classname


def main(arguments: List[str]) -> int:
    """Exit code 1 when anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reports", nargs="+", type=Path)
    parser.add_argument("--parts", nargs="+", default=["unit"])
    options = parser.parse_args(arguments)
    found = list(problems(options.reports, options.parts))
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
