"""The CRDs are put on a test's API server in one way.

Tests of several files share a server. Whoever applies what another has applied, by another
manager of fields, is refused: not that test fails but all after it, and only in some orders.
"""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2]
#: `kubectl apply` of a folder of CRDs, whatever else is said; `--include-crds` only prints.
_THE_FOLDER = re.compile(r"""["'/]crds\b""")


def test_only_install_crds_applies_them() -> None:
    found = [
        f"{path.relative_to(TESTS)}: {line.strip()}"
        for part in ("cluster", "e2e", "bench", "support")
        for path in sorted((TESTS / part).rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if _THE_FOLDER.search(line)
    ]
    assert found == [
        "cluster/chart.py: "
        'api_server.kubectl("apply", "--server-side", "-f", str(ROOT / "crds"))'
    ]
