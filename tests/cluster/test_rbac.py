"""What the chart lets whom do, asked of a real API server.

The operator: everything its role lists, in every namespace, and nothing beside it. People:
the aggregated roles.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, Iterator, Set

import pytest

from kiro_swarm.api.swarm import Storage
from kiro_swarm.reconcile.objects.manifests import foundations
from tests.cluster.chart import (
    dump,
    install_crds,
    kubeconfig_of,
    namespace,
    template,
)
from tests.cluster.kinds import swarm
from tests.cluster.rights import Right, ask, expand, question
from tests.support.cluster import Cluster

RELEASE = "rights"
#: Checking on the client's side would need rights of its own, to read the CRDs.
UNCHECKED = "--validate=false"
OUR_KINDS = ("kiroswarms", "kiroinstances", "kirotasks", "swarmcommands")


@pytest.fixture(scope="module")
def home(api_server: Cluster) -> Iterator[str]:
    """The operator's namespace: the chart is installed there, for two operators."""
    install_crds(api_server)
    with namespace(api_server, "operator") as name:
        objects = template(
            RELEASE, name, "--set=replicas=2", "--set=fullnameOverride=rights"
        )
        api_server.kubectl("apply", "-f", "-", input=dump(*objects))
        yield name
        api_server.kubectl("delete", "-f", "-", "--wait=false", input=dump(*objects))


@pytest.fixture(scope="module")
def team(api_server: Cluster) -> Iterator[str]:
    """A namespace of people."""
    with namespace(api_server, "team") as name:
        yield name


def owner(team: str) -> Any:
    """A swarm of the team, as the API server would give it back."""
    metadata = {"name": "demo", "namespace": team, "uid": "1"}
    return {**swarm(), "metadata": metadata}


def operator(home: str) -> str:
    return f"system:serviceaccount:{home}:{RELEASE}"


def rights(home: str) -> Set[Right]:
    """Every single right of the operator's ClusterRole."""
    (role,) = (
        item
        for item in template(RELEASE, home, "--set=fullnameOverride=rights")
        if (item["kind"], item["metadata"]["name"]) == ("ClusterRole", RELEASE)
    )
    return expand(role["rules"])


def test_the_operator_can_do_what_its_role_lists(
    api_server: Cluster, home: str, team: str
) -> None:
    listed = sorted(rights(home))
    answers = ask(
        api_server, operator(home), [question(*item, team) for item in listed]
    )
    assert [item for item, yes in zip(listed, answers) if not yes] == []


