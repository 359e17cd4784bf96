"""What the long proofs are, and how one of them runs.

A proof is a command that shows its progress line by line and leaves a result: tests of
pytest at their whole size (tests/support/sizes.py), or the search of tests/fuzz.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Sequence, Tuple

ROOT = Path(__file__).resolve().parents[3]
REPORTS = ROOT / ".reports" / "soak"
#: A test that came to its end, in what pytest prints with -v.
_ENDED = re.compile(r" (PASSED|FAILED|ERROR)\b")
_FOUND = re.compile(r"^collected (\d+) items")
#: Called with how much of the whole is done, from 0 to 1, and a few words.
Show = Callable[[float, str], None]


@dataclass(frozen=True)
class Proof:
    """A long proof. ``minutes``: about how long it takes on two cores; ``tests``: files."""

    name: str
    what: str
    small: str
    minutes: float
    tests: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """What came out; ``failures`` names what failed, with where to read on."""

    passed: int
    total: int
    seconds: float
    seed: str
    figures: Dict[str, Any] = field(default_factory=dict)
    failures: Tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Everything that there is passed, and there is something."""
        return 0 < self.total == self.passed


PROOFS = (
    Proof(
        "many-tasks",
        "ten thousand tasks in one swarm: each is merged once, nothing begins early, and "
        "nothing is written more often than its states ask for",
        "500 tasks with long texts",
        6,
        ("tests/cluster/test_many_tasks.py",),
    ),
    Proof(
        "kills",
        "a thousand commands under fifty kills of the operator: each is carried out once, "
        "and the audit log has them all",
        "120 commands, 10 kills",
        3,
        ("tests/cluster/test_operator_kills.py",),
    ),
    Proof(
        "forty-tasks",
        "two swarms side by side on forty tasks, of real pods, one of which is killed: "
        "order, files, priorities, and how much faster four are than one",
        "26 of the tasks",
        4,
        ("tests/e2e/test_forty_tasks.py",),
    ),
    Proof(
        "fuzz",
        "strange texts for an hour: no parser breaks, hangs, or reads back something else",
        "60 s in .ci/run, and seeded texts in the unit tests",
        60,
    ),
    Proof(
        "task-files",
        "any task file of 10 MiB, or with 20,000 sub-tasks in a group that says much: read "
        "in time of its length",
        "a quarter of it",
        2,
        ("tests/unit/tasks/file/test_any_file.py",),
    ),
    Proof(
        "hostile",
        "a thousand swarms with hostile agents and repositories, by seed: no train stands "
        "still, no work of another is lost, no key is told, memory stays bounded",
        "10 swarms: each hostile act once",
        45,
        ("tests/unit/hostile/test_swarms.py",),
    ),
    Proof(
        "done-is-merged",
        "six hundred commits that are strange and legal: what evidence calls Done is what "
        "the train merges",
        "12 commits",
        15,
        ("tests/unit/workspace/test_done_is_merged.py",),
    ),
    Proof(
        "month",
        "300 tasks and 20 changes of scale with real git, each task sent back once: the "
        "volume stays below its bound",
        "12 tasks",
        15,
        ("tests/unit/workspace/test_upkeep.py",),
    ),
    Proof(
        "refusals",
        "every write of a reconcile and of a sentence that an API server refuses in every "
        "way, or never answers: nothing else waits, it is told, and it heals",
        "each third or second row of the tables",
        4,
        (
            "tests/unit/reconcile/test_steps.py",
            "tests/unit/reconcile/test_steps_begin.py",
            "tests/unit/reconcile/test_stuck_for_ever.py",
        ),
    ),
    Proof(
        "task-life",
        "every order of all that write the status of a task: three tasks, two instances, "
        "two mishaps, searched whole",
        "one mishap, or two tasks",
        2,
        ("tests/unit/lifecycle/test_model.py",),
    ),
)


def run(proof: Proof, show: Show, seconds: float) -> Result:
    """Run it to its end; ``seconds`` is the time of the fuzz."""
    started = time.monotonic()
    found = _tests(proof, show) if proof.tests else _fuzz(show, seconds)
    passed, total, seed, figures, failures = found
    spent = time.monotonic() - started
    return Result(passed, total, spent, seed, figures, tuple(failures))


_Found = Tuple[int, int, str, Dict[str, Any], List[str]]


def _tests(proof: Proof, show: Show) -> _Found:
    REPORTS.mkdir(parents=True, exist_ok=True)
    report, log = REPORTS / f"{proof.name}.xml", REPORTS / f"{proof.name}.log"
    report.unlink(missing_ok=True)
    command = [
        sys.executable,
        "-m",
        "pytest",
        *proof.tests,
        "-v",
        f"--junitxml={report}",
    ]
    ended, total = 0, 0
    for line in _lines(command, log, {"KIRO_SWARM_SOAK": "1"}):
        begin = _FOUND.match(line)
        total = int(begin[1]) if begin else total
        ended += bool(_ENDED.search(line))
        show(ended / total if total else 0.0, f"{ended} of {total or '?'} tests")
    if not report.exists():
        return 0, max(total, 1), "", {}, [f"it did not come to its end: see {log}"]
    return judged(report, log)


def judged(report: Path, log: Path) -> _Found:
    """What a report of pytest says."""
    figures: Dict[str, Any] = {}
    failures: List[str] = []
    total = 0
    # Written by our own pytest a moment ago, so entity attacks are no concern.
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314
        total += 1
        bad = [case.find(word) for word in ("failure", "error", "skipped")]
        if any(each is not None for each in bad):
            failures.append(f"{case.get('name')}: see {log}")
        for each in case.iter("property"):
            if each.get("name") == "figures":
                figures.update(json.loads(each.get("value", "{}")))
    seed = str(figures.pop("seed", "fixed"))
    return total - len(failures), total, seed, figures, failures


def _fuzz(show: Show, seconds: float) -> _Found:
    seed = int.from_bytes(os.urandom(4), "big") >> 1
    REPORTS.mkdir(parents=True, exist_ok=True)
    log = REPORTS / "fuzz.log"
    command = [sys.executable, "-m", "tests.fuzz", "--target", "all"]
    command += [f"--seconds={seconds}", f"--seed={seed}"]
    environment = {"PYTHONPATH": str(ROOT / "operator")}
    code = 0
    with log.open("w") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **environment}, stdout=out, stderr=out
        )
        started = time.monotonic()
        try:
            while process.poll() is None:
                time.sleep(0.5)
                spent = time.monotonic() - started
                show(min(spent / seconds, 1.0), f"{spent:.0f} of {seconds:.0f} s")
        finally:
            process.kill()
            code = process.wait()
    text = log.read_text()
    counted = [int(n.replace(",", "")) for n in re.findall(r"([\d,]+) texts", text)]
    targets = text.count(" texts")
    figures = {"texts": sum(counted), "seconds": round(seconds)}
    failures = [] if code == 0 else [f"a text breaks a parser: see {log}"]
    total = max(targets, 1)
    return total - len(failures), total, str(seed), figures, failures


def _lines(
    command: Sequence[str], log: Path, environment: Dict[str, str]
) -> Iterator[str]:
    """What a command prints, line by line as it comes; all of it is in the log as well."""
    with (
        log.open("w") as copy,
        subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
    ):
        try:
            for line in process.stdout or ():
                copy.write(line)
                copy.flush()
                yield line
        finally:
            if process.poll() is None:
                process.terminate()
