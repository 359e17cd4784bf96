"""Who the caller is, as the API server knows him. Called by ``kubectl swarm``."""

from __future__ import annotations

from typing import Any

from kiro_swarm.cluster.connection import Connection
from kiro_swarm.cluster.resources import AnyResource, Resource

_REVIEWS: AnyResource = Resource(
    "authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview"
)


async def user_name(connection: Connection) -> str:
    """The name that the API server knows the caller by."""
    body = {"apiVersion": _REVIEWS.api_version, "kind": _REVIEWS.kind}
    answer = await connection.json("POST", _REVIEWS.path(), body=body)
    user: dict[str, Any] = (answer.get("status") or {}).get("userInfo") or {}
    return str(user.get("username", ""))
