"""Questions to the API server's authorizer, and the rights that a role lists."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Set, Tuple

from tests.support.cluster import Cluster

Right = Tuple[str, str, str]  # group, resource[/subresource], verb


def expand(rules: List[Dict[str, Any]]) -> Set[Right]:
    """Every single right of a list of rules."""
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def question(
    group: str, resource: str, verb: str, place: str, name: str = ""
) -> Dict[str, str]:
    """One thing to ask about, as the API server wants it said."""
    plural, _, subresource = resource.partition("/")
    return {
        "group": group,
        "resource": plural,
        "subresource": subresource,
        "verb": verb,
        "namespace": place,
        "name": name,
    }


def ask(api_server: Cluster, user: str, attributes: List[Dict[str, str]]) -> List[bool]:
    """The answers of the API server's own authorizer to many questions at once."""
    account = user.startswith("system:serviceaccount:")
    groups = ["system:serviceaccounts"] if account else []
    reviews = [
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": user,
                "groups": [*groups, "system:authenticated"],
                "resourceAttributes": item,
            },
        }
        for item in attributes
    ]
    body = json.dumps({"apiVersion": "v1", "kind": "List", "items": reviews})
    said = api_server.kubectl("create", "-f", "-", "-o", "json", input=body).stdout
    decoder, answers, rest = json.JSONDecoder(), [], said.strip()
    while rest:
        item, end = decoder.raw_decode(rest)
        answers += item.get("items", [item])
        rest = rest[end:].strip()
    assert len(answers) == len(attributes)
    return [bool(item["status"].get("allowed")) for item in answers]
