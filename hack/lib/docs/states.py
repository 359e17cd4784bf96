"""The page of states, phases and reasons."""

from __future__ import annotations

import typing
from pathlib import Path
from typing import Any, Dict, List

from hack.lib.docs.markdown import code, codes, page, table
from hack.lib.docs.reasons import reasons
from kiro_swarm.api import command, instance, swarm_status
from kiro_swarm.api.meta import (
    ACTIVE_STATES,
    FINAL_STATES,
    SATISFIED_STATES,
    TASK_STATES,
)
from kiro_swarm.api.schema import structural
from kiro_swarm.lifecycle.reasons import (
    AGENT_PROGRAM_MISSING,
    BY_PERSON,
    MOST_FORGIVEN,
    NO_FAULT,
    NO_FAULT_FACTOR,
    OF_THE_TEMPLATE,
)


def pages(root: Path) -> Dict[str, str]:
    """File name -> text."""
    return {
        "states.md": page(
            "operator/kiro_swarm",
            "States, phases and reasons",
            "## States of a KiroTask",
            table(["State", "Meaning", ""], [_state(state) for state in TASK_STATES]),
            "## Phases",
            "One word for people; programs read conditions, see "
            "[conditions](../conditions.md).",
            table(
                ["Kind", "Phases"],
                [
                    ["KiroSwarm", _values(swarm_status.Phase)],
                    ["KiroInstance", _values(instance.InstancePhase)],
                    ["SwarmCommand", _values(command.CommandPhase)],
                ],
            ),
            "## Reasons",
            "What to do about each: [troubleshooting](../troubleshooting.md).",
            table(["Reason", "Given in"], _reasons(root)),
            "## Attempts",
            f"An attempt that ends with {codes(sorted(NO_FAULT))} is not the agent's "
            "fault and does not count against `maxAttempts`; a task ends as Failed "
            f"after {NO_FAULT_FACTOR} times `maxAttempts` attempts of whatever end, but for "
            f"those with {codes(sorted(OF_THE_TEMPLATE))}, and with "
            f"{codes([AGENT_PROGRAM_MISSING])} while fewer than {MOST_FORGIVEN} of its "
            "attempts were left out. One "
            f"that a person ends ({codes(sorted(BY_PERSON))}) counts against no limit.",
        )
    }


def _state(state: str) -> List[str]:
    counts = structural(swarm_status.TaskCounts)["properties"]
    meaning = counts[state.lower()]["description"]
    notes = []
    if state in ACTIVE_STATES:
        notes.append("an instance works on it")
    if state in SATISFIED_STATES:
        notes.append("what depends on it may start")
    if state in FINAL_STATES:
        notes.append("final, until a person asks otherwise")
    return [code(state), meaning, "; ".join(notes)]


def _values(literal: Any) -> str:
    return codes(typing.get_args(literal))


def _reasons(root: Path) -> List[List[str]]:
    return [[code(word), codes(places)] for word, places in reasons(root).items()]
