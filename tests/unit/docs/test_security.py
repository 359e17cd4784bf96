"""The table of who holds which key is that of the pods the operator makes."""

from __future__ import annotations

from typing import Any, List

from hack.lib.docs.rights import containers, pods
from kiro_swarm.commands.admission import policy
from kiro_swarm.commands.roles import ROLES
from tests.unit.docs.pages import DOCS, code_words, read, table_rows

PAGE = read(DOCS / "security.md")
Object = Any


def facts(container: Object) -> List[str]:
    """Cluster token, git credentials and the volume, in the words of the page."""
    mounts = {item["name"]: item for item in container["volumeMounts"]}
    swarm = [item for item in container["volumeMounts"] if item["name"] == "swarm"]
    places = {item.get("subPath", ""): bool(item.get("readOnly")) for item in swarm}
    volume = {
        (): "nothing",
        (("", False),): "everything",
        (("", True),): "everything read-only",
        (("repo.git", True),): "the mirror read-only",
        (
            ("instances/INSTANCE", False),
            ("repo.git", True),
        ): "its own folder; the mirror read-only",
        (
            ("finished/INSTANCE", False),
            ("instances/INSTANCE", True),
            ("repo.git", True),
        ): "its finished work; its own folder and the mirror, read-only",
    }[tuple(sorted(places.items()))]
    return [
        "yes" if "token" in mounts else "no",
        "yes" if "credentials" in mounts else "no",
        volume,
    ]


def test_the_table_is_that_of_the_pods() -> None:
    told = {
        (row[0], *code_words(row[1])): row[2:5]
        for row in table_rows(PAGE)
        if len(row) == 6 and row[0] != "Pod"
    }
    made = {
        (name, container["name"]): facts(container)
        for name, pod in pods().items()
        for container in containers(pod)
    }
    assert told == made


def test_who_runs_foreign_code_holds_no_key() -> None:
    rows = [row for row in table_rows(PAGE) if len(row) == 6 and row[0] != "Pod"]
    for row in rows:
        foreign, keys = row[5] != "no", row[2:4]
        assert (keys == ["no", "no"]) if foreign else ("yes" in keys), row


def test_no_pod_mounts_a_token_by_itself() -> None:
    for pod in pods().values():
        assert pod["automountServiceAccountToken"] is False


def test_the_table_of_roles_is_that_of_the_code() -> None:
    found = [row for row in table_rows(PAGE) if len(row) == 3 and row[0] != "Role"]
    rows = {code_words(row[0])[0]: row for row in found}
    told = {name: tuple(code_words(row[2])) for name, row in rows.items()}
    assert rows["kiro-swarm-admin"][2] == "all of these"
    told["kiro-swarm-admin"] = ROLES["admin"]
    assert told == {f"kiro-swarm-{role}": held for role, held in ROLES.items()}
    others = set().union(*(held for role, held in ROLES.items() if role != "admin"))
    assert others == set(ROLES["admin"])


def test_the_denial_is_quoted_as_it_is_said() -> None:
    template = " ".join(policy({}, "kiro-swarm")["validations"][2].values())
    quoted = (
        'user "bob" may not "merge" kiroswarm team-a/shop (needs the permission '
        "'merge' on kiroswarms; the ClusterRole kiro-swarm-integrator has it)"
    )
    assert quoted in " ".join(PAGE.split())
    for part in ('" may not "', '" kiroswarm ', " (needs the permission "):
        assert part in template
        assert part in quoted
