"""``python -m hack.lib.docs write|check``: write docs/reference, or say what is stale."""

from __future__ import annotations

import sys
from pathlib import Path

from hack.lib.docs.reference import FOLDER, stale, write

ROOT = Path(__file__).resolve().parents[3]


def main(task: str) -> None:
    """Do it; the exit status says whether all is well."""
    if task == "write":
        write(ROOT)
        return
    wrong = stale(ROOT)
    for name in wrong:
        print(f"{FOLDER}/{name} is stale", file=sys.stderr)
    if wrong:
        sys.exit("verify-docs: run hack/update-docs and commit what it writes")


if __name__ == "__main__":
    main(sys.argv[1])
