"""Every pod passes Pod Security "restricted", and who holds which key."""

from __future__ import annotations

from typing import Any, cast

import pytest

from kiro_swarm.api.access import spec_of
from kiro_swarm.api.claims import PersistentVolumeClaim
from kiro_swarm.api.kubernetes import Role
from kiro_swarm.api.swarm import KiroSwarmSpec
from kiro_swarm.api.work_settings import WorkSettings
from kiro_swarm.cluster.resources import CLAIMS, ROLES
from kiro_swarm.reconcile.objects.job_pods import (
    inspect_job,
    integrate_job,
    prepare_job,
    sync_job,
)
from kiro_swarm.reconcile.objects.manifests import foundations
from kiro_swarm.reconcile.objects.pods import (
    instance_pod,
    runner_config,
    template_hash,
)
from kiro_swarm.reconcile.settings import OperatorSettings
from tests.unit.reconcile.surroundings import swarm_spec

Object = Any
SETTINGS = OperatorSettings(image="ours:1", image_pull_policy="Never")
TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
JOBS = ("prepare", "integrate", "inspect", "sync")
TASK: Object = {"metadata": {"name": "demo.1.1"}}
UID = "0b5e7f1a-5b1c-4a53-9a5e-2f6d3a1c9b7e"
FULL: Object = {
    "repository": {
        "url": "https://example.org/x.git",
        "credentialsSecret": {"name": "git-key"},
        "caBundle": {"configMap": {"name": "authorities", "key": "our.pem"}},
        "proxy": "http://proxy:3128",
    },
    "tasks": {"configMap": {"name": "tasks"}},
    "verification": {"command": ["make", "check"]},
    "template": {
        "image": "theirs:2",
        "imagePullPolicy": "Always",
        "agent": {"command": ["agent"], "env": [{"name": "A", "value": "b"}]},
        "resources": {"limits": {"memory": "1Gi"}},
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "gpu", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "runtimeClassName": "gvisor",
        "podOverrides": {
            "labels": {"team": "a", "swarm.kiro.dev/swarm": "stolen"},
            "annotations": {"note": "b"},
            "priorityClassName": "low",
            "schedulerName": "other",
            "imagePullSecrets": [{"name": "registry"}],
        },
    },
}


def swarm(**changes: Any) -> tuple[Object, KiroSwarmSpec]:
    spec = swarm_spec(**changes)
    item = {
        "apiVersion": "swarm.kiro.dev/v1alpha1",
        "kind": "KiroSwarm",
        "metadata": {"name": "demo", "namespace": "team", "uid": "swarm-uid"},
        "spec": spec,
    }
    return item, KiroSwarmSpec.model_validate(spec)


def pods(**changes: Any) -> dict[str, Object]:
    """Every kind of pod of a swarm: name -> pod spec."""
    item, spec = swarm(**changes)
    instance: Any = {
        "apiVersion": item["apiVersion"],
        "kind": "KiroInstance",
        "metadata": {"name": "demo-1", "namespace": "team", "uid": "instance-uid"},
    }
    jobs = {
        "prepare": prepare_job(item, spec, 1, SETTINGS),
        "integrate": integrate_job(item, spec, 1, SETTINGS),
        "inspect": inspect_job(item, spec, "diff", TASK, "say-1", UID, SETTINGS),
        "sync": sync_job(item, spec, "feature/x", UID, SETTINGS),
    }
    return {
        "instance": instance_pod(item, spec, instance, 0, SETTINGS)["spec"],
        **{name: job["spec"]["template"]["spec"] for name, job in jobs.items()},
    }


def containers(pod: Object) -> dict[str, Object]:
    every = [*pod.get("initContainers", []), *pod["containers"]]
    return {container["name"]: container for container in every}


def mounts(container: Object) -> dict[str, Object]:
    return {mount["mountPath"]: mount for mount in container["volumeMounts"]}


