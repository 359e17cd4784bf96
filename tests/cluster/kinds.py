"""Small valid objects of the four kinds, as a person would write them."""

from __future__ import annotations

import copy
from typing import Any, Dict

API_VERSION = "swarm.kiro.dev/v1alpha1"


def swarm(name: str = "demo", **spec: Any) -> Dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": "KiroSwarm",
        "metadata": {"name": name},
        "spec": {
            "repository": {"url": "https://git.example.com/team/demo.git"},
            "tasks": {"specPath": ".kiro/specs/demo/tasks.md"},
            "template": {"agent": {"command": ["true"]}},
            **spec,
        },
    }


def task(name: str, **spec: Any) -> Dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": "KiroTask",
        "metadata": {"name": name},
        "spec": {"swarm": "demo", "id": "1", **spec},
    }


def instance(name: str = "demo-1") -> Dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": "KiroInstance",
        "metadata": {"name": name},
        "spec": {
            "swarm": "demo",
            "index": 1,
            "colour": "#dd0531",
            "colourName": "React",
        },
    }


def command(text: str, name: str = "say") -> Dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": "SwarmCommand",
        "metadata": {"name": name},
        "spec": {"swarm": "demo", "command": text},
    }


def changed(item: Dict[str, Any], path: str, value: Any) -> Dict[str, Any]:
    """A copy with the field at the dotted path set."""
    item = copy.deepcopy(item)
    inner = item
    *parents, last = path.split(".")
    for key in parents:
        inner = inner.setdefault(key, {})
    inner[last] = value
    return item
