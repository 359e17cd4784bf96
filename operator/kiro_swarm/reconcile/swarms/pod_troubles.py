"""What keeps pods of a swarm from running: refused, not to be placed, without their image.

Called by ``hindered``, which tells it on the KiroSwarm. Guarantees: the object, the cause in the
words of whoever said it, and the field that it is about, where it is about one. All but two
things stand in the statuses of pods and instances. That pods of a Job are refused, and that a
volume cannot be mounted, is said in Events alone (``pod_events``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Optional

from kiro_swarm.api.access import status_of
from kiro_swarm.api.instance import KiroInstance
from kiro_swarm.api.kubernetes import Pod
from kiro_swarm.api.meta import BOUND, LABEL_INSTANCE, READY, RUNNING
from kiro_swarm.api.task import Attempt, KiroTask
from kiro_swarm.cluster.resources import SWARMS
from kiro_swarm.lifecycle.reasons import AGENT_NOT_RUNNABLE, COULD_NOT_BEGIN
from kiro_swarm.policy.conditions import find
from kiro_swarm.policy.times import parse
from kiro_swarm.policy.words import one_line
from kiro_swarm.reconcile.engine.context import Context
from kiro_swarm.reconcile.engine.steps import Steps
from kiro_swarm.reconcile.instances.decision import (
    BEGINNINGS,
    POD_KEPT,
    POD_REFUSED,
    WAITS,
    pod_trouble,
)
from kiro_swarm.reconcile.instances.instance import CHANGE_REFUSED, CREATE_REFUSED
from kiro_swarm.reconcile.instances.rollout import pod_ready
from kiro_swarm.reconcile.objects.manifests import is_owned
from kiro_swarm.reconcile.snapshot.text import MOST_NAMES, listed
from kiro_swarm.reconcile.snapshot.view import View, job_outcome
from kiro_swarm.reconcile.swarms import pod_events
from kiro_swarm.reconcile.tasks.hand_out import goes

#: Seconds within which an agent that cannot be started has ended.
_BEGINS: Final = 30.0
_IMAGE: Final = ("ImagePull", "ErrImage", "InvalidImageName", "RegistryUnavailable")
_CONFIG: Final = (
    *("CreateContainerConfigError", "CreateContainerError", "RunContainerError"),
    *BEGINNINGS,
)
#: What is said of those that wait for one whose pod does not run.
STAY: Final = (
    "; the other pods are of the template before, and get no task until one is ready"
)
_MOUNT: Final = re.compile(
    r"an Event of \S+ says: Failed(Mount|AttachVolume|MapVolume)\b"
)
#: What such words are about, and where it is to be mended; the first that fits.
_FIELDS: Final = (
    ("exceeded quota", "a ResourceQuota of the namespace"),
    ("violates podsecurity", "the Pod Security level of the namespace"),
    ("runtimeclass", "spec.template.runtimeClassName"),
    ("priorityclass", "spec.template.podOverrides.priorityClassName"),
    ("priority class", "spec.template.podOverrides.priorityClassName"),
    ("nodeselector", "spec.template.nodeSelector"),
    ("usage per", "spec.template.resources, or a LimitRange of the namespace"),
    ("must be less than or equal to", "spec.template.resources"),
    ("persistentvolumeclaim", "spec.storage"),
    ('volume "credentials"', "spec.repository.credentialsSecret"),
    ('volume "authorities"', "spec.repository.caBundle"),
    ('volume "tasks"', "spec.tasks.configMap"),
    ('volume "kube-api-access', "the node that it is on"),
    ("failedmount", "spec.storage"),
    ("failedattachvolume", "spec.storage"),
    ("failedmapvolume", "spec.storage"),
    ("subpath", "spec.storage"),
    ("insufficient", "spec.template.resources"),
    ("untolerated taint", "spec.template.tolerations"),
    ("node affinity/selector", "spec.template.nodeSelector"),
    ("executable file not found", "spec.template.image"),
    ("image", "spec.template.image"),
)


@dataclass(frozen=True)
class PodTrouble:
    """Why pods do not run. ``vital``: the swarm cannot go on for long without them.

    ``job``: the name of the Job that they are of.
    """

    reason: str
    message: str
    since: datetime
    vital: bool
    job: str = ""


async def pod_troubles(ctx: Context, view: View, steps: Steps) -> list[PodTrouble]:
    """All that keeps pods from running now."""
    heard = await pod_events.heard(ctx, view, steps)
    found: list[PodTrouble] = []
    if not view.swarm["metadata"].get("deletionTimestamp"):
        found = [*_of_instances(ctx, view, heard), *_of_the_template(ctx, view)]
    for job in view.jobs:
        if job_outcome(job) is not None or job["metadata"].get("deletionTimestamp"):
            continue
        pod = view.pod_of_job(job)
        name, made = job["metadata"]["name"], job["metadata"].get("creationTimestamp")
        if pod is None:
            said = heard.get(job["metadata"]["uid"], "")
            reason, text = CREATE_REFUSED, f"its pod is refused: {said}" if said else ""
        else:
            reason, text = _of_pod(pod, heard)
        if text:
            message = f"Job {name}: {_with_field(text)}"
            found.append(
                PodTrouble(reason, message, parse(made) or view.now, True, name)
            )
    return found


def _of_the_template(ctx: Context, view: View) -> Iterator[PodTrouble]:
    """Tasks that cannot begin for the program of the template; the message names the fields."""
    by_state, found = view.task_index.by_state, []
    # One that is being tried again has not begun yet: what is told does not come and go.
    tried = [task for task in by_state[RUNNING] if _has_just_begun(view, task)]
    for task in (*by_state[READY], *by_state[BOUND], *tried):
        row: list[Attempt] = []
        for end in reversed(status_of(task).get("history") or []):
            if end["outcome"] not in COULD_NOT_BEGIN:
                break
            row.append(end)
        if row:
            told = row[-1].get("finishedAt") or "", row[0].get("message") or ""
            found.append((task["spec"].get("order") or 0, task["spec"]["id"], told))
    found.sort()  # as they are tried in turn, which state they are in says nothing
    if tried and found:
        ctx.queue.add_after(ctx.key(SWARMS, view.namespace, view.name), _BEGINS)
    if found:
        moment, said = min(told for _, _, told in found)
        # How many there are changes with each that is tried: each would be another Event.
        names = ", ".join(name for _, name, _ in found[:MOST_NAMES])
        names += " and others" if len(found) > MOST_NAMES else ""
        message = one_line(f"cannot begin: task {names}: {said}")
        vital = len(tried) == len(by_state[RUNNING])
        yield PodTrouble(AGENT_NOT_RUNNABLE, message, parse(moment) or view.now, vital)


def _has_just_begun(view: View, task: KiroTask) -> bool:
    """Whether an agent may not be there yet, though its branch is cut."""
    status = status_of(task)
    began = parse(status.get("startedAt"))
    if began is None or status.get("progress"):
        return False
    return abs((view.now - began).total_seconds()) < _BEGINS


def _of_instances(
    ctx: Context, view: View, unmade: Mapping[str, str]
) -> Iterator[PodTrouble]:
    """Those of instances; of several with the same, one that names them."""
    pods = [
        pod
        for pod in view.pods
        if (pod["metadata"].get("labels") or {}).get(LABEL_INSTANCE)
    ]
    wanted = [
        item
        for item in view.instances
        if item["spec"]["index"] <= view.spec.instances
        and (item["spec"].get("desired") or "Running") == "Running"
    ]
    ready = 0
    names: dict[tuple[str, str], list[str]] = {}
    since: dict[tuple[str, str], datetime] = {}
    for item in view.instances:
        pod = next((pod for pod in pods if is_owned(pod, item)), None)
        if item in wanted:
            ready += pod is not None and _works(ctx, view, item, pod)
            reason, text, when = _of_instance(view, item, pod, unmade)
        else:
            reason, text, when = _of_its_status(view, item)
        if text:
            names.setdefault((reason, text), []).append(item["metadata"]["name"])
            since[reason, text] = min(when, since.get((reason, text), when))
    rolling = {
        item["metadata"]["name"] for item in wanted if status_of(item).get("rolling")
    }
    waiting = any(status_of(item).get("message") == WAITS for item in wanted)
    for (reason, text), having in names.items():
        message = f"{listed(having)}: {_with_field(text)}"
        if waiting and rolling.intersection(having):
            message += STAY
        yield PodTrouble(reason, message, since[reason, text], not ready)


def _works(ctx: Context, view: View, item: KiroInstance, pod: Pod) -> bool:
    """Whether an instance has a task or may be given one: not while its pod may be going."""
    if not pod_ready(pod):
        return False
    going = goes(view, item, pod) or pod["metadata"]["uid"] in ctx.step_memory.going
    return item["metadata"]["name"] in view.active or not going


def _of_instance(
    view: View, item: KiroInstance, pod: Optional[Pod], unmade: Mapping[str, str]
) -> tuple[str, str, datetime]:
    reason, text, when = _of_its_status(view, item)
    if pod is not None and reason != CHANGE_REFUSED:
        made = parse(pod["metadata"].get("creationTimestamp")) or view.now
        return (*_of_pod(pod, unmade), made)
    return reason, text, when


def _of_its_status(view: View, item: KiroInstance) -> tuple[str, str, datetime]:
    """What an instance says that is refused of it; reason and words, empty: nothing."""
    status = status_of(item)
    said = str(status.get("message") or "")
    changed = find(status.get("conditions") or [], "Ready")
    when = parse(changed["lastTransitionTime"]) if changed else None
    if said.startswith(POD_KEPT):
        return CHANGE_REFUSED, said, when or view.now
    refused = said if said.startswith(POD_REFUSED) else ""
    return CREATE_REFUSED, refused, when or view.now


def _of_pod(pod: Pod, unmade: Mapping[str, str]) -> tuple[str, str]:
    """A word and words for why a pod does not run; empty while it may be on its way.

    :param unmade: what Events say, by the uid of a pod.
    """
    if pod["metadata"].get("deletionTimestamp") or pod_ready(pod):
        return "", ""
    text = pod_trouble(pod)
    if not text:
        text = unmade.get(pod["metadata"]["uid"], "")
        return ("VolumeNotMounted" if _MOUNT.match(text) else "PodStuck"), text
    cause = text.partition(": ")[2] if not text.startswith("Unschedulable") else text
    if cause.startswith(_IMAGE):
        return "ImageUnavailable", text
    if cause.startswith(_CONFIG):
        return "ContainerConfigInvalid", text
    return ("Unschedulable" if text.startswith("Unschedulable") else "PodStuck"), text


def _with_field(text: str) -> str:
    words = text.lower()
    field = next((field for part, field in _FIELDS if part in words), "")
    return one_line(f"{text}; see {field}" if field else text)