@pytest.mark.parametrize("changes", [{}, FULL], ids=["plain", "full"])
@pytest.mark.parametrize("kind", [*JOBS, "instance"])
def test_every_pod_passes_pod_security_restricted(kind: str, changes: Object) -> None:
    pod = pods(**changes)[kind]
    assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & set(pod)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    allowed = {"configMap", "emptyDir", "persistentVolumeClaim", "projected", "secret"}
    for volume in pod["volumes"]:
        assert set(volume) - {"name"} <= allowed
    for container in containers(pod).values():
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["runAsNonRoot"] is True
        assert context["readOnlyRootFilesystem"] is True
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert "privileged" not in context
        assert not any("hostPort" in port for port in container.get("ports", []))


@pytest.mark.parametrize("changes", [{}, FULL], ids=["plain", "full"])
def test_the_token_is_in_one_container_of_each_pod_and_not_where_agents_run(
    changes: Object,
) -> None:
    holders = {"instance": {"runner"}, **{kind: {"main"} for kind in JOBS}}
    for kind, pod in pods(**changes).items():
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        having = {
            name
            for name, container in containers(pod).items()
            if any(m["name"] == "token" for m in container["volumeMounts"])
        }
        assert having == holders[kind]
        (only,) = having
        assert mounts(containers(pod)[only])[TOKEN_PATH]["readOnly"] is True


def test_git_credentials_are_in_the_main_container_of_jobs_that_use_git_servers() -> (
    None
):
    for kind, pod in pods(**FULL).items():
        having = {
            name
            for name, container in containers(pod).items()
            if any(m["name"] == "credentials" for m in container["volumeMounts"])
        }
        secrets = [volume for volume in pod["volumes"] if "secret" in volume]
        if kind in ("instance", "inspect"):
            assert (having, secrets) == (set(), [])
            assert "git-key" not in str(pod)
        else:
            assert having == {"main"}
            assert secrets[0]["secret"]["secretName"] == "git-key"
            assert mounts(containers(pod)["main"])["/credentials"]["readOnly"] is True


def test_authorities_are_where_the_credentials_are() -> None:
    for kind, pod in pods(**FULL).items():
        having = {
            name
            for name, container in containers(pod).items()
            if "/authorities" in mounts(container)
        }
        assert having == (set() if kind in ("instance", "inspect") else {"main"})


def test_authorities_in_a_secret_are_one_key_of_it() -> None:
    bundle = {"secret": {"name": "tls"}}
    repository = {"url": "https://example.org/x.git", "caBundle": bundle}
    made = [
        volume["secret"]
        for volume in pods(repository=repository)["prepare"]["volumes"]
        if "secret" in volume
    ]
    items = [{"key": "ca.crt", "path": "ca.crt"}]
    assert made == [{"secretName": "tls", "items": items, "optional": True}]


def test_without_a_secret_no_pod_mounts_one() -> None:
    for pod in pods().values():
        assert not [volume for volume in pod["volumes"] if "secret" in volume]


def test_an_agent_writes_its_own_folder_and_only_reads_the_mirror() -> None:
    agent = mounts(containers(pods()["instance"])["agent"])
    of_claim = {path: m for path, m in agent.items() if m["name"] == "swarm"}
    assert of_claim["/swarm/repo.git"]["readOnly"] is True
    assert of_claim["/swarm/instances/demo-1"]["subPath"] == "instances/demo-1"
    assert set(of_claim) == {"/swarm/repo.git", "/swarm/instances/demo-1"}


def test_a_runner_reads_what_its_agent_sees_and_writes_where_it_cannot() -> None:
    runner = mounts(containers(pods()["instance"])["runner"])
    of_claim = {path: m for path, m in runner.items() if m["name"] == "swarm"}
    assert {path: m["subPath"] for path, m in of_claim.items()} == {
        "/swarm/repo.git": "repo.git",
        "/swarm/instances/demo-1": "instances/demo-1",
        "/swarm/finished/demo-1": "finished/demo-1",
    }
    writable = [path for path, m in of_claim.items() if "readOnly" not in m]
    assert writable == ["/swarm/finished/demo-1"]
    agent = mounts(containers(pods()["instance"])["agent"])
    assert not set(writable) & set(agent), "out of reach of what agents do"


def test_a_job_that_only_looks_cannot_write_to_the_volume() -> None:
    pod = pods()["inspect"]
    assert mounts(containers(pod)["main"])["/swarm"]["readOnly"] is True
    assert set(containers(pod)) == {"main"}, "nothing to run, so no gate"


