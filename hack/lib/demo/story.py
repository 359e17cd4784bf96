"""The demo, from nothing to merged work and down again. hack/demo ends up here.

Guarantees: exit status 0 only when every task is merged or skipped, the branch is pushed
and, for the sample, its tests pass on that branch. Without --keep the cluster is taken
down however the demo ends, by Ctrl-C and SIGTERM too.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import NoReturn, Optional, Sequence

from rich.console import Console
from rich.markup import escape

from hack.lib.demo import closing, objects, options, own, trouble, watch
from hack.lib.demo.clock import Times
from hack.lib.demo.options import Options
from hack.lib.demo.tools import ROOT, DemoError, Tools

RELEASE = "kiro-swarm"
CHART = ROOT / "helm" / "kiro-swarm"


def main(arguments: Sequence[str]) -> int:
    """Runs the demo; returns the exit status."""
    chosen = options.parse(arguments)
    console = Console(highlight=False)
    signal.signal(signal.SIGTERM, _interrupt)
    tools = Tools(chosen.name)
    times = Times(console, _began())
    times.add("Environment", time.time() - _began())
    try:
        # Before anything is made: what is not there needs no cluster, and takes none down.
        copy = None if chosen.repo is None else own.bundle(chosen.repo, chosen.spec)
    except DemoError as error:
        _say(error, console)
        return 1
    except KeyboardInterrupt:
        console.print("\nstopped")
        return 130
    status = 1
    try:
        _play(chosen, copy, tools, times)
        status = 0
    except DemoError as error:
        _say(error, console)
        trouble.show(tools, console)
    except KeyboardInterrupt:
        console.print("\nstopped")
        status = 130
    finally:
        # A second Ctrl-C must not leave half a cluster; the children ignore it as well.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if not chosen.keep:
            status = _down(tools, times) or status
    if status == 0:
        times.show()
    if chosen.keep:
        closing.say_what_to_try(chosen, console, worked=status == 0)
    return status


def _say(error: DemoError, console: Console) -> None:
    console.print(f"\n[bold red]hack/demo:[/] {escape(str(error))}", soft_wrap=True)


def _play(
    chosen: Options, copy: Optional[own.Copy], tools: Tools, times: Times
) -> None:
    with times.step("Cluster"):
        tools.hack("cluster", "up", "--name", chosen.name)
        tools.kubeconfig = _kubeconfig(tools)
    with times.step("Image"):
        load = ("load", "--cluster", chosen.name, "--output", "json")
        image = json.loads(tools.hack("image", *load))
    with times.step("Chart", "the four kinds, the operator, until it is ready"):
        _install(tools, image["tag"], image["id"])
    with times.step("Git server", "a pod with the repository, until it answers"):
        _say_what_goes(tools, times)
        _start_git_server(tools, image["tag"], sample=copy is None)
        if copy is not None:
            own.hand_over(tools, copy.content)
    with times.step("Swarm"):
        tools.apply([objects.swarm(chosen, copy.branch if copy else "main")])
        end = watch.until_done(tools, patient=not chosen.scripted)
    closing.show(tools, times.console, end, sample=copy is None)
    times.worked(end)


def _install(tools: Tools, image: str, image_id: str) -> None:
    """Install the chart, or update what an earlier demo has left standing."""
    repository, _, tag = image.rpartition(":")
    # Helm installs these once and never updates them.
    definitions = str(CHART / "crds")
    tools.kubectl("apply", "--server-side", "--force-conflicts", "-f", definitions)
    values = {
        "image": {"repository": repository, "tag": tag},
        "operator": {"repositorySchemes": ["https", "ssh", "http"]},
        # The tag stays the same when our code changes; this makes it a new pod.
        "podAnnotations": {"kiro-swarm/image": image_id},
    }
    settings = [
        f"--set-json={key}={json.dumps(value)}" for key, value in values.items()
    ]
    place = f"--namespace={RELEASE}"
    wait = ("--wait", "--timeout=3m")
    if tools.helm("list", place, "--pending", "--failed", "--short").strip():
        # A demo that was stopped in the middle of it: helm never touches such a release.
        tools.helm("uninstall", RELEASE, place, *wait)
    release = ("upgrade", "--install", "--create-namespace", RELEASE, str(CHART))
    tools.helm(*release, place, *wait, *settings)


def _say_what_goes(tools: Tools, times: Times) -> None:
    """An earlier demo that was kept may have work in it that somebody wants."""
    name = objects.NAMESPACE
    if tools.kubectl("get", "namespace", name, "--ignore-not-found").strip():
        times.console.print(
            f"deleting the namespace {name} of an earlier demo, with its swarm and its "
            "git server; --name makes a cluster beside it",
            soft_wrap=True,
        )


def _start_git_server(tools: Tools, image: str, sample: bool) -> None:
    """A fresh namespace with a git server in it."""
    name = objects.NAMESPACE
    tools.kubectl("delete", "namespace", name, "--ignore-not-found", "--timeout=3m")
    tools.apply([objects.namespace()])
    project = objects.SAMPLE if sample else None
    tools.apply(objects.git_server(image, project))
    place = (f"--namespace={name}", "--timeout=2m")
    tools.kubectl("rollout", "status", "deployment/git-server", *place)


def _down(tools: Tools, times: Times) -> int:
    try:
        with times.step("Down"):
            tools.hack("cluster", "down", "--name", tools.cluster)
    except DemoError as error:
        print(f"hack/demo: {error}", file=sys.stderr)
        return 1
    return 0


def _kubeconfig(tools: Tools) -> str:
    return tools.hack("cluster", "kubeconfig", "--name", tools.cluster).strip()


def _began() -> float:
    """When the user typed the command."""
    return float(os.environ.get(options.BEGAN) or time.time())


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
