"""The driver behind hack/bench: finds the benchmarks of this folder and runs one.

``python -m tests.bench --list`` names them; ``python -m tests.bench NAME [arguments]`` runs
one, prints a table and the same as JSON, and keeps the JSON in .reports/bench/NAME.json.
Exit code 0 when every target is met, 1 when one is missed, 2 when there is no such name.
"""

from __future__ import annotations

import ast
import importlib
import json
import sys
from pathlib import Path
from typing import Dict, List, Sequence

from rich.console import Console

from tests.bench.report import Measure, as_json, as_table

FOLDER = Path(__file__).resolve().parent
REPORTS = FOLDER.parents[1] / ".reports" / "bench"


def benchmarks(folder: Path = FOLDER) -> Dict[str, str]:
    """Name and first docstring line of every module that has a ``run``; imports nothing."""
    found: Dict[str, str] = {}
    for path in sorted(folder.glob("*.py")):
        tree = ast.parse(path.read_text())
        functions = [
            node.name for node in tree.body if isinstance(node, ast.FunctionDef)
        ]
        if "run" in functions:
            summary = (ast.get_docstring(tree) or "").partition("\n")[0]
            found[path.stem.replace("_", "-")] = summary
    return found


def run_benchmark(name: str, arguments: Sequence[str]) -> int:
    """Measure, print and keep; the exit code says whether the targets are met."""
    module = importlib.import_module(f"tests.bench.{name.replace('-', '_')}")
    measures: List[Measure] = module.run(arguments)
    Console().print(as_table(name, measures))
    document = as_json(name, measures)
    text = json.dumps(document, indent=2)
    print(text)
    REPORTS.mkdir(parents=True, exist_ok=True)
    (REPORTS / f"{name}.json").write_text(text + "\n")
    return 0 if document["passed"] else 1


def main(arguments: Sequence[str]) -> int:
    """``--list``, or a name with the arguments of that benchmark."""
    known = benchmarks()
    if not arguments or arguments[0] in ("--list", "-h", "--help"):
        if arguments[:1] != ["--list"]:
            print("usage: hack/bench NAME [its arguments] | --list | NAME --help\n")
        for name, summary in known.items():
            print(f"{name:24} {summary}")
        return 0
    name = arguments[0].replace("_", "-")
    if name not in known:
        names = ", ".join(known) or "none yet"
        print(f"hack/bench: no benchmark {name!r}; there are: {names}", file=sys.stderr)
        return 2
    return run_benchmark(name, arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