@pytest.mark.parametrize("kind", ["integrate", "sync"])
def test_a_gate_only_reads_the_mirror_and_has_a_folder_of_its_own(kind: str) -> None:
    gate = containers(pods()[kind])["gate"]
    of_claim = {p: m for p, m in mounts(gate).items() if m["name"] == "swarm"}
    assert set(of_claim) == {"/swarm/repo.git"}
    assert of_claim["/swarm/repo.git"]["readOnly"] is True
    assert [item["name"] for item in gate["env"]] == ["KIRO_SCRATCH"]
    assert gate["restartPolicy"] == "Always"
    paths = {mount.get("subPath") for mount in gate["volumeMounts"]}
    main = containers(pods()[kind])["main"]
    shared = paths & {mount.get("subPath") for mount in main["volumeMounts"]}
    assert shared == {None}, "no scratch folder is shared, only the socket"


def test_whose_image_runs_where() -> None:
    full = pods(**FULL)
    images = {
        (kind, name): (container["image"], container["imagePullPolicy"])
        for kind, pod in full.items()
        for name, container in containers(pod).items()
    }
    ours, theirs = ("ours:1", "Never"), ("theirs:2", "Always")
    assert images == {
        ("instance", "runner"): ours,
        ("instance", "agent"): theirs,
        ("prepare", "main"): ours,
        ("integrate", "main"): ours,
        ("integrate", "gate"): theirs,
        ("sync", "main"): ours,
        ("sync", "gate"): theirs,
        ("inspect", "main"): ours,
    }


def test_a_runner_is_told_the_uid_of_its_pod_and_the_agent_is_not() -> None:
    of_the_pod = {
        name: [item for item in container["env"] if item["name"] == "KIRO_POD_UID"]
        for name, container in containers(pods()["instance"]).items()
    }
    source = {"fieldRef": {"fieldPath": "metadata.uid"}}
    told = [{"name": "KIRO_POD_UID", "valueFrom": source}]
    assert of_the_pod == {"runner": told, "agent": []}


def test_what_a_person_may_ask_for_reaches_the_pod_and_widens_nothing() -> None:
    pod = pods(**FULL)["instance"]
    assert pod["nodeSelector"] == {"disk": "ssd"}
    assert pod["tolerations"] == [{"key": "gpu", "operator": "Exists"}]
    assert pod["runtimeClassName"] == "gvisor"
    assert pod["priorityClassName"] == "low"
    assert pod["schedulerName"] == "other"
    assert pod["imagePullSecrets"] == [{"name": "registry"}]
    assert "affinity" in pod
    plain = pods()["instance"]
    assert not {"affinity", "tolerations", "runtimeClassName"} & set(plain)
    item, spec = swarm(**FULL)
    instance: Any = {**item, "kind": "KiroInstance"}
    labels = instance_pod(item, spec, instance, 0, SETTINGS)["metadata"]["labels"]
    assert labels["team"] == "a"
    assert labels["swarm.kiro.dev/swarm"] == "demo", "ours are not overridden"


def test_a_job_is_tried_once_and_goes_away() -> None:
    item, spec = swarm()
    job = integrate_job(item, spec, 7, SETTINGS)
    assert job["metadata"]["name"] == "demo-integrate-7"
    assert job["spec"]["backoffLimit"] == 0
    assert job["spec"]["ttlSecondsAfterFinished"] > 0
    assert job["metadata"]["ownerReferences"][0]["uid"] == "swarm-uid"


def test_what_the_jobs_of_a_sentence_are_told() -> None:
    item, spec = swarm()
    look = inspect_job(item, spec, "log", TASK, "say-1", UID, SETTINGS)
    assert look["metadata"]["name"] == "demo-inspect-0b5e7f1a"
    assert look["metadata"]["labels"]["swarm.kiro.dev/component"] == "inspect"
    assert 0 < look["spec"]["activeDeadlineSeconds"] <= 600
    assert 0 < look["spec"]["ttlSecondsAfterFinished"] <= 600
    main = containers(look["spec"]["template"]["spec"])["main"]
    assert main["resources"]["limits"] == {"memory": "1Gi"}
    said = containers(look["spec"]["template"]["spec"])["main"]["args"]
    assert said == [
        *("inspect", "log", "--task=demo.1.1", "--command=say-1"),
        f"--command-uid={UID}",
    ]
    sync = sync_job(item, spec, None, UID, SETTINGS)
    assert sync["metadata"]["name"] == "demo-sync-0b5e7f1a"
    said = containers(sync["spec"]["template"]["spec"])["main"]["args"]
    assert said == ["sync", f"--command-uid={UID}"]
    assert containers(pods()["sync"])["main"]["args"][-1] == "--branch=feature/x"


