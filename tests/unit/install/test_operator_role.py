"""The operator's ClusterRole holds what its code uses and what it grants, nothing else.

The code is read, not run: every call on the Kubernetes client in the packages that run in the
operator's process names its resource, so what is used can be listed.
"""

from __future__ import annotations

import ast
from typing import Any, Iterable, Iterator, Optional, Set, Tuple, cast

from kiro_swarm.api.crd import KINDS
from kiro_swarm.api.kubernetes import PolicyRule, Role
from kiro_swarm.api.meta import GROUP
from kiro_swarm.api.swarm import Storage
from kiro_swarm.cluster import resources
from kiro_swarm.cluster.resources import WATCHED, AnyResource
from kiro_swarm.commands.writers import WRITE_STATUS
from kiro_swarm.reconcile.objects.manifests import foundations
from tests.unit.install.files import ROOT, installed

PACKAGE = ROOT / "operator" / "kiro_swarm"
#: What runs in the operator's process; the leader Lease has a Role of its own.
PLACES = (
    "reconcile/**/*.py",
    "handlers/*.py",
    "cluster/events.py",
    "cluster/segments.py",
)
VERBS = {
    "get",
    "list",
    "few",
    "create",
    "patch",
    "patch_status",
    "delete",
    "replace",
    "watch",
}
#: Calls whose resource is a variable, and what it may be.
BY_VARIABLE = {
    ("foundations.py", "create"): "foundations",
    ("foundations.py", "get"): "foundations",
    ("watches.py", "list"): "watched",
    ("watches.py", "watch"): "watched",
    # What a Context passes on is counted where the Context is called.
    ("context.py", "create"): "passed on",
    ("context.py", "delete"): "passed on",
    ("context.py", "patch"): "passed on",
    ("context.py", "patch_status"): "passed on",
    ("owned.py", "create"): "passed on",
    # What an executor wants done is counted where it makes the Effect.
    ("effects.py", "create"): "effects",
    ("effects.py", "delete"): "effects",
    ("effects.py", "patch"): "effects",
    ("effects.py", "patch_status"): "effects",
    # What it wants deleted, where it says so.
    ("writes.py", "delete"): "deleted",
}
SWARM: Any = {
    "apiVersion": "swarm.kiro.dev/v1alpha1",
    "kind": "KiroSwarm",
    "metadata": {"name": "demo", "namespace": "team", "uid": "1"},
}
Right = Tuple[str, str, str]  # group, resource[/subresource], verb


def calls() -> Iterator[Tuple[str, str, Optional[AnyResource]]]:
    """File, method and resource (None: a variable) of every call on the client."""
    for place in PLACES:
        for path in sorted(PACKAGE.glob(place)):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call) or not node.args:
                    continue
                function, arguments = node.func, node.args
                if ast.unparse(function) == "Effect":
                    verb, resource = arguments[0], ast.unparse(arguments[1])
                    assert isinstance(verb, ast.Constant)
                    yield path.name, str(verb.value), getattr(resources, resource, None)
                    continue
                if ast.unparse(function) == "deleted":
                    resource = ast.unparse(arguments[0])
                    yield path.name, "delete", getattr(resources, resource, None)
                    continue
                if ast.unparse(function) == "partial":
                    function, arguments = arguments[0], arguments[1:]
                if ast.unparse(function) in ("make_ours", "made_or_passed"):
                    resource = ast.unparse(arguments[1])
                    yield path.name, "create", getattr(resources, resource, None)
                if not isinstance(function, ast.Attribute):
                    continue
                holder = ast.unparse(function.value).split(".")[-1]
                if function.attr in VERBS and holder.lstrip("_") in ("client", "ctx"):
                    name = ast.unparse(arguments[0])
                    yield path.name, function.attr, getattr(resources, name, None)


def right(resource: AnyResource, method: str) -> Right:
    """The right that a method of the client needs."""
    if method == "patch_status":
        return resource.group, f"{resource.plural}/status", "patch"
    verb = {"replace": "update", "few": "list"}.get(method, method)
    return resource.group, resource.plural, verb


def expand(rules: Iterable[PolicyRule]) -> Set[Right]:
    """Every single right of a role's rules."""
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def used() -> Set[Right]:
    """What the operator's own code needs."""
    rights = {
        right(resource, verb) for resource in WATCHED for verb in ("list", "watch")
    }
    made = foundations(SWARM, Storage(), network_policy=True)
    rights |= {
        right(resource, verb) for resource, _ in made for verb in ("create", "get")
    }
    return rights | {
        right(resource, method) for _, method, resource in calls() if resource
    }


def granted() -> Set[Right]:
    """What the Roles of a swarm hold: Kubernetes lets nobody grant what he has not."""
    made = foundations(SWARM, Storage(), network_policy=True)
    return {
        item
        for resource, body in made
        if resource is resources.ROLES
        for item in expand(cast(Role, body)["rules"])
    }


def test_every_call_with_a_variable_resource_is_known() -> None:
    found = {(file, method) for file, method, resource in calls() if resource is None}
    assert found == set(BY_VARIABLE)


def test_the_role_holds_what_is_used_or_granted_and_nothing_else() -> None:
    role = expand(installed("ClusterRole")["rules"])
    # What no call needs and the admission policies ask for.
    own = {(GROUP, kind.plural, WRITE_STATUS) for kind in KINDS}
    assert role == used() | granted() | own


def test_some_rights_are_held_only_to_grant_them() -> None:
    assert granted() - used() == {
        ("swarm.kiro.dev", "kiroswarms", "get"),
        ("swarm.kiro.dev", "kirotasks", "get"),
        ("coordination.k8s.io", "leases", "create"),
        ("coordination.k8s.io", "leases", "patch"),
    }


def test_no_rule_uses_a_wildcard_or_widens_rights() -> None:
    for name in ("kiro-swarm", "kiro-swarm-view", "kiro-swarm-edit"):
        rights = expand(installed("ClusterRole", name)["rules"])
        assert not [item for item in rights if "*" in item]
        assert not {verb for _, _, verb in rights} & {"escalate", "bind", "impersonate"}
        assert not {resource for _, resource, _ in rights} & {"secrets", "pods/exec"}


def test_the_account_has_the_role_and_the_pod_the_account() -> None:
    binding = installed("ClusterRoleBinding")
    account = installed("ServiceAccount")
    assert binding["roleRef"]["name"] == installed("ClusterRole")["metadata"]["name"]
    assert binding["subjects"] == [
        {
            "kind": "ServiceAccount",
            "name": account["metadata"]["name"],
            "namespace": account["metadata"]["namespace"],
        }
    ]
    assert account["automountServiceAccountToken"] is False
    pod = installed("Deployment")["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == account["metadata"]["name"]
