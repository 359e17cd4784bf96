"""Which pods of an older template go, and when: as many at once as a mistake in it may cost. Pure.

Called by ``observe_instance``, and by a swarm to wake those whose turn it is. Guarantees: until a
pod of the new template is ready, a quarter of the instances, and one at least, have lost a pod
that was ready to it; after that all go, as soon as they have no task. One that is not ready goes at
once: nothing is lost with it. So a template that nobody can run leaves the others' pods, and
they are given tasks again when the edit is taken back. Which instances have lost one is in their
statuses, before the pods go: no process has to remember it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from typing_extensions import Literal

from kiro_swarm.api.access import status_of
from kiro_swarm.api.instance import KiroInstance
from kiro_swarm.api.kubernetes import Pod
from kiro_swarm.policy.ownership import owners_of
from kiro_swarm.reconcile.objects.manifests import is_owned
from kiro_swarm.reconcile.objects.pods import is_outdated

#: ``wait``: it stays; ``first``: it goes to see whether the new template is of use; ``any``: it
#: goes.
Turn = Literal["wait", "first", "any"]
#: One of so many instances may be without its pod for a template that was not ready yet.
_SHARE: Final = 4


def pod_ready(pod: Pod) -> bool:
    """Whether a pod is ready and not on its way out."""
    if pod["metadata"].get("deletionTimestamp"):
        return False
    return any(
        item.get("type") == "Ready" and item.get("status") == "True"
        for item in status_of(pod).get("conditions") or []
    )


@dataclass(frozen=True)
class Rollout:
    """How far the instances of a swarm are with its template.

    ``slots``: how many more may lose a pod that is ready; ``next``: names, in their order.
    """

    proven: bool
    slots: int
    next: tuple[str, ...]

    def turn(self, name: str, kept: bool) -> Turn:
        """What is to become of the pod of an older template that is ready and has no task.

        :param kept: whether it may not be deleted, as far as is known: it keeps no other one
            from its turn, and is tried again while there is a slot.
        """
        if self.proven:
            return "any"
        free = self.slots > 0 if kept else name in self.next[: max(0, self.slots)]
        return "first" if free else "wait"


def rollout(
    instances: Iterable[KiroInstance],
    pods: Iterable[Pod],
    template: str,
    wanted: int,
    busy: Collection[str],
    kept: str,
) -> Rollout:
    """How far it is.

    :param template: what pods are made of now, as a hash.
    :param wanted: how many instances the swarm is to have.
    :param busy: names of the instances that have a task.
    :param kept: how the message of one begins whose pod may not be deleted.
    """
    if wanted <= 1:
        return Rollout(True, 1, ())  # nobody else is there to wait for
    owners = {uid: pod for pod in pods if pod_ready(pod) for uid in owners_of(pod)}
    proven, lost, waiting = False, 0, list[tuple[int, str]]()
    for item in instances:
        meta, status = item["metadata"], status_of(item)
        if item["spec"]["index"] > wanted or meta.get("deletionTimestamp"):
            continue
        pod = owners.get(meta["uid"])
        if pod is None or not is_owned(pod, item):
            lost += bool(status.get("rolling"))
        elif not is_outdated(pod, template):
            proven = True
        elif meta["name"] not in busy and _may(item, kept):
            waiting.append((item["spec"]["index"], meta["name"]))
    most = max(1, wanted // _SHARE)
    return Rollout(proven, most - lost, tuple(name for _, name in sorted(waiting)))


def _may(item: KiroInstance, kept: str) -> bool:
    """Whether its pod is one of those that are replaced in turn."""
    running = (item["spec"].get("desired") or "Running") in ("Running", "Paused")
    return running and not (status_of(item).get("message") or "").startswith(kept)
