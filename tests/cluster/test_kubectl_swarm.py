"""``kubectl swarm`` as a person uses it: the real kubectl, API server and operator."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import statistics
import sys
from pathlib import Path
from typing import Dict, List, NamedTuple

import pytest

from kiro_swarm.cluster.resources import COMMANDS, INSTANCES, SWARMS, TASKS
from tests.support.cluster import program
from tests.support.operator import OperatorProcess
from tests.support.played import PlayedNode
from tests.support.shapes import Object
from tests.support.swarms import DIAMOND, swarm
from tests.support.work import HeldWork
from tests.support.world import World

SCRIPTS = Path(sys.executable).parent
#: Processor time that a completion may take, interpreter, kubectl and all.
COMPLETION_SECONDS = 0.3


class Said(NamedTuple):
    """What a process wrote, and its exit status."""

    code: int
    out: str
    err: str


class Person:
    """Somebody with kubectl and the plugin on the PATH, in a namespace."""

    def __init__(self, world: World, home: Path) -> None:
        self._world = world
        kept = {k: v for k, v in os.environ.items() if not k.startswith("COV")}
        self.environment = {
            **kept,
            "HOME": str(home),
            "PATH": os.pathsep.join(
                [str(Path(program("kubectl")).parent), str(SCRIPTS), os.defpath]
            ),
            "KUBECONFIG": str(world.kubeconfig),
            "COLUMNS": "120",
            # What is offered must not depend on how busy the machine is.
            "KUBECTL_SWARM_COMPLETION_SECONDS": "20",
        }

    async def run(self, *arguments: str) -> Said:
        """Start a program and wait for its end."""
        process = await asyncio.create_subprocess_exec(
            *arguments,
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode is not None
        return Said(process.returncode, out.decode(), err.decode())

    async def swarm(self, *words: str) -> Said:
        """``kubectl swarm -n NAMESPACE WORDS``."""
        return await self.run("kubectl", "swarm", "-n", self._world.namespace, *words)

    async def offered(self, *words: str) -> List[str]:
        """What completion offers, without the help of each."""
        said = await self.run(
            "kubectl", "__complete", "swarm", "-n", self._world.namespace, *words
        )
        return [line.partition("\t")[0] for line in said.out.splitlines()[:-1]]


@pytest.fixture
async def person(
    operator: OperatorProcess, world: World, node: PlayedNode, tmp_path: Path
) -> Person:
    """A person, and a swarm of two instances with 1.1 under way."""
    held = HeldWork()
    node.script.work = held
    await world.create(SWARMS, swarm("demo", DIAMOND, instances=2))
    await held.begun("1.1")
    await world.until(
        SWARMS,
        "demo",
        lambda item: item["status"].get("readiness") == "2/2"
        and item["status"]["tasks"]["running"] == 1,
    )
    return Person(world, tmp_path)


async def commands(world: World) -> Dict[str, Object]:
    """Sentence -> SwarmCommand."""
    items, _ = await world.client.list(COMMANDS, world.namespace)
    return {item["spec"]["command"]: item for item in items}


async def test_kubectl_finds_the_plugin(person: Person) -> None:
    said = await person.run("kubectl", "plugin", "list")
    assert str(SCRIPTS / "kubectl-swarm") in said.out.split()


async def test_a_sentence_is_answered(person: Person, world: World) -> None:
    said = await person.swarm("demo", "status", "swarm")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("demo: Running, 2/2 instances ready, 0/4 tasks merged")
    made = (await commands(world))["status swarm"]
    assert made["metadata"]["name"].startswith("say-")
    assert made["spec"]["requestedBy"]
    assert made["status"]["phase"] == "Succeeded"


async def test_a_wrong_sentence_teaches_and_is_not_sent(
    person: Person, world: World
) -> None:
    said = await person.swarm("demo", "run", "tsk", "1.1")
    assert (said.code, said.out) == (2, "")
    assert said.err.splitlines()[1:] == [
        "  run tsk 1.1",
        "      ^",
        f"did you mean: kubectl swarm -n {world.namespace} demo run task 1.1",
    ]
    assert await commands(world) == {}


async def test_a_failure_says_why(person: Person) -> None:
    said = await person.swarm("demo", "run", "task", "9.9")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("error: task 9.9 is not in swarm demo")


async def test_a_dry_run_changes_nothing(person: Person, world: World) -> None:
    said = await person.swarm("scale", "instances", "5", "--dry-run")
    assert said.code == 0
    assert (await world.swarm("demo"))["spec"]["instances"] == 2
    said = await person.swarm("scale", "instances", "3")
    assert (said.code, said.out) == (0, "scaled demo from 2 to 3 instances\n")
    assert (await world.swarm("demo"))["spec"]["instances"] == 3


async def test_no_wait_leaves_it_to_the_operator(person: Person, world: World) -> None:
    said = await person.swarm("status", "swarm", "--no-wait")
    name = said.out.split()[0].partition("/")[2]
    answered = await world.until(
        COMMANDS, name, lambda i: i.get("status", {}).get("finishedAt")
    )
    assert answered["status"]["phase"] == "Succeeded"


async def test_programs_get_the_object_alone(person: Person) -> None:
    said = await person.swarm("demo", "status", "swarm", "-o", "json")
    command = json.loads(said.out)
    assert command["kind"] == "SwarmCommand"
    assert command["status"]["result"]["data"]["tasks"]["total"] == 4
    named = await person.swarm("demo", "status", "swarm", "-o", "name")
    assert named.out.startswith("swarmcommand.swarm.kiro.dev/say-")


async def test_who_may_not_is_told_so(person: Person, world: World) -> None:
    said = await person.swarm("--as", "eve", "demo", "status", "swarm")
    assert said.code == 3
    assert 'User "eve" cannot' in said.err
    assert await commands(world) == {}


async def test_views_show_the_swarm(person: Person) -> None:
    tree = await person.swarm("get", "tasks")
    assert tree.code == 0
    assert "Left" in tree.out
    assert "Running" in tree.out
    names = (await person.swarm("get", "tasks", "-o", "name")).out.split()
    assert "kirotask.swarm.kiro.dev/demo.1.4" in names
    assert "digraph" in (await person.swarm("graph", "-o", "dot")).out
    assert "<svg" in (await person.swarm("timeline", "-o", "svg")).out
    assert "demo-1" in (await person.swarm("top")).out
    assert "worktree" in (await person.swarm("open", "demo-1")).out
    assert (await person.swarm("audit", "--verify")).code == 0


async def test_completion_knows_the_language_and_the_swarm(
    person: Person, world: World
) -> None:
    assert {"demo", "run", "watch"} <= set(await person.offered(""))
    assert await person.offered("demo", "run", "ta") == ["task"]
    assert await person.offered("run", "task", "1.") == ["1.1", "1.2", "1.3", "1.4"]
    assert await person.offered("stop", "instance", "d") == await world.names(INSTANCES)
    assert len(await world.names(TASKS)) == 4


async def test_completion_is_quick(
    person: Person, world: World, tmp_path: Path
) -> None:
    """Measured as processor time, of the plugin and the kubectl that it asks.

    The wall clock of a busy machine says more about its other work.
    """
    # As installed, with bytecode, whatever this run of the tests has to say about it.
    bytecode = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(tmp_path)}
    person.environment.update(bytecode)
    words = ("-n", world.namespace, "run", "task", "")
    await person.run("kubectl_complete-swarm", *words)
    taken = []
    for _ in range(7):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        said = await person.run("kubectl_complete-swarm", *words)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert said.out.splitlines()[-1] == ":4"
        taken.append(
            after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        )
    assert statistics.median(taken) < COMPLETION_SECONDS, taken
