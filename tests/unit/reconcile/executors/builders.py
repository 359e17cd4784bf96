"""A swarm as an executor sees it, made by hand: ``Scene``, and what is in it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Optional

from kiro_swarm.api.swarm import KiroSwarmSpec
from kiro_swarm.commands.parser import parse
from kiro_swarm.policy.times import stamp
from kiro_swarm.reconcile.commands.executors import EXECUTORS
from kiro_swarm.reconcile.commands.executors.plan import (
    Effect,
    Outcome,
    Pinned,
    Request,
)
from kiro_swarm.reconcile.settings import OperatorSettings
from kiro_swarm.reconcile.snapshot.view import View
from tests.unit.reconcile.surroundings import START, swarm_spec

Object = Any
SETTINGS = OperatorSettings(image="kiro-swarm:test")


class Scene:
    """The swarm ``demo`` at one moment; tests change it between two decisions."""

    def __init__(self, **spec: Any) -> None:
        self.spec = swarm_spec(**spec)
        metadata = {"name": "demo", "namespace": "team", "uid": "u", "generation": 1}
        self.swarm: Object = {"metadata": metadata, "spec": self.spec, "status": {}}
        self.tasks: dict[str, Object] = {}
        self.instances: dict[str, Object] = {}
        self.pods: dict[str, Object] = {}
        self.jobs: list[Object] = []
        self.commands: list[Object] = []
        self.health: list[Object] = []
        self.seconds = 0.0

    # ------------------------------------------------------------------ what is there

    def task(self, task_id: str, state: str = "Ready", **more: Any) -> Object:
        """A task; ``needs`` are its dependencies, ``spec`` further fields."""
        spec = {"id": task_id, "order": len(self.tasks), "title": f"Part {task_id}"}
        spec["dependencies"] = more.pop("needs", [])
        spec.update(more.pop("spec", {}))
        status = {"state": state, **more}
        if state in ("Bound", "Running", "Done"):
            status = {
                "attempt": 1,
                "instance": "demo-1",
                "podUid": "p-demo-1",
                **status,
            }
        metadata = {"name": f"demo.{task_id}", "uid": f"t-{task_id}", "generation": 1}
        made = {"metadata": metadata, "spec": spec, "status": status}
        self.tasks[task_id] = made
        return made

    def instance(self, index: int, phase: str = "Ready", **more: Any) -> Object:
        """An instance; it has a ready pod unless it is Stopped or Pending."""
        name = f"demo-{index}"
        made: Object = {
            "metadata": {"name": name, "uid": f"i-{name}", "generation": 1},
            "spec": {"index": index, "colour": "#007fff", **more.pop("spec", {})},
            "status": {"phase": phase, **more},
        }
        self.instances[name] = made
        if phase not in ("Stopped", "Pending"):
            self.pod(name)
        return made

    def pod(self, instance: str, number: int = 0, uid: str = "") -> Object:
        """A ready pod of an instance, in place of the one before."""
        name = f"{instance}-{number}"
        made: Object = {
            "metadata": {
                "name": name,
                "uid": uid or f"p-{instance}",
                "ownerReferences": [{"uid": f"i-{instance}"}],
            },
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        }
        self.pods[instance] = made
        self.instances[instance]["status"]["pod"] = name
        return made

    def job(
        self,
        component: str,
        number: int,
        ended: Optional[bool] = True,
        name: str = "",
    ) -> Object:
        """A Job; ``ended``: complete, failed, or None while it runs."""
        labels = {"swarm.kiro.dev/component": component}
        name = name or f"demo-{component}-{number}"
        made: Object = {"metadata": {"name": name, "labels": labels, "uid": name}}
        if ended is not None:
            kind = "Complete" if ended else "Failed"
            made["status"] = {"conditions": [{"type": kind, "status": "True"}]}
        self.jobs.append(made)
        return made

    def command(self, name: str, phase: str, **status: Any) -> Object:
        """Another command to this swarm."""
        metadata = {"name": name, "uid": f"c-{name}", "namespace": "team"}
        made: Object = {"metadata": metadata, "status": {"phase": phase, **status}}
        self.commands.append(made)
        return made

    # ------------------------------------------------------------------ what is decided

    @property
    def view(self) -> View:
        """What an executor sees now."""
        return View(
            swarm=self.swarm,
            spec=KiroSwarmSpec.model_validate(self.spec),
            instances=list(self.instances.values()),
            tasks=list(self.tasks.values()),
            jobs=self.jobs,
            pods=list(self.pods.values()),
            now=START + timedelta(seconds=self.seconds),
        )

    def request(self, sentence: str, pinned: Optional[Object] = None) -> Request:
        """The request of command ``word``, whose uid is ``w``."""
        return Request(
            view=self.view,
            action=parse(sentence),
            name="word",
            uid="w",
            settings=SETTINGS,
            pinned=Pinned(pinned or {}),
            commands=lambda: self.commands,
            health=lambda: self.health,
        )

    def decide(self, sentence: str, pinned: Optional[Object] = None) -> Outcome:
        """One decision on the scene as it is; nothing is carried out."""
        executor = EXECUTORS[parse(sentence).command.name]
        request = self.request(sentence)
        if pinned is None:
            pinned = dict(executor.pin(request))
        return executor.decide(self.request(sentence, pinned))

    # ------------------------------------------------------------------ what is done

    def do(self, effect: Effect) -> None:
        """What the API server makes of an effect."""
        item: Any = effect.item
        body: Any = effect.body
        if effect.verb == "patch":
            target = self.spec if item is self.swarm else item["spec"]
            target.update(body["spec"])
            item["metadata"]["generation"] += 1
        elif effect.verb == "patch_status":
            item.setdefault("status", {}).update(body)
        elif effect.resource.kind == "Pod":
            item["metadata"]["deletionTimestamp"] = self.now
        else:
            self.commands = [one for one in self.commands if one is not item]
            self.jobs = [one for one in self.jobs if one is not item]

    @property
    def now(self) -> str:
        """The time of the scene."""
        return stamp(self.view.now)

    def stopped(self, name: str) -> None:
        """The pod of an instance is gone, and the instance says so."""
        self.pods.pop(name, None)
        self.instances[name]["status"].update(phase="Stopped", pod="")


class Story:
    """A sentence from its beginning to its answer, crashes included."""

    def __init__(self, scene: Scene, sentence: str) -> None:
        self.scene, self.sentence = scene, sentence
        executor = EXECUTORS[parse(sentence).command.name]
        self.pinned = dict(executor.pin(scene.request(sentence)))

    def look(self) -> Outcome:
        """The decision of this moment, which is not carried out."""
        return self.scene.decide(self.sentence, self.pinned)

    def step(self) -> Outcome:
        """Decide and do, as often as there is something to do; the last decision.

        A crash may come after each effect: what is left is decided anew, and the effects
        that are there are not asked for again.
        """
        for _ in range(32):
            outcome = self.look()
            if not outcome.effects:
                return outcome
            self.scene.do(outcome.effects[0])
        raise AssertionError("the decision never comes to rest")


def says(outcome: Outcome) -> list[str]:
    """What the effects of an outcome say."""
    return [effect.says for effect in outcome.effects]
