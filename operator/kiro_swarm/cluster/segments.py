"""Lines of a chained log in ConfigMaps: how one that nobody else has written to is added to.

Role: the writers of the audit log and of the integration ledger write through this; what the
lines are and how they are chained is in ``policy/chain.py``.
"""

from __future__ import annotations

from typing import Mapping, Optional

from kiro_swarm.api.kubernetes import ConfigMap, ObjectMeta
from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.resources import CONFIG_MAPS


async def write_segment(
    client: Client,
    namespace: str,
    metadata: ObjectMeta,
    lines: Mapping[str, Optional[str]],
    version: Optional[str],
) -> str:
    """Add lines to a ConfigMap, or take those away that are None; its version then.

    :param version: the version that it was read at; None: it is not there yet.

    Raises errors.Conflict: somebody else has written to it since.
    Raises errors.AlreadyExists: somebody else has made it.
    """
    if version is None:
        body: ConfigMap = {
            "apiVersion": CONFIG_MAPS.api_version,
            "kind": CONFIG_MAPS.kind,
            "metadata": metadata,
            "data": {key: text for key, text in lines.items() if text is not None},
        }
        made = await client.create(CONFIG_MAPS, namespace, body)
    else:
        patch = {"metadata": {"resourceVersion": version}, "data": dict(lines)}
        made = await client.patch(CONFIG_MAPS, namespace, metadata["name"], patch)
    return made["metadata"]["resourceVersion"]
