"""docs/ledger.md: its example is an entry, to the hash."""

from __future__ import annotations

import json

from kiro_swarm.api.ledger import entry_of
from kiro_swarm.policy.chain import BEGINNING, chained
from tests.unit.docs.pages import DOCS, read


def test_the_example_is_an_entry_as_a_job_writes_it() -> None:
    text = read(DOCS / "ledger.md").partition("```json\n")[2].partition("```")[0]
    line = json.loads(text)
    entry = entry_of(line)
    assert entry is not None
    assert line == chained({**entry}, 1, BEGINNING)
