"""``kubectl_complete-swarm``: candidates as cobra reads them, live names from kubectl."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiro_swarm.cli.kubectl.complete import OPTIONS, OUTPUTS, main
from kiro_swarm.cli.kubectl.main import command_of
from kiro_swarm.cli.kubectl.names import Name, ask_names, read_names
from kiro_swarm.cli.kubectl.route import VIEWS
from kiro_swarm.cli.kubectl.spoken import VALUED

OPERATOR = Path(__file__).resolve().parents[4] / "operator"
ROWS = """\
KiroSwarm\tdemo\t\t\tRunning\t
KiroSwarm\tshop\t\t\tRunning\t
KiroTask\tdemo.2.1\tdemo\t2.1\tBlocked\tRead a ledger
KiroTask\tdemo.2.2\tdemo\t2.2\tReady\tWrite \x1b]0;owned\x07 it
KiroTask\tshop.7\tshop\t7\tReady\tSell
KiroTask\tevil\tdemo\t; rm -rf /\tReady\tHostile
KiroInstance\tdemo-1\tdemo\t\tReady\t
SwarmCommand\tsay-x\tdemo\t\tRunning\t
"""


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kubectl that answers with the rows, and writes down what it was asked."""
    asked = tmp_path / "asked"
    (tmp_path / "rows").write_text(ROWS)
    script = tmp_path / "kubectl"
    script.write_text(
        "#!/bin/sh\n"
        f"printf '%s\\n' \"$*\" >> {asked}\n"
        'case "$*" in\n'
        "*namespaces*) echo team; echo test;;\n"
        "*get-contexts*) echo here; echo there;;\n"
        f"*) cat {tmp_path}/rows;;\n"
        "esac\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    # A busy machine must not decide about names here: see the test of late ones.
    monkeypatch.setenv("KUBECTL_SWARM_COMPLETION_SECONDS", "20")
    return asked


def complete(*words: str) -> tuple[list[str], str]:
    """The candidates without their help, and the directive."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 0
    *lines, directive = out.getvalue().splitlines()
    return [line.partition("\t")[0] for line in lines], directive


@pytest.mark.usefixtures("kubectl")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["sc"], {"scale"}),
        (["scale", ""], {"instances", "up", "down", "swarm"}),
        (["ru"], {"run"}),
        (["run", "task", ""], {"2.1", "2.2", "7"}),
        (["run", "task", "2"], {"2.1", "2.2"}),
        (["demo", "run", "task", ""], {"2.1", "2.2"}),
        (["--swarm", "shop", "run", "task", ""], {"7"}),
        (["shop", "--", "run", "task", ""], {"7"}),
        (["run", "task", "2.1", ""], {"beast-mode"}),
        (["stop", "instance", ""], {"demo-1"}),
        (["cancel", "command", ""], {"say-x"}),
        (["dem"], {"demo"}),
        (["--swarm", ""], {"demo", "shop"}),
        (["demo", "wat"], {"watch"}),
        (["get", "inst"], {"instances", "instance"}),
        (["logs", ""], {"2.1", "2.2", "7", "demo-1", "task"}),
        (["demo", "diff", "2"], {"2.1", "2.2"}),
        (["open", ""], {"demo-1"}),
        (["help", "roll"], {"rollback"}),
        (["help", "wat"], {"watch"}),
        (["-n", "te"], {"team", "test"}),
        (["--context", "t"], {"there"}),
        (["-o", "j"], {"json"}),
        (["graph", "-o", ""], {"mermaid", "dot", "svg"}),
        (["top", "-o", ""], set()),
        (["logs", "2.1", "-c", ""], {"agent", "runner"}),
        (["run", "task", "2.1", "--dr"], {"--dry-run"}),
        (["audit", "--v"], {"--verify"}),
        (["run", "task", "--timeout", ""], set()),
        (["dance", "with", "me"], set()),
    ],
)
def test_what_may_follow_is_offered(words: list[str], offered: set[str]) -> None:
    found, directive = complete(*words)
    assert set(found) == offered
    assert len(found) == len(offered)
    assert directive == ":4"


@pytest.mark.usefixtures("kubectl")
def test_the_first_word_is_a_view_a_verb_or_a_swarm() -> None:
    found, _ = complete("")
    assert {"demo", "shop", "run", "scale", *VIEWS} <= set(found)
    found, _ = complete("demo", "")
    assert {"run", "watch"} <= set(found)
    assert not {"demo", "shop"} & set(found)


@pytest.mark.usefixtures("kubectl")
def test_a_value_follows_its_name_without_a_space_and_files_are_files() -> None:
    found, directive = complete("reject", "task", "2.1", "rea")
    assert (found, directive) == (["reason="], ":6")
    assert complete("--kubeconfig", "") == ([], ":0")


def test_kubectl_is_asked_where_the_user_looks(kubectl: Path) -> None:
    where = ["-n", "team", "--context=x", "--as", "eve"]
    complete(*where, "run", "task", "")
    assert kubectl.read_text().startswith("-n team --context=x --as eve get kiroswarms")


def test_a_hostile_name_or_title_does_not_reach_the_terminal() -> None:
    names = read_names(ROWS.splitlines())
    assert Name("KiroTask", "2.2", "demo", "Ready Write ]0;owned it") in names
    assert "Hostile" not in str(names)
    assert read_names(["", "x", "\t\t\t", "KiroTask\t\x1b[2J\t"]) == []


def test_names_that_are_late_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "kubectl"
    script.write_text("#!/bin/sh\nexec sleep 600\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("KUBECTL_SWARM_COMPLETION_SECONDS", "no number")
    begun = time.monotonic()
    assert complete("run", "task", "") == ([], ":4")
    assert "run" in complete("")[0]
    assert time.monotonic() - begun < 60, "it waits for kubectl"


def test_without_kubectl_there_are_no_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ask_names([]).lines(time.monotonic()) == []
    assert complete("run", "task", "") == ([], ":4")
    assert complete("run", "ta") == (["task"], ":4")


@pytest.mark.usefixtures("kubectl")
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from(["demo", "run", "-n", "--", "get"]) | st.text(), max_size=4
    )
)
def test_no_words_break_it(words: list[str]) -> None:
    words = [word.replace("\x00", "") for word in words]
    words = [word.encode("utf-8", "replace").decode() for word in words]
    assert complete(*words)[1] in (":0", ":4", ":6")


@pytest.mark.parametrize("view", ["", *VIEWS])
def test_the_offered_options_are_those_there_are(view: str) -> None:
    options = [
        item
        for item in command_of(view or None).params
        if isinstance(item, click.Option)
    ]
    shared = {"--namespace", "--swarm", "--context", "--kubeconfig"}
    shared |= {"--as", "--as-group", "--request-timeout"}
    own = {max(item.opts, key=len) for item in options} - shared
    assert own == set(OPTIONS.get(view, ()))
    for item in options:
        if not item.is_flag:
            assert set(item.opts) <= VALUED
        if "--output" in item.opts:
            assert isinstance(item.type, click.Choice)
            assert tuple(item.type.choices) == OUTPUTS[view]


def test_it_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom kiro_swarm.cli.kubectl.complete import main\n"
        "try: main(['run', 'task', ''])\nexcept SystemExit: pass\n"
        "print('modules', *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(OPERATOR)},
        capture_output=True,
        text=True,
        check=True,
    )
    modules = set(done.stdout.splitlines()[-1].split())
    assert "kiro_swarm.commands.completion" in modules
    heavy = {"aiohttp", "asyncio", "click", "kubernetes", "kubernetes_asyncio"}
    assert not modules & (heavy | {"pydantic", "rich", "yaml", "ssl"})
