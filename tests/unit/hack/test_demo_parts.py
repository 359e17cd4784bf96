"""The other parts of hack/demo: arguments, what is applied, programs, one's own repository."""

from __future__ import annotations

import io
import signal
import sys
import tarfile
from pathlib import Path
from typing import List

import pytest
from rich.console import Console

from hack.lib.demo import closing, objects, options, own, story
from hack.lib.demo.clock import Times
from hack.lib.demo.tools import DemoError, Tools, require, run
from hack.lib.demo.watch import NOTHING
from kiro_swarm.api.swarm import KiroSwarmSpec

OWN = ["--repo", ".", "--spec", ".kiro/specs/shop"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--repo", "x"], "--repo and --spec belong together"),
        (["--spec", "x"], "--repo and --spec belong together"),
        (["--instances", "0"], "no number from 1 to 100"),
        (["--instances", "many"], "no number from 1 to 100"),
        (["--agent", ""], "name a program"),
        (["--agent", "say 'hello"], "No closing quotation"),
        (["--fast"], "unrecognized arguments"),
        (["--repo", "/nope", "--spec", "x"], "there is no folder '/nope'"),
        (["--repo", "", "--spec", "x"], "there is no folder ''"),
        (["--repo", ".", "--spec", ""], "--spec is empty"),
        (["--name", "Bad Name"], "--name 'Bad Name' is no cluster name"),
    ],
)
def test_a_wrong_command_line_says_what_is_wrong(
    arguments: List[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as leaving:
        options.parse(arguments)
    assert leaving.value.code == 2
    assert words in capsys.readouterr().err


def test_the_sample_is_worked_on_by_the_scripted_agent_unless_said_otherwise() -> None:
    chosen = options.parse([])
    assert chosen.scripted
    assert (chosen.repo, chosen.instances, chosen.keep) == (None, 3, False)
    other = options.parse(["--agent", "my-agent --task 'a b'"])
    assert other.agent == ("my-agent", "--task", "a b")
    assert not other.scripted


@pytest.mark.parametrize("arguments", [[], OWN])
def test_the_swarm_of_the_demo_is_a_valid_one(arguments: List[str]) -> None:
    chosen = options.parse(arguments)
    body = objects.swarm(chosen, "main")
    spec = KiroSwarmSpec.model_validate(body["spec"])
    assert spec.integration.push == "OnComplete"
    # What is right for the sample is unknown for a repository of one's own.
    assert bool(spec.verification) == bool(spec.integration.gates) == (not arguments)


def test_the_namespace_refuses_pods_that_are_not_restricted() -> None:
    labels = objects.namespace()["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_the_git_server_runs_from_the_image_that_was_loaded() -> None:
    made = objects.git_server("kiro-swarm:test", objects.SAMPLE)
    assert [item["kind"] for item in made] == [
        "ConfigMap",
        "ConfigMap",
        "Deployment",
        "Service",
    ]
    pod = made[2]["spec"]["template"]["spec"]
    images = {item["image"] for item in pod["initContainers"] + pod["containers"]}
    assert images == {"kiro-swarm:test"}
    assert {item["metadata"]["namespace"] for item in made} == {objects.NAMESPACE}
    assert len(objects.git_server("kiro-swarm:test", None)) == 3


def test_the_packed_sample_has_no_names_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "x.pyc").touch()
    (tmp_path / ".kiro").mkdir()
    (tmp_path / ".kiro" / "tasks.md").write_text("- [ ] 1. A\n", encoding="utf-8")
    packed = io.BytesIO(objects.pack(tmp_path))
    with tarfile.open(fileobj=packed) as archive:
        members = archive.getmembers()
    assert [member.name for member in members] == [".kiro", ".kiro/tasks.md"]
    assert {(member.uid, member.uname) for member in members} == {(0, "")}


def test_a_program_that_fails_is_named_with_its_words() -> None:
    script = "import sys; sys.exit('the disk is full')"
    with pytest.raises(DemoError, match="exited with 1:\nthe disk is full"):
        run([sys.executable, "-c", script])


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(DemoError, match="cannot start no-such-program"):
        run(["no-such-program"])
    with pytest.raises(DemoError, match="no-such-program is not installed"):
        require("no-such-program")


def test_a_program_gets_what_it_is_given() -> None:
    script = "import sys; print(sys.stdin.read()[::-1])"
    assert run([sys.executable, "-c", script], given=b"abc") == "cba\n"


def test_kubectl_before_the_cluster_is_a_clear_error() -> None:
    with pytest.raises(DemoError, match="before the cluster was up"):
        Tools("nowhere").kubectl("get", "pods")


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=test", "-c", "user.email=test@example.com")
    run(["git", *who, "-C", str(folder), *arguments])


def mine(folder: Path) -> None:
    """A repository with a spec named shop."""
    run(["git", "init", "-q", "-b", "trunk", str(folder)])
    (folder / ".kiro" / "specs" / "shop").mkdir(parents=True)
    (folder / ".kiro" / "specs" / "shop" / "tasks.md").write_text("- [ ] 1. A\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "Begin")


def test_a_repository_of_ones_own_is_copied_with_its_default_branch(
    tmp_path: Path,
) -> None:
    mine(tmp_path / "mine")
    copy = own.bundle(str(tmp_path / "mine"), "shop")
    assert copy.branch == "trunk"
    (tmp_path / "bundle").write_bytes(copy.content)
    heads = run(["git", "bundle", "list-heads", str(tmp_path / "bundle")])
    assert "refs/heads/trunk" in heads


def test_a_repository_without_commits_is_refused(tmp_path: Path) -> None:
    run(["git", "init", "-q", "-b", "main", str(tmp_path / "mine")])
    with pytest.raises(DemoError, match="no commit on its branch main"):
        own.bundle(str(tmp_path / "mine"), "shop")


@pytest.mark.parametrize("address", ["/no/such/folder", "--upload-pack=touch pwned"])
def test_an_address_that_is_none_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="git clone"):
        own.bundle(address, "shop")


SPECS = ["cart", ".kiro/specs/shop/task.md", "../shop", "/etc", ".kiro/specs/folder.md"]


@pytest.mark.parametrize("spec", SPECS)
def test_a_spec_that_is_not_there_is_refused(spec: str, tmp_path: Path) -> None:
    mine(tmp_path / "mine")
    with pytest.raises(DemoError, match=f"--spec {spec}, on the branch trunk of "):
        own.bundle(str(tmp_path / "mine"), spec)


@pytest.mark.parametrize(
    ("folder", "spec", "words"),
    [("empty", "shop", "git clone"), ("mine", "cart", "--spec cart")],
)
def test_what_is_not_there_makes_and_takes_down_nothing(
    folder: str,
    spec: str,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "empty").mkdir()
    mine(tmp_path / "mine")
    done: List[str] = []
    monkeypatch.setattr(Tools, "hack", lambda _, *words: done.append(" ".join(words)))
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert story.main(["--repo", str(tmp_path / folder), "--spec", spec]) == 1
    said = capsys.readouterr()
    assert words in said.out
    assert done == []
    assert "cluster" not in said.out + said.err


@pytest.mark.parametrize("worked", [True, False])
def test_what_is_left_standing_can_be_used_and_ended(worked: bool) -> None:
    console = Console(file=io.StringIO(), width=40)
    with console.capture() as capture:
        closing.say_what_to_try(options.parse(["--name", "mine"]), console, worked)
    text = capture.get()
    assert "hack/cluster down --name mine" in text
    assert ("run task 3.5" in text) is worked


def test_times_are_told_with_what_the_swarm_measured() -> None:
    console = Console(file=io.StringIO(), width=100)
    with console.capture() as capture:
        times = Times(console, 0.0)
        with times.step("Image"):
            pass
        times.add("Cluster", 12.34)
        times.worked(NOTHING)
        times.show()
    text = capture.get()
    assert "12.3 s" in text
    assert "0 tasks in 0.0 s" in text