@pytest.mark.parametrize(
    ("tasks", "told"),
    [({"specPath": "shop"}, "shop"), ({"inline": "- [ ] 1. x"}, None)],
)
def test_a_runner_is_told_which_task_file_is_the_swarm_s(
    tasks: Object, told: Any
) -> None:
    settings = WorkSettings.model_validate_json(runner_config(*swarm(tasks=tasks)))
    assert settings.spec_path == told


@pytest.mark.parametrize("largest", [None, "0", "50M"])
def test_a_runner_is_told_the_largest_file(largest: Any) -> None:
    changed = {} if largest is None else {"maxFileSize": largest}
    wanted = swarm(integration=changed)
    settings = WorkSettings.model_validate_json(runner_config(*wanted))
    assert settings.max_file_size == largest
    # A runner holds its next task to it: its pod is made anew when it is idle.
    same = template_hash(*wanted) == template_hash(*swarm())
    assert same == (largest is None)


def test_a_runner_is_told_which_agent_it_is() -> None:
    template = {"agent": {"command": ["x"], "profile": "Aider"}}
    settings = WorkSettings.model_validate_json(
        runner_config(*swarm(template=template))
    )
    assert settings.agent.profile == "Aider"


def test_an_upgrade_does_not_replace_the_pods_of_a_swarm() -> None:
    """The hashes of release 6cb2b6b: of another one every idle pod would be made anew."""
    full = swarm(template=FULL["template"], verification={"command": ["x"]})
    assert (template_hash(*full), template_hash(*swarm())) == (
        "c395ed52978895b3",
        "bf6912f2d19e20d6",
    )


def test_the_template_hash_follows_what_pods_are_made_of() -> None:
    before = template_hash(*swarm())
    assert before == template_hash(*swarm(instances=9, suspend=True))
    assert before != template_hash(*swarm(verification={"command": ["x"]}))
    assert before != template_hash(*swarm(template=FULL["template"]))


def test_accounts_may_do_no_more_than_their_work() -> None:
    item, spec = swarm(storage={"size": "5Gi", "storageClassName": "fast"})
    made = foundations(item, spec.storage, network_policy=True)
    rules = [
        rule
        for kind, body in made
        if kind is ROLES
        for rule in cast(Role, body)["rules"]
    ]
    allowed = {
        (r, verb) for rule in rules for r in rule["resources"] for verb in rule["verbs"]
    }
    assert not any("*" in pair for pair in allowed)
    assert not any(resource in ("secrets", "pods") for resource, _ in allowed)
    assert ("kirotasks", "patch") not in allowed, "a status alone"
    maps = [
        (rule.get("resourceNames"), rule["verbs"])
        for rule in rules
        if "configmaps" in rule["resources"]
    ]
    ledger = [f"demo-ledger-{number}" for number in range(1, 257)]
    assert maps == [
        (["demo-graph"], ["patch"]),
        (ledger, ["get", "patch"]),
        (None, ["create"]),
    ]
    (claim,) = (cast(PersistentVolumeClaim, b) for kind, b in made if kind is CLAIMS)
    assert claim["spec"]["storageClassName"] == "fast"
    assert all(
        b["metadata"]["ownerReferences"][0]["uid"] == "swarm-uid" for _, b in made
    )
    without = foundations(item, spec.storage, network_policy=False)
    assert {b["kind"] for _, b in made} - {b["kind"] for _, b in without} == {
        "NetworkPolicy"
    }


def test_a_spec_of_another_version_is_no_spec() -> None:
    item, spec = swarm()
    assert spec_of(item) == spec
    item["spec"] = {"fieldOfTomorrow": 1}
    assert spec_of(item) is None
