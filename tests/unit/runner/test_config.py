"""A runner that is told nonsense says which variable, and which field of it."""

from __future__ import annotations

import json

import pytest

from kiro_swarm.runner.config import ConfigError, RunnerConfig
from kiro_swarm.runner.ports import Identity

SETTINGS = {
    "agent": {"command": ["agent"]},
    "integrationBranch": "swarm/demo/integration",
}
ENV = {
    "KIRO_SWARM": "demo",
    "KIRO_INSTANCE": "demo-1",
    "KIRO_NAMESPACE": "default",
    "KIRO_CONFIG": json.dumps(SETTINGS),
}


def test_defaults_are_those_of_the_api() -> None:
    config = RunnerConfig.from_env(ENV)
    assert (config.swarm, config.instance, config.namespace) == (
        "demo",
        "demo-1",
        "default",
    )
    assert config.settings.verification is None
    assert config.settings.heartbeat_seconds == 10


def test_a_runner_knows_its_pod_unless_an_older_release_made_that() -> None:
    config = RunnerConfig.from_env({**ENV, "KIRO_POD_UID": "pod-uid"})
    assert config.identity == Identity("demo-1", "pod-uid")
    assert RunnerConfig.from_env(ENV).identity == Identity("demo-1", "")


@pytest.mark.parametrize("name", sorted(ENV))
def test_a_missing_variable_is_named(name: str) -> None:
    env = {key: value for key, value in ENV.items() if key != name}
    with pytest.raises(ConfigError, match=f"^{name} is not set"):
        RunnerConfig.from_env(env)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("{", "KIRO_CONFIG: it: Invalid JSON"),
        ("{}", "KIRO_CONFIG: agent: Field required"),
        (json.dumps({**SETTINGS, "agent": {}}), "KIRO_CONFIG: agent.command: Field"),
        (json.dumps({**SETTINGS, "agnt": 1}), "KIRO_CONFIG: agnt: Extra inputs"),
        (
            json.dumps({**SETTINGS, "heartbeatSeconds": 0}),
            "KIRO_CONFIG: heartbeatSeconds: Input should be greater",
        ),
        (
            json.dumps({**SETTINGS, "heartbeatSeconds": 601}),
            "KIRO_CONFIG: heartbeatSeconds: Input should be less",
        ),
        ("[" * 100_000, "KIRO_CONFIG: it: Invalid JSON: recursion limit"),
    ],
)
def test_a_wrong_setting_is_named(settings: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        RunnerConfig.from_env({**ENV, "KIRO_CONFIG": settings})
