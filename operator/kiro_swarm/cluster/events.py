"""Events on our objects: rare, worth reading, never a log.

An event has a name made of its object's uid, its reason and the text, so that the same
news is one Event however often a reconcile tells it. Its message is one printable line: kubectl
shows no more of it than the first. So it is told before the write that
makes it true for all: who dies in between tells it again, and whoever sees the write finds
the Event. It is a courtesy all the same: one that cannot be posted stops nothing.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime

from kiro_swarm.api.kubernetes import Event, KubernetesObject
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.resources import EVENTS, AnyResource
from kiro_swarm.policy.words import one_line

COMPONENT = "kiro-swarm"
_LONGEST = 1024
log = logging.getLogger(__name__)


async def emit(
    client: Client,
    resource: AnyResource,
    item: KubernetesObject,
    *,
    reason: str,
    message: str,
    now: datetime,
    warning: bool = False,
) -> None:
    """Post one Event about ``item``; one that is there already is not posted again.

    Raises nothing of the API server: a quota of Events must not hold back a status.
    """
    metadata, message = item["metadata"], one_line(message, _LONGEST)
    told = f"{metadata['uid']}/{reason}/{message}".encode()
    stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    body: Event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{metadata['name']}.{hashlib.sha256(told).hexdigest()[:16]}",
            "namespace": metadata["namespace"],
        },
        "involvedObject": {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "uid": metadata["uid"],
        },
        "reason": reason,
        "message": message,
        "type": "Warning" if warning else "Normal",
        "source": {"component": COMPONENT},
        "firstTimestamp": stamp,
        "lastTimestamp": stamp,
        "count": 1,
    }
    try:
        await client.create(EVENTS, metadata["namespace"], body)
    except errors.AlreadyExists:
        return  # told before
    except errors.ClusterError as error:
        log.info("no Event %s about %s: %s", reason, metadata["name"], error.message)
