"""What the tests took the last time, and whether they may take that long.

    python -m hack.lib.times check REPORT.xml...     what hack/verify-times and .ci/run ask
    python -m hack.lib.times record REPORT.xml...    write tests/times.json anew

`tests/times.json` holds seconds by test file. tests/support/lanes.py begins the long ones
first by it; `check` judges by it. A slow machine is not at fault: how fast this one is
follows from all files of a part together, and only what is far beyond that is told. Nor is
a test at fault that once had to wait for the others: of a test that ran more than once, on
several Pythons say, the shortest time is taken.
"""

from __future__ import annotations

import argparse
import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from statistics import median
from typing import Dict, Iterator, List, Mapping, Sequence, Tuple

ROOT = Path(__file__).resolve().parents[2]
RECORD = ROOT / "tests" / "times.json"
#: Seconds that a file of each part may take on the machine of the record.
MOST = {"unit": 20.0, "cluster": 60.0, "e2e": 150.0}
#: Files that may take longer, each with its reason: the record is their measure then.
EXCEPTIONS: Mapping[str, str] = {
    "tests/unit/hostile/test_swarms.py": "each hostile act once, gates and a full volume too",
    "tests/e2e/test_faults.py": "seven faults, each with a swarm of its own; parted by test",
    "tests/e2e/test_way_of_a_task.py": "eight ways, each with a swarm; parted by test",
    "tests/e2e/test_demo.py": "the demo as a newcomer types it, with a cluster of its own",
    "tests/cluster/test_operator_outages.py": "twenty starts of the operator, one after another",
}
#: How much longer than it may a file takes before it is told of: times differ by so much.
SLACK = 2.0
#: Shorter than this is noise.
NOISE = 5.0
#: What an issue may add to all tests together, in seconds, and what may be noise in them.
ADDED = 120.0
SLACK_OF_ALL = 1.25


def recorded(path: Path = RECORD) -> Dict[str, float]:
    """Seconds by file, as they were recorded, of files that are still there."""
    if not path.exists():
        return {}
    found: Dict[str, float] = json.loads(path.read_text())
    return {file: seconds for file, seconds in found.items() if (ROOT / file).exists()}


def measured(reports: Sequence[Path]) -> Dict[str, float]:
    """Seconds by file, from JUnit files of pytest: the shortest time of each test, summed."""
    shortest: Dict[Tuple[str, str], float] = {}
    for report in reports:
        # Written by our own pytest, so entity attacks are no concern.
        for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314
            test = (case.get("classname", ""), case.get("name", ""))
            seconds = float(case.get("time", 0))
            shortest[test] = min(seconds, shortest.get(test, seconds))
    spent: Dict[str, float] = {}
    for (classname, _), seconds in shortest.items():
        file = _file(classname)
        spent[file] = spent.get(file, 0.0) + seconds
    return spent


def pace(spent: Mapping[str, float], known: Mapping[str, float], part: str) -> float:
    """How many times as long as on the machine of the record a part takes here.

    Never below 1: on a faster machine the budget is not smaller. Parts differ: what waits
    for clusters suffers another way from what runs beside it than what is busy itself.
    """
    ratios = [
        spent[file] / seconds
        for file, seconds in known.items()
        if file in spent and seconds >= 1 and part_of(file) == part
    ]
    return max(1.0, median(ratios)) if ratios else 1.0


def problems(spent: Mapping[str, float], known: Mapping[str, float]) -> Iterator[str]:
    """One sentence for each file that takes too long, and for all of them together."""
    slow = {part: pace(spent, known, part) for part in map(part_of, spent)}
    for file, seconds in sorted(spent.items()):
        part = part_of(file)
        budget = MOST.get(part, MOST["unit"])
        if file in EXCEPTIONS:
            budget = max(budget, known.get(file, budget))
        most = budget * slow[part] * SLACK + NOISE
        if seconds > most:
            yield (
                f"{file} took {seconds:.0f} s; on this machine a file of tests/{part} may "
                f"take {most:.0f} s. Find out why (--durations=20), share what its tests "
                "start, or part it; EXCEPTIONS in hack/lib/times.py wants a reason"
            )
    if known and set(known) <= set(spent):
        before = sum(known.values())
        now = sum(seconds / slow[part_of(file)] for file, seconds in spent.items())
        if now > before * SLACK_OF_ALL + ADDED:
            yield (
                f"all tests together took {now:.0f} s where {before:.0f} s are recorded: an "
                f"issue may add {ADDED:.0f} s. What is a proof at length belongs to hack/soak"
            )


def part_of(file: str) -> str:
    """ "unit" of "tests/unit/test_layers.py"."""
    names = file.split("/")
    return names[1] if len(names) > 1 else ""


def _file(classname: str) -> str:
    """ "tests/unit/test_layers.py" of "tests.unit.test_layers" or of a class in it."""
    names = classname.split(".")
    last = max(
        (n for n, name in enumerate(names) if name.startswith("test_")), default=0
    )
    return "/".join(names[: last + 1]) + ".py"


def main(arguments: List[str]) -> int:
    """Exit code 1 when something takes too long."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("check", "record"))
    parser.add_argument("reports", nargs="*", type=Path)
    options = parser.parse_args(arguments)
    reports = [report for report in options.reports if report.exists()]
    if not reports:
        print("no report of a run yet: nothing to judge")
        return 0
    spent = measured(reports)
    if options.what == "record":
        text = json.dumps(
            {file: round(s, 1) for file, s in sorted(spent.items())}, indent=0
        )
        RECORD.write_text(text + "\n")
        return 0
    known = recorded()
    found = list(problems(spent, known))
    for problem in found:
        print(problem, file=sys.stderr)
    paces = ", ".join(
        f"{part} {pace(spent, known, part):.2f}"
        for part in sorted(set(map(part_of, spent)))
    )
    print(
        f"{len(spent)} files, {sum(spent.values()):.0f} s in all; times as long as "
        f"recorded: {paces}; {len(found)} too long"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
