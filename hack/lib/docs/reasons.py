"""Every reason that the code can give, found by reading the code.

A reason is one CamelCase word. So every such word that stands as a string in a package that
decides is either a reason or a word of somebody else: a value of our API, which the models
know, or one of Kubernetes, which is listed here. A new word is a reason until it is listed,
and a reason must have an entry in docs/troubleshooting*.md: nothing is forgotten silently.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any, Dict, Iterator, List, Set

from hack.lib.docs.kinds import fields, schema_of
from kiro_swarm.api.crd import KINDS

PACKAGE = Path("operator/kiro_swarm")
#: The packages that set a reason somewhere.
SETTERS = (
    *("agents", "cli", "jobs", "lifecycle", "policy", "reconcile", "runner"),
    *("sandbox", "workspace"),
)
#: The package that only shows what others have set.
SHOWS = "kubectl"
#: Types of our conditions; docs/conditions.md has their truth tables.
CONDITIONS = frozenset(
    {
        *("ApprovalNeeded", "Complete", "ConflictPredicted", "Failed", "Hindered"),
        *(
            "Integrated",
            "Late",
            "Logged",
            "Prepared",
            "Ready",
            "Reconciling",
            "Stalled",
        ),
        *("VolumeFilling", "VolumeResized"),
    }
)
#: Reasons that are a value of the API or the type of a condition, too.
REASONS_TOO = frozenset(
    {
        *("Cancelled", "Integrated", "Prepared", "Preparing", "Rejected", "Stopped"),
        *("Suspended", "Unschedulable"),
    }
)
_WORD = re.compile(r"[A-Z][a-z]+(?:[A-Z][a-z]*)*\Z")
_OTHERS = frozenset(
    {
        # Kinds, and values of fields, of Kubernetes.
        *("FallbackToLogsOnError", "Ingress", "Job", "Memory", "OnRootMismatch", "Pod"),
        *("Role", "RuntimeDefault", "ServiceAccount"),
        # What Kubernetes says about pods.
        *("CreateContainerConfigError", "CreateContainerError", "ErrImage"),
        *("ImagePull", "InvalidImageName", "RegistryUnavailable"),
        *("ContainerCannotRun", "RunContainerError", "StartError", "Warning"),
        *("FailedAttachVolume", "FailedMapVolume", "FailedMount"),
        *("ContainerCreating", "Evicted", "PodInitializing", "PodScheduled"),
        "Unschedulable",
        # What Kubernetes says about claims.
        *("ControllerResizeError", "ControllerResizeInfeasible", "NodeResizeError"),
        *("NodeResizeInfeasible", "FileSystemResizePending", "Resizing"),
        # Headings and names in Python.
        *("AgentSocket", "Commands", "ExecResult"),
        # Between the parts of one pod, never shown: the runner says it in its own words.
        *("ConnectionLost", "Exited", "FileSystem", "HungUp", "NotStarted"),
        *("ProtocolError", "StdinClosed", "StdinLimitExceeded", "TooManySignals"),
    }
)


def reasons(root: Path) -> Dict[str, List[str]]:
    """Reason -> the files that give it, relative to the package."""
    known = {*_OTHERS, *CONDITIONS, *_values_of_the_api()} - REASONS_TOO
    found: Dict[str, Set[str]] = {}
    for path in sorted(_sources(root)):
        for word in words(path.read_text(encoding="utf-8")):
            if word not in known:
                place = str(path.relative_to(root / PACKAGE))
                found.setdefault(word, set()).add(place)
    return {word: sorted(places) for word, places in sorted(found.items())}


def words(source: str) -> Iterator[str]:
    """Every CamelCase string of a module."""
    for node in ast.walk(ast.parse(source)):
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(value, str) and _WORD.match(value):
            yield value


def _sources(root: Path) -> Iterator[Path]:
    for package in SETTERS:
        for path in (root / PACKAGE / package).rglob("*.py"):
            if SHOWS not in path.parts:
                yield path


def _values_of_the_api() -> Set[str]:
    """Kinds, states, phases and every other word that a field may hold."""
    values: Set[str] = {"True", "False", "Unknown"}
    for kind in KINDS:
        values.add(kind.kind)
        for _, schema, _ in fields(schema_of(kind)):
            values |= {str(item) for item in _enumerated(schema)}
    return values


def _enumerated(schema: Dict[str, Any]) -> List[Any]:
    items = schema.get("items")
    inner = items if isinstance(items, dict) else {}
    return [*schema.get("enum", []), *inner.get("enum", [])]
