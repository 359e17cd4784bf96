"""The roles for people: each permission is somebody's, and no role holds more than it says."""

from __future__ import annotations

from typing import Set, Tuple

import pytest

from kiro_swarm.commands.roles import ROLES, cluster_roles, role_of
from kiro_swarm.commands.table import COMMANDS

Right = Tuple[str, str, str]


def rights(ending: str) -> Set[Right]:
    """Group, resource and verb of every rule of a ClusterRole."""
    return {
        (group, resource, verb)
        for rule in cluster_roles()[ending].rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def said(ending: str) -> Set[str]:
    """The permissions that a ClusterRole gives."""
    known = {command.permission for command in COMMANDS}
    return {
        verb for _, resource, verb in rights(ending) if resource == "kiroswarms"
    } & known


def test_every_permission_of_the_table_is_held_and_no_other() -> None:
    assert set(ROLES["admin"]) == {command.permission for command in COMMANDS}


def test_a_permission_is_named_once_in_a_role() -> None:
    for held in ROLES.values():
        assert len(held) == len(set(held))


def test_operator_and_integrator_part_the_work_between_them() -> None:
    operator, integrator = set(ROLES["operator"]), set(ROLES["integrator"])
    assert operator & integrator == set(ROLES["viewer"]) == {"get"}
    assert operator | integrator == set(ROLES["admin"])
    assert {"merge", "rollback", "approve"} <= integrator
    assert {"run", "stop", "scale"} <= operator


@pytest.mark.parametrize(
    ("permission", "role"),
    [("get", "viewer"), ("stop", "operator"), ("merge", "integrator")],
)
def test_the_smallest_role_is_the_one_to_ask_for(permission: str, role: str) -> None:
    assert role_of(permission) == role


@pytest.mark.parametrize("role", ROLES)
def test_a_cluster_role_gives_the_permissions_of_its_role(role: str) -> None:
    assert said(role) == set(ROLES[role])


def test_whoever_may_edit_a_swarm_may_say_everything_to_it() -> None:
    assert said("edit") == set(ROLES["admin"])
    assert said("view") == {"get"}


@pytest.mark.parametrize("role", ROLES)
def test_the_roles_change_nothing_but_by_sentences(role: str) -> None:
    written = {
        (resource, verb)
        for _, resource, verb in rights(role)
        if verb in ("create", "update", "patch", "delete", "deletecollection")
    }
    assert written == {("swarmcommands", "create")}


@pytest.mark.parametrize("role", ROLES)
def test_a_namespaces_admin_may_bind_every_role(role: str) -> None:
    """Kubernetes lets nobody grant what he has not; edit is a part of his role.

    What he reads beside our kinds he has from the cluster's own role view.
    """
    beside = {item for item in rights(role) if item[0] != "swarm.kiro.dev"}
    assert rights(role) - beside <= rights("edit")
    assert {verb for _, _, verb in beside} == {"get", "list", "watch"}


@pytest.mark.parametrize("ending", cluster_roles())
def test_no_role_of_people_writes_a_status_or_reads_a_secret(ending: str) -> None:
    resources = {resource for _, resource, _ in rights(ending)}
    assert not {name for name in resources if name.endswith("/status")}
    assert not resources & {"secrets", "pods/exec", "*"}
    assert "*" not in {verb for _, _, verb in rights(ending)}
