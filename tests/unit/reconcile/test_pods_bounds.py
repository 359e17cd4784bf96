"""What foreign code may use of a pod, and that nothing of it is left."""

from __future__ import annotations

import pytest

from tests.unit.reconcile.test_pods import FULL, containers, mounts, pods


@pytest.mark.parametrize(
    ("kind", "name"), [("instance", "agent"), ("integrate", "gate"), ("sync", "gate")]
)
def test_every_place_where_foreign_code_can_write_is_emptied_between_tasks(
    kind: str, name: str
) -> None:
    container = containers(pods()[kind])[name]
    (told,) = (e["value"] for e in container["env"] if e["name"] == "KIRO_SCRATCH")
    writable = {
        path
        for path, place in mounts(container).items()
        if "readOnly" not in place and place["name"] != "swarm"
    }
    of_every_container = {"/dev/shm", "/dev/mqueue", "/dev/termination-log"}
    assert set(told.split(":")) == writable | of_every_container


def test_the_memory_of_containers_with_keys_is_bounded_and_gates_have_an_agents_share() -> (
    None
):
    full = pods(**FULL)
    for kind, pod in full.items():
        trusted = containers(pod)["runner" if kind == "instance" else "main"]
        assert trusted["resources"]["limits"]["memory"].endswith("Gi"), kind
    for kind in ("integrate", "sync"):
        gate = containers(full[kind])["gate"]
        assert gate["resources"] == {
            "requests": {"memory": "0"},
            "limits": {"memory": "1Gi"},
        }
        assert "resources" not in containers(pods()[kind])["gate"]
