"""When the demo has failed: the state of the cluster and the logs, as far as there are any."""

from __future__ import annotations

from rich.console import Console

from hack.lib.demo import objects
from hack.lib.demo.tools import DemoError, Tools

_LINES = "--tail=40"
_QUESTIONS = (
    ("get", "pods,jobs", "--namespace=kiro-swarm", "--output=wide"),
    ("get", "kiro,pods,jobs", f"--namespace={objects.NAMESPACE}", "--output=wide"),
    (
        "get",
        "events",
        f"--namespace={objects.NAMESPACE}",
        "--field-selector=type=Warning",
        "--sort-by=.lastTimestamp",
    ),
    ("logs", "deployment/kiro-swarm", "--namespace=kiro-swarm", _LINES),
    (
        "logs",
        f"--selector=swarm.kiro.dev/swarm={objects.SWARM}",
        f"--namespace={objects.NAMESPACE}",
        "--all-containers",
        "--prefix",
        _LINES,
    ),
    ("logs", "deployment/git-server", f"--namespace={objects.NAMESPACE}", _LINES),
)


def show(tools: Tools, console: Console) -> None:
    """Print the state of the cluster and the ends of the logs; never raises."""
    if tools.kubeconfig is None:
        return
    for question in _QUESTIONS:
        console.print(f"\n[bold]kubectl {' '.join(question)}[/]", soft_wrap=True)
        try:
            answer = tools.kubectl(*question).rstrip()
        except DemoError as error:
            answer = str(error)
        console.print(answer or "(nothing)", markup=False, soft_wrap=True)