def test_the_operator_can_do_nothing_else(
    api_server: Cluster, home: str, team: str
) -> None:
    """The API server lists all that an account may do in a namespace."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": team},
    }
    said = api_server.kubectl(
        "create",
        f"--as={operator(home)}",
        "--as-group=system:serviceaccounts",
        "--as-group=system:authenticated",
        UNCHECKED,
        *("-f", "-", "-o", "json"),
        input=json.dumps(review),
    )
    status = json.loads(said.stdout)["status"]
    assert status["incomplete"] is False
    # Everybody may ask who he is and what he may do.
    allowed = {
        item
        for item in expand(status["resourceRules"])
        if not item[1].startswith("self")
    }
    assert allowed == rights(home)


NEIGHBOURS = [
    ("", "pods/exec", "create"),
    ("", "pods/exec", "get"),
    ("", "pods/attach", "create"),
    ("", "pods/portforward", "create"),
    ("", "pods/ephemeralcontainers", "patch"),
    ("", "pods/log", "get"),
    ("", "pods", "patch"),
    ("", "pods", "deletecollection"),
    ("", "serviceaccounts/token", "create"),
    ("", "serviceaccounts", "impersonate"),
    ("", "users", "impersonate"),
    ("", "secrets", "create"),
    ("", "secrets", "delete"),
    ("", "configmaps", "deletecollection"),
    ("", "configmaps", "delete"),
    ("", "persistentvolumeclaims", "delete"),
    ("", "persistentvolumes", "get"),
    ("", "namespaces", "create"),
    ("", "nodes", "list"),
    ("apps", "deployments", "patch"),
    ("batch", "cronjobs", "create"),
    ("coordination.k8s.io", "leases", "get"),
    ("coordination.k8s.io", "leases", "update"),
    ("rbac.authorization.k8s.io", "roles", "escalate"),
    ("rbac.authorization.k8s.io", "roles", "update"),
    ("rbac.authorization.k8s.io", "rolebindings", "patch"),
    ("rbac.authorization.k8s.io", "roles", "delete"),
    ("rbac.authorization.k8s.io", "rolebindings", "update"),
    ("rbac.authorization.k8s.io", "clusterroles", "bind"),
    ("rbac.authorization.k8s.io", "clusterroles", "create"),
    ("rbac.authorization.k8s.io", "clusterrolebindings", "create"),
    ("networking.k8s.io", "networkpolicies", "delete"),
    ("apiextensions.k8s.io", "customresourcedefinitions", "patch"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "create"),
    ("certificates.k8s.io", "certificatesigningrequests", "create"),
    ("swarm.kiro.dev", "kiroswarms", "create"),
    ("swarm.kiro.dev", "kiroswarms", "update"),
    ("swarm.kiro.dev", "kirotasks", "delete"),
    ("swarm.kiro.dev", "swarmcommands", "create"),
    ("swarm.kiro.dev", "swarmcommands", "patch"),
]


def test_the_operator_cannot_do_what_lies_next_to_its_rights(
    api_server: Cluster, home: str, team: str
) -> None:
    asked = [question(*item, team) for item in NEIGHBOURS]
    answers = ask(api_server, operator(home), asked)
    assert [item for item, yes in zip(NEIGHBOURS, answers) if yes] == []


def test_the_operator_cannot_read_secrets_anywhere(
    api_server: Cluster, home: str, team: str
) -> None:
    asked = [
        question("", "secrets", verb, place, name)
        for place in (home, team, "kube-system", "")
        for verb in ("get", "list", "watch")
        for name in ("", "git")
    ]
    answers = ask(api_server, operator(home), asked)
    assert [item for item, yes in zip(asked, answers) if yes] == []


def test_a_secret_that_is_asked_for_is_not_given(
    api_server: Cluster, home: str, team: str, tmp_path: Path
) -> None:
    api_server.kubectl(
        "create", "secret", "generic", "git", "-n", team, "--from-literal=token=x"
    )
    mine = kubeconfig_of(api_server, home, RELEASE, tmp_path)
    refused = api_server.kubectl(
        f"--kubeconfig={mine}", "get", "secret", "git", "-n", team, check=False
    )
    assert f'User "{operator(home)}" cannot get resource "secrets"' in refused.stderr


def test_the_operator_lays_the_foundations_of_a_swarm(
    api_server: Cluster, home: str, team: str
) -> None:
    """Its Roles too: it holds what it grants, which the API server checks."""
    made = [
        body for _, body in foundations(owner(team), Storage(), network_policy=True)
    ]
    api_server.kubectl(
        "create", f"--as={operator(home)}", UNCHECKED, "-f", "-", input=dump(*made)
    )
    roles = api_server.get("roles", "-n", team)["items"]
    assert {item["metadata"]["name"] for item in roles} == {"demo-runner", "demo-jobs"}


@pytest.mark.parametrize(
    "rule",
    [
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]},
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
        {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"]},
        {
            "apiGroups": ["swarm.kiro.dev"],
            "resources": ["kirotasks"],
            "verbs": ["delete"],
        },
    ],
)
def test_the_operator_cannot_grant_what_it_does_not_hold(
    api_server: Cluster, home: str, team: str, rule: Dict[str, Any]
) -> None:
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "more", "namespace": team},
        "rules": [rule],
    }
    refused = api_server.kubectl(
        "create",
        f"--as={operator(home)}",
        UNCHECKED,
        "-f",
        "-",
        input=dump(role),
        check=False,
    )
    assert "attempting to grant RBAC permissions not currently held" in refused.stderr


@pytest.mark.parametrize("role", ["cluster-admin", "rights-edit"])
def test_the_operator_cannot_bind_a_role_above_its_own(
    api_server: Cluster, home: str, team: str, role: str
) -> None:
    refused = api_server.kubectl(
        "create",
        "rolebinding",
        "more",
        f"--as={operator(home)}",
        f"--namespace={team}",
        f"--clusterrole={role}",
        f"--serviceaccount={home}:{RELEASE}",
        check=False,
    )
    assert "attempting to grant RBAC permissions not currently held" in refused.stderr


def test_the_leader_lease_is_the_only_one_that_is_read_or_replaced(
    api_server: Cluster, home: str, team: str
) -> None:
    asked = [
        question("coordination.k8s.io", "leases", verb, place, name)
        for verb in ("get", "update")
        for place, name in (
            (home, "kiro-swarm-operator"),
            (home, "another"),
            (team, "kiro-swarm-operator"),
        )
    ]
    answers = ask(api_server, operator(home), asked)
    assert answers == [True, False, False] * 2


@pytest.mark.parametrize(
    ("account", "may", "may_not"),
    [
        (
            "demo-runner",
            {"kirotasks": "get list watch", "kirotasks/status": "patch"},
            {"kiroswarms": "get list", "kirotasks": "create patch delete"},
        ),
        (
            "demo-jobs",
            {"kirotasks": "get list watch", "kirotasks/status": "patch"},
            {"kiroswarms": "list patch", "kirotasks": "create patch delete"},
        ),
    ],
)
def test_the_accounts_of_a_swarm_do_little(
    api_server: Cluster,
    home: str,
    team: str,
    account: str,
    may: Dict[str, str],
    may_not: Dict[str, str],
) -> None:
    made = [
        body for _, body in foundations(owner(team), Storage(), network_policy=True)
    ]
    api_server.kubectl("apply", "-f", "-", input=dump(*made))
    asked = [
        question("swarm.kiro.dev", resource, verb, team)
        for rules in (may, may_not)
        for resource, verbs in rules.items()
        for verb in verbs.split()
    ]
    asked += [
        question("", resource, verb, team)
        for resource in ("secrets", "pods", "configmaps", "pods/exec")
        for verb in ("get", "list", "create")
    ]
    answers = ask(api_server, f"system:serviceaccount:{team}:{account}", asked)
    allowed = [item for item, yes in zip(asked, answers) if yes]
    wanted = asked[: sum(len(verbs.split()) for verbs in may.values())]
    if account == "demo-jobs":  # what a person asked to see, in a new ConfigMap
        wanted.append(question("", "configmaps", "create", team))
    assert allowed == wanted


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        ("view", "get list watch", "create update patch delete"),
        ("edit", "get list watch create update patch delete", ""),
    ],
)
def test_people_look_or_work_by_the_roles_of_the_chart(
    api_server: Cluster, home: str, team: str, role: str, may: str, may_not: str
) -> None:
    person = f"{role}er@example.com"
    api_server.kubectl(
        "create",
        "rolebinding",
        f"people-{role}",
        f"--namespace={team}",
        f"--clusterrole=rights-{role}",
        f"--user={person}",
    )
    wanted = [
        (question("swarm.kiro.dev", kind, verb, team), good)
        for kind in OUR_KINDS
        for verbs, good in ((may, True), (may_not, False))
        for verb in verbs.split()
    ]
    wanted += [
        (question("swarm.kiro.dev", f"{kind}/status", "patch", team), False)
        for kind in OUR_KINDS
    ]
    scale = question("swarm.kiro.dev", "kiroswarms/scale", "patch", team)
    wanted.append((scale, role == "edit"))
    answers = ask(api_server, person, [item for item, _ in wanted])
    assert answers == [good for _, good in wanted]


@pytest.mark.parametrize("role", ["view", "edit"])
def test_the_roles_of_people_are_marked_for_the_clusters_own(
    api_server: Cluster, home: str, role: str
) -> None:
    """Aggregation is done by the controller-manager, which is not here; the marks are."""
    found = api_server.get(
        "clusterroles", f"--selector=rbac.authorization.k8s.io/aggregate-to-{role}=true"
    )
    assert f"rights-{role}" in [item["metadata"]["name"] for item in found["items"]]
