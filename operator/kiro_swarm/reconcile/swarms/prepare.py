"""From a KiroSwarm to its KiroTasks: the prepare Job, its answer, the graph.

The Job leaves its answer in two places: a short one in the termination message of its pod
(what was read, or why not), the graph in a ConfigMap. Tasks are made from the graph; the
swarm is Prepared when they all exist, so a crash in between makes the rest later.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Optional, Sequence, Union, cast

from kiro_swarm.api.graph import (
    GRAPH_KEY,
    MORE_KEY,
    PublishedGraph,
    PublishedTask,
)
from kiro_swarm.api.kubernetes import Pod
from kiro_swarm.api.reports import PrepareReport
from kiro_swarm.api.task import KiroTask, KiroTaskSpec
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.resources import CONFIG_MAPS, JOBS, SWARMS, TASKS
from kiro_swarm.policy import naming
from kiro_swarm.policy.conditions import find
from kiro_swarm.policy.failing import LONGEST, next_try
from kiro_swarm.policy.ownership import is_record
from kiro_swarm.policy.times import parse
from kiro_swarm.reconcile.engine.context import Context, side_by_side
from kiro_swarm.reconcile.engine.owned import made_or_passed, make_ours
from kiro_swarm.reconcile.engine.steps import Steps
from kiro_swarm.reconcile.engine.turns import in_turns
from kiro_swarm.reconcile.instances.decision import pod_trouble
from kiro_swarm.reconcile.objects.job_pods import prepare_job
from kiro_swarm.reconcile.objects.manifests import metadata
from kiro_swarm.reconcile.snapshot.ledger import refresh
from kiro_swarm.reconcile.snapshot.reports import Failure, report_in
from kiro_swarm.reconcile.snapshot.text import clock, listed
from kiro_swarm.reconcile.snapshot.view import View, job_outcome
from kiro_swarm.tasks.file.wire import MOST_PARTS, describe, unpacking

#: Stands for a graph that could not be read now.
_UNREAD = PublishedGraph.model_validate({"specPath": "unread", "tasks": []})
_NOTHING = Failure("PrepareFailed", "the prepare Job ended and left no task graph")


#: Reasons that a field may be the cause of which cannot be changed.
_FIXED_FIELDS = {
    "RemoteUnavailable": "spec.repository.url",
    "InvalidUrl": "spec.repository.url",
    "RefNotFound": "spec.repository.ref",
    "InvalidRef": "spec.repository.ref",
}
_OF_THE_SPEC_PATH = frozenset({"SpecNotFound", "InvalidPath"})
_OF_THE_SECRET = frozenset({"SecretKeyMissing", "CredentialsRefused"})
_OF_THE_TASK_FILE = frozenset({"TaskFileInvalid", "TaskFileTooLarge"})


@dataclass(frozen=True)
class Prepared:
    """How far the preparation is, for the status."""

    done: Optional[bool]
    reason: str
    message: str
    attempt: int
    retry_at: Optional[datetime] = None
    report: Optional[PrepareReport] = None
    diagnostics: Optional[Sequence[str]] = None


def afterwards(view: View) -> Prepared:
    """A swarm that was prepared stays so, unless KiroTasks were deleted.

    Then the task file is read again, as it is on the integration branch by now, and they
    are made again; what is ticked there is not done twice.
    """
    attempt = int((view.status.get("prepare") or {}).get("attempt") or 1)
    if not view.gone:
        return Prepared(True, "Prepared", "", attempt)
    return Prepared(None, "Preparing", _reading(view), attempt + 1)


def _reading(view: View) -> str:
    """What is being done, and why if it was done before."""
    if not view.gone:
        return "reading the repository"
    made = len(view.tasks) + view.gone
    return (
        f"{view.gone} of {made} KiroTasks were deleted; reading the repository to "
        "make them again"
    )


async def reconcile(ctx: Context, view: View, steps: Steps) -> Prepared:
    """Bring the preparation a step on and say how far it is."""
    before = view.status.get("prepare") or {}
    attempt = max(1, int(before.get("attempt") or 0))
    name = naming.prepare_job(view.name, attempt)
    job = next(
        (job for job in view.prepare_jobs if job["metadata"]["name"] == name), None
    )
    retry_at = parse(before.get("retryAt"))
    if retry_at is not None:
        # Later than a pause can end it was written by a clock that was ahead.
        longest = view.now + timedelta(seconds=LONGEST)
        if view.now < retry_at <= longest and not view.spec_changed:
            return _failed_before(view, attempt, retry_at)
        return Prepared(None, "Preparing", "trying again", attempt + 1)
    if job is None:
        body = prepare_job(view.swarm, view.spec, attempt, ctx.settings)
        made = await steps.take(
            f"create Job {name}",
            partial(made_or_passed, ctx, JOBS, view.namespace, body),
            None,
            weight="vital",
        )
        if made is False:
            # Somebody else's, or of an earlier swarm: the next has another number.
            ctx.queue.add_after(ctx.key(SWARMS, view.namespace, view.name), 1.0)
            attempt += 1
        return Prepared(None, "Preparing", _reading(view), attempt)
    outcome = job_outcome(job)
    pod = view.pod_of_job(job)
    if outcome is None:
        return Prepared(None, "Preparing", _reading(view) + _waiting(pod), attempt)
    report = report_in(pod, PrepareReport)
    if outcome:
        try:
            published: Optional[PublishedGraph] = await steps.take(
                f"read ConfigMap {naming.graph_name(view.name)}",
                partial(_published, ctx, view),
                _UNREAD,
                weight="vital",
            )
        except ValueError as error:
            published, report = None, Failure("GraphUnreadable", str(error))
        if published is not None:
            prepared = await _carry_out(ctx, view, steps, attempt, published)
            return _with_report(prepared, report)
    why = _NOTHING if not isinstance(report, Failure) else report
    retry_at = next_try(attempt, view.now, view.now)
    message = why.message + _remedy(view, why.reason, attempt)
    message += _about_secret(view, why.reason, retry_at)
    failed = Prepared(False, why.reason, message, attempt, retry_at)
    return _with_report(failed, report)


async def _carry_out(
    ctx: Context, view: View, steps: Steps, attempt: int, graph: PublishedGraph
) -> Prepared:
    """Make the KiroTasks of a graph; how far that is."""
    waits = Prepared(None, "Preparing", "reading the task graph", attempt)
    if graph is _UNREAD:
        return waits
    # What is merged already must be known before a KiroTask of it is there.
    if attempt > 1 and not await steps.take(
        "read its ledger", partial(_refreshed, ctx, view), False, weight="vital"
    ):
        return replace(waits, message="reading the ledger")
    taken = await _make_tasks(ctx, view, steps, graph)
    if taken is None:
        return replace(waits, message="its KiroTasks are being made")
    if taken:
        # Tasks of an earlier swarm are on their way out.
        ctx.queue.add_after(ctx.key(SWARMS, view.namespace, view.name), 1.0)
        gone = f"waiting until these KiroTasks are gone: {listed(taken)}"
        return replace(waits, message=gone)
    return Prepared(True, "Prepared", "", attempt)


async def _refreshed(ctx: Context, view: View) -> bool:
    await refresh(ctx, view.swarm)
    return True


def _remedy(view: View, reason: str, attempt: int) -> str:
    """What helps where a field is wrong that cannot be changed; empty where none is meant."""
    tasks = view.spec.tasks
    field = _FIXED_FIELDS.get(reason, "")
    if reason in _OF_THE_TASK_FILE:
        field = "spec.tasks.inline" if tasks.inline is not None else ""
    if reason in _OF_THE_SPEC_PATH and tasks.spec_path is not None:
        field = "spec.tasks.specPath"
    if not field or (reason == "RemoteUnavailable" and attempt == 1):
        return ""  # a server that is away comes back
    return (
        f"; {field} cannot be changed: where it is wrong, delete this KiroSwarm and create "
        "it again"
    )


def _about_secret(view: View, reason: str, retry_at: datetime) -> str:
    """Which Secret is meant, and when it is looked at again: nobody watches Secrets here."""
    secret = view.spec.repository.credentials_secret
    if secret is None or reason not in _OF_THE_SECRET:
        return ""
    return (
        f"; spec.repository.credentialsSecret names the Secret {secret.name} in "
        f"{view.namespace}; it is read again at {clock(retry_at, view.now)}"
    )


def _with_report(
    prepared: Prepared, report: Union[PrepareReport, Failure, None]
) -> Prepared:
    """What the Job said beside its outcome."""
    if report is None:
        return prepared
    if isinstance(report, Failure):
        return replace(prepared, diagnostics=report.diagnostics)
    return replace(prepared, report=report, diagnostics=report["diagnostics"])


def _failed_before(view: View, attempt: int, retry_at: datetime) -> Prepared:
    """What was said when the last attempt failed, while its retry is not due."""
    said = find(view.status.get("conditions") or [], "Prepared")
    return Prepared(
        False,
        said["reason"] if said else "PrepareFailed",
        said.get("message") or "" if said else "",
        attempt,
        retry_at,
    )


def _waiting(pod: Optional[Pod]) -> str:
    trouble = pod_trouble(pod) if pod else ""
    return f"; its pod waits: {trouble}" if trouble else ""


async def _published(ctx: Context, view: View) -> Optional[PublishedGraph]:
    """The graph that the prepare Job has published, None when there is none.

    Raises ValueError: somebody else has written there, or deleted a part of it.
    """
    published = await ctx.client.get(
        CONFIG_MAPS, view.namespace, naming.graph_name(view.name)
    )
    if not is_record(published, view.uid, view.name):
        raise ValueError(
            f"ConfigMap {naming.graph_name(view.name)} is not of this swarm; delete it"
        )
    first = (published.get("binaryData") or {}).get(GRAPH_KEY)
    if first is None:
        return None
    names = str((published.get("data") or {}).get(MORE_KEY) or "").split()
    if len(names) >= MOST_PARTS or not all(
        naming.is_graph_part(view.name, name) for name in names
    ):
        raise ValueError("the published task graph names parts that are none of it")
    try:
        more = await side_by_side(
            partial(ctx.client.get, CONFIG_MAPS, view.namespace, name) for name in names
        )
    except errors.NotFound as error:
        raise ValueError("a part of the published task graph is gone") from error
    if not all(is_record(part, view.uid, view.name) for part in more):
        raise ValueError("a part of the published task graph is not of this swarm")
    rest = [(part.get("binaryData") or {}).get(GRAPH_KEY, "") for part in more]
    return await in_turns(unpacking([first, *rest]))


async def _make_tasks(
    ctx: Context, view: View, steps: Steps, graph: PublishedGraph
) -> Optional[list[str]]:
    """Create the KiroTasks of the published graph.

    The names that are still taken; None where some are refused, for which see ``steps``.
    """
    there = {task["metadata"]["name"] for task in view.tasks}
    described = describe(graph)
    missing = {
        name: task
        for task in graph.tasks
        if (name := naming.task_name(view.name, task["id"])) not in there
    }

    async def make(task: PublishedTask) -> bool:
        # One after another: the texts of a large file are never all there at once.
        body = task_manifest(view, described(task))
        return await make_ours(ctx, TASKS, view.namespace, body)

    made: list[Optional[bool]] = await side_by_side(
        partial(
            steps.take,
            f"create KiroTask {name}",
            partial(make, task),
            None,
            weight="vital",
        )
        for name, task in missing.items()
    )
    taken = [name for name, mine in zip(missing, made) if mine is False]
    return None if not taken and None in made else taken


def task_manifest(view: View, task: PublishedTask) -> KiroTask:
    """The KiroTask of one task of a published graph."""
    given: dict[str, object] = {
        "swarm": view.name,
        "maxAttempts": view.spec.recovery.max_attempts,
    }
    return {
        "apiVersion": TASKS.api_version,
        "kind": TASKS.kind,
        "metadata": metadata(view.swarm, naming.task_name(view.name, task["id"])),
        # What is published of a task is, by declaration, a part of the spec.
        "spec": cast(KiroTaskSpec, {**task, **given}),
    }
