"""Bodies of the objects that the cluster tests and the benchmarks apply."""

from __future__ import annotations

from typing import Any

from kiro_swarm.cluster.resources import COMMANDS, SWARMS

Object = Any

#: A diamond: 1.1, then 1.2 and 1.3 side by side, then 1.4.
DIAMOND = """\
- [ ] 1. The diamond
  - [ ] 1.1 First
  - [ ] 1.2 Left
    - _Depends: 1.1_
  - [ ] 1.3 Right
    - _Depends: 1.1_
  - [ ] 1.4 Last
    - _Depends: 1.2, 1.3_
"""


def independent(count: int) -> str:
    """A task file of tasks that do not wait for each other."""
    return "".join(
        f"- [ ] {number}. Part {number}\n  - _Depends: none_\n"
        for number in range(1, count + 1)
    )


def chain(count: int) -> str:
    """A task file of tasks of which each waits for the one before."""
    return "".join(f"- [ ] {number}. Part {number}\n" for number in range(1, count + 1))


def swarm(name: str, tasks: str = DIAMOND, instances: int = 2, **spec: Any) -> Object:
    """A KiroSwarm with its tasks in it."""
    return {
        "apiVersion": SWARMS.api_version,
        "kind": SWARMS.kind,
        "metadata": {"name": name},
        "spec": {
            "repository": {"url": "https://git.example.com/team/project.git"},
            "tasks": {"inline": tasks},
            "instances": instances,
            "template": {"agent": {"command": ["true"]}},
            **spec,
        },
    }


def command(name: str, swarm_name: str, sentence: str, **spec: Any) -> Object:
    """A SwarmCommand."""
    return {
        "apiVersion": COMMANDS.api_version,
        "kind": COMMANDS.kind,
        "metadata": {"name": name},
        "spec": {"swarm": swarm_name, "command": sentence, **spec},
    }
