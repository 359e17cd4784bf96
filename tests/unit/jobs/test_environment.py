"""What a Job is told and its termination message, which the kubelet cuts at 4096 bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.api.repository import Repository
from kiro_swarm.jobs.environment import JobEnvironment, bounded
from kiro_swarm.workspace.credentials import Credentials


@given(
    st.text(max_size=6000),
    st.lists(st.text(max_size=900), max_size=30),
    st.text(max_size=300),
)
def test_a_termination_message_always_fits_and_always_is_json(
    message: str, diagnostics: list[str], reason: str
) -> None:
    text = bounded({"message": message, "diagnostics": diagnostics, "reason": reason})
    assert len(text.encode()) <= 4000
    said = json.loads(text)
    assert said["reason"] == reason
    assert message.startswith(said["message"])
    assert diagnostics[: len(said["diagnostics"])] == said["diagnostics"]


def test_short_words_are_left_as_they_are() -> None:
    answer = {"reason": "X", "message": "m", "tasks": 3}
    assert json.loads(bounded(answer)) == answer


def test_what_cannot_be_cut_is_a_defect_of_ours() -> None:
    with pytest.raises(ValueError, match="too long"):
        bounded({"head": "x" * 5000, "message": "m", "diagnostics": ["d"]})


def test_a_job_is_told_by_its_environment(tmp_path: Path) -> None:
    names = ("KIRO_SWARM", "KIRO_NAMESPACE", "KIRO_SWARM_UID")
    env = JobEnvironment.from_env(dict(zip(names, "abc")))
    assert (env.swarm, env.namespace, env.uid) == ("a", "b", "c")
    assert env.mirror == Path("/swarm/repo.git")
    assert not env.evicted
    more = {"KIRO_EVICTED": "true"}
    assert JobEnvironment.from_env({**dict(zip(names, "abc")), **more}).evicted
    url = {"url": "https://git.example/a.git"}
    assert env.credentials(Repository.model_validate(url)) == Credentials(None)
    whole: dict[str, object] = {
        **url,
        "credentialsSecret": {"name": "git"},
        "caBundle": {"configMap": {"name": "ours"}},
        "proxy": "http://proxy:3128",
    }
    assert env.credentials(Repository.model_validate(whole)) == Credentials(
        Path("/credentials"), Path("/authorities/ca.crt"), "http://proxy:3128"
    )
    with pytest.raises(KeyError, match="KIRO_SWARM_UID"):
        JobEnvironment.from_env({"KIRO_SWARM": "a", "KIRO_NAMESPACE": "b"})
    told = JobEnvironment("a", "b", "c", termination_message=tmp_path / "words")
    told.report({"message": "é"})
    assert json.loads(told.termination_message.read_text()) == {"message": "é"}
