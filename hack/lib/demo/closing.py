"""The end of the demo: what was merged, that it works, and what to try next."""

from __future__ import annotations

from typing import List, Tuple

from rich.console import Console
from rich.text import Text

from hack.lib.demo import objects
from hack.lib.demo.options import Options
from hack.lib.demo.tools import DemoError, Tools
from hack.lib.demo.watch import Seen

_REPOSITORY = f"/srv/git/{objects.REPOSITORY}.git"
_PLACE = f"--namespace={objects.NAMESPACE}"
_CHECK = """
rm -rf /tmp/check
git clone --quiet --branch "$0" --single-branch "$1" /tmp/check
cd /tmp/check
shift
exec "$@" 2>&1
"""


def show(tools: Tools, console: Console, end: Seen, sample: bool) -> None:
    """The merged history, the setbacks, the tests of the sample, ``kubectl get kiro``.

    Raises DemoError when the sample's tests fail on the pushed branch.
    """
    console.print(f"\n[bold]The branch {end.branch} as it was pushed[/]")
    colour = "--color=always" if console.is_terminal else "--color=never"
    form = "--format=%C(auto)%h%d %s"
    log = ("git", "-C", _REPOSITORY, "log", "--graph", colour, form, end.branch)
    _print(console, _in_server(tools, *log))
    for setback in end.setbacks():
        _print(console, setback)
    if sample:
        _print_tests(tools, console, end.branch)
    console.print("\n[bold]kubectl get kiro[/]")
    _print(console, tools.kubectl("get", "kiro", _PLACE))


def _print_tests(tools: Tools, console: Console, branch: str) -> None:
    command = objects.SAMPLE_TESTS[:-1]
    console.print(f"\n[bold]{' '.join(command)}[/], on that branch")
    try:
        check = ("sh", "-euc", _CHECK, branch, _REPOSITORY, *command)
        _print(console, _in_server(tools, *check))
    except DemoError as error:
        raise DemoError(f"the tests fail on the merged work: {error}") from error


def _in_server(tools: Tools, *command: str) -> str:
    return tools.kubectl("exec", _PLACE, "deployment/git-server", "--", *command)


def _print(console: Console, text: str) -> None:
    """Output of a program: its own colours kept, nothing taken for markup, no wrapping."""
    console.print(Text.from_ansi(text.rstrip()), soft_wrap=True)


def say_what_to_try(chosen: Options, console: Console, worked: bool) -> None:
    """How to go on with a cluster that was left running, and how to end it."""
    lines = ["", "Everything is left running. To use it:", "", *_setup(chosen)]
    if worked:
        for what, command in _commands(sample=chosen.repo is None):
            lines += ["", f"    # {what}", f"    {command}"]
    lines += ["", f"To end it: hack/cluster down --name {chosen.name}"]
    for each in lines:
        console.print(each, markup=False, soft_wrap=True)


def _setup(chosen: Options) -> List[str]:
    return [
        f"    export KUBECONFIG=$(hack/cluster kubeconfig --name {chosen.name})",
        '    export PATH=$PATH:$PWD/.venv/bin:$(dirname "$(hack/cluster bin kubectl)")',
        f"    kubectl config set-context --current --namespace {objects.NAMESPACE}",
    ]


def _commands(sample: bool) -> List[Tuple[str, str]]:
    """What each command is for, and the command."""
    failed, left_out = ("2.2", "3.5") if sample else ("ID", "ID")
    return [
        ("everything at a glance", "kubectl get kiro"),
        ("who did what when", "kubectl swarm timeline"),
        ("a task, and what it changed", f"kubectl swarm diff {failed}"),
        (
            "a sentence to the swarm: do what was skipped as optional",
            f"kubectl swarm run task {left_out}",
        ),
        ("watch it live", "kubectl swarm watch"),
        ("more instances", "kubectl swarm scale up instances 2"),
        (
            "who changed what, and whether anybody has altered the record",
            "kubectl swarm audit --verify",
        ),
        ("what else you can say", "kubectl swarm help"),
    ]
