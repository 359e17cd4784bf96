"""The command line of hack/soak."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import asdict
from typing import Any, Dict, List

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from hack.lib.soak import page
from hack.lib.soak.proofs import PROOFS, ROOT, Proof, Result, run


def main(arguments: List[str]) -> int:
    """Run what was asked for; 1 when something failed."""
    options = _options(arguments)
    if options.list:
        _list(options.output)
        return 0
    chosen = [proof for proof in PROOFS if options.all or proof.name in options.names]
    # What is for programs alone on stdout; what is for people beside it.
    console = Console(stderr=options.output == "json", soft_wrap=True)
    results: Dict[str, Result] = {}
    commit = _commit()
    for proof in chosen:
        results[proof.name] = _run(proof, console, options.seconds)
        if not options.no_record:
            date = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
            page.record(proof.name, results[proof.name], commit, date)
    if options.output == "json":
        whole = [
            {"proof": name, "commit": commit, **asdict(r)}
            for name, r in results.items()
        ]
        print(json.dumps(whole, indent=2))
    return 0 if all(result.good for result in results.values()) else 1


def _run(proof: Proof, console: Console, seconds: float) -> Result:
    console.print(f"{proof.name}: {proof.what}", highlight=False)
    columns = (
        TextColumn("  {task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn(f"of about {_about(proof, seconds):.0f} min"),
    )
    with Progress(*columns, console=console) as progress:
        line = progress.add_task("starting", total=1.0)

        def show(part: float, words: str) -> None:
            progress.update(line, completed=part, description=words)

        result = run(proof, show, seconds)
    said = "ok" if result.good else "FAILED"
    console.print(
        f"  {said}: {result.passed} of {result.total} in {result.seconds:.0f} s",
        highlight=False,
    )
    if result.figures:
        console.print(f"  {page.figures_of(result)}", highlight=False)
    for failure in result.failures:
        console.print(f"  {failure}", highlight=False, markup=False)
    return result


def _about(proof: Proof, seconds: float) -> float:
    return proof.minutes if proof.tests else seconds / 60


def _list(output: str) -> None:
    known = page.rows(page.PAGE.read_text(encoding="utf-8"))
    if output == "json":
        whole: List[Dict[str, Any]] = [
            {**asdict(proof), "last": known.get(proof.name, page.NEVER)}
            for proof in PROOFS
        ]
        print(json.dumps(whole, indent=2))
        return
    for proof in PROOFS:
        print(f"{proof.name:<12} about {proof.minutes:g} min: {proof.what}")
        print(f"{'':<12} in hack/test: {proof.small}")
        print(f"{'':<12} last: {known.get(proof.name, page.NEVER).strip(' |')}")


def _commit() -> str:
    """The commit that is proven; a plus says that the tree is not quite it."""

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", *words], cwd=ROOT, capture_output=True, text=True, check=False
        ).stdout.strip()

    # The page itself changes with each proof.
    changed = git("status", "--porcelain", "--", ".", ":!docs/measurements.md")
    return git("rev-parse", "--short", "HEAD") + ("+" if changed else "")


def _options(arguments: List[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="hack/soak", description=__doc__)
    known = [proof.name for proof in PROOFS]
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("--all", action="store_true", help="all of them")
    parser.add_argument("--list", action="store_true", help="what there is")
    parser.add_argument("--output", choices=("text", "json"), default="text")
    parser.add_argument("--seconds", type=float, default=3600.0, help="of the fuzz")
    parser.add_argument("--no-record", action="store_true", help="leave the page alone")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in known]
    if unknown:
        parser.error(f"no proof {unknown[0]!r}; there are {', '.join(known)}")
    if not (options.names or options.all or options.list):
        parser.error(f"name a proof ({', '.join(known)}), or --all, or --list")
    if not options.seconds > 0:
        parser.error(f"argument --seconds: must be above 0, got {options.seconds:g}")
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
