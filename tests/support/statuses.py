"""What a kubelet and a Job controller write, for the node that is played."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timezone
from typing import Any, List

from kiro_swarm.cluster.resources import JOBS

Object = Any


def now() -> datetime:
    return datetime.now(timezone.utc)


def second() -> str:
    return now().strftime("%Y-%m-%dT%H:%M:%SZ")


def sha(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def owner(item: Object) -> Object:
    return {
        "apiVersion": JOBS.api_version,
        "kind": JOBS.kind,
        "name": item["metadata"]["name"],
        "uid": item["metadata"]["uid"],
        "controller": True,
    }


def is_ready(pod: Object) -> bool:
    return any(
        item["type"] == "Ready" and item["status"] == "True"
        for item in pod.get("status", {}).get("conditions") or []
    )


def ended(job: Object) -> bool:
    return bool(job.get("status", {}).get("conditions"))


def pod_status(phase: str) -> Object:
    return {
        "phase": phase,
        "startTime": second(),
        "conditions": conditions("True"),
    }


def conditions(ready: str) -> List[Object]:
    kinds = {"PodScheduled": "True", "ContainersReady": ready, "Ready": ready}
    return [
        {"type": kind, "status": word, "lastTransitionTime": second()}
        for kind, word in kinds.items()
    ]


def pod_of(job: Object) -> Object:
    """The pod that the Job controller makes."""
    metadata, template = job["metadata"], job["spec"]["template"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{metadata['name']}-pod",
            "labels": {
                **template["metadata"]["labels"],
                "batch.kubernetes.io/controller-uid": metadata["uid"],
            },
            "ownerReferences": [owner(job)],
        },
        "spec": template["spec"],
    }


def job_ended(words: Object) -> Object:
    good = "reason" not in words
    ended = {
        "exitCode": 0 if good else 1,
        "reason": "Completed" if good else "Error",
        "message": json.dumps(words),
        "startedAt": second(),
        "finishedAt": second(),
    }
    main = {
        "name": "main",
        "image": "kiro-swarm.test/image:1",
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": {"terminated": ended},
    }
    return {"phase": "Succeeded" if good else "Failed", "containerStatuses": [main]}


def job_status(good: bool) -> Object:
    kinds = ("SuccessCriteriaMet", "Complete") if good else ("FailureTarget", "Failed")
    status: Object = {
        "startTime": second(),
        "conditions": [
            {
                "type": kind,
                "status": "True",
                "lastTransitionTime": second(),
                "lastProbeTime": second(),
            }
            for kind in kinds
        ],
    }
    if good:
        status.update(completionTime=second(), succeeded=1)
    else:
        status.update(failed=1)
    return status
