"""The smallest role for people reads all that ``kubectl swarm`` asks for.

The code is read, not run: every resource of the API that the tool names is imported from
the package ``cluster``.
"""

from __future__ import annotations

import ast
from typing import Iterator, Set, Tuple

import pytest

from kiro_swarm.cluster import resources
from kiro_swarm.cluster.resources import COMMANDS, AnyResource, Resource
from kiro_swarm.commands.roles import ROLES
from tests.unit.install.files import ROOT, installed

TOOL = ROOT / "operator" / "kiro_swarm" / "cli" / "kubectl"


def asked_for() -> Iterator[AnyResource]:
    """Every Resource that a module of the tool imports."""
    for path in sorted(TOOL.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == resources.__name__:
                found = (getattr(resources, item.name) for item in node.names)
                yield from (it for it in found if isinstance(it, Resource))


def rights(role: str) -> Set[Tuple[str, str, str]]:
    """Group, resource and verb of every rule of the installed ClusterRole."""
    return {
        (group, resource, verb)
        for rule in installed("ClusterRole", f"kiro-swarm-{role}")["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_the_tool_asks_for_more_than_the_four_kinds() -> None:
    assert {"pods", "events", "configmaps", "swarmcommands"} <= {
        resource.plural for resource in asked_for()
    }


@pytest.mark.parametrize("role", ROLES)
def test_every_role_reads_what_the_tool_shows(role: str) -> None:
    needed = {
        (resource.group, resource.plural, verb)
        for resource in asked_for()
        for verb in ("get", "list", "watch")
    }
    needed |= {("", "pods/log", "get"), (COMMANDS.group, COMMANDS.plural, "create")}
    assert needed - rights(role) == set()
