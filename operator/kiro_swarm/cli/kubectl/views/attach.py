"""``kubectl swarm open INSTANCE``: how to get into an instance. Plain text, to copy from."""

from __future__ import annotations

import shlex
from typing import Optional
from urllib.parse import quote

from kiro_swarm.cli.kubectl.views.grid import Cell, Grid, Lines, Part
from kiro_swarm.cli.kubectl.views.objects import Object, colour_code, items, name, part
from kiro_swarm.cli.kubectl.views.style import swatch
from kiro_swarm.cli.kubectl.views.text import clean

_CONTAINER = "agent"


def tree_path(instance: str) -> str:
    """The worktree of an instance as its own pod sees it."""
    return f"/swarm/instances/{instance}/tree"


def shell_command(instance: Object) -> str:
    """The command that opens a shell in the instance's worktree; '' without a pod."""
    pod = clean(part(instance, "status").get("pod"), 253)
    if not pod:
        return ""
    script = f"cd {shlex.quote(tree_path(name(instance)))} && exec sh"
    where = f"-n {_namespace(instance)} {pod} -c {_CONTAINER}".split()
    return shlex.join(["kubectl", "exec", "-it", *where, "--", "sh", "-c", script])


def ide_address(instance: Object, pod: Object, context: str = "") -> str:
    """The address by which VS Code and what is built on it attach to the worktree."""
    images = [
        clean(part({"c": one}, "c").get("image"), 512)
        for one in items(part(pod, "spec").get("containers"))
        if part({"c": one}, "c").get("name") == _CONTAINER
    ]
    parts = {
        "context": clean(context, 512),
        "podname": clean(part(instance, "status").get("pod"), 253),
        "namespace": _namespace(instance),
        "name": _CONTAINER,
        "image": images[0] if images else "",
    }
    said = "".join(
        f"+{key}={quote(value, safe=':/@')}" for key, value in parts.items() if value
    )
    return f"vscode-remote://k8s-container{said}{tree_path(name(instance))}"


def _namespace(instance: Object) -> str:
    return clean(part(instance, "metadata").get("namespace"), 63) or "default"


def open_text(
    instance: Object, swarm: Object, pod: Optional[Object], *, context: str = ""
) -> Lines:
    """What the instance is, and the ways into its worktree; whole lines, to copy.

    :param pod: its Pod, None when it has none.
    :param context: of the kubeconfig, for the IDE; '' is the current one.
    """
    spec, status = part(instance, "spec"), part(instance, "status")
    own = name(instance)
    task = clean(status.get("task"), 128)
    colour = clean(spec.get("colourName"), 64)
    rows: list[list[Cell]] = [
        ["swarm", name(swarm)],
        ["colour", f"{colour} {colour_code(instance)}".strip()],
        ["phase", clean(status.get("phase"), 32) or "Pending"],
        ["task", task or "none"],
        ["branch", clean(status.get("branch"), 255) or "none"],
        ["worktree", tree_path(own)],
        ["pod", _pod_words(status, pod)],
    ]
    head: list[Part] = [*swatch(colour_code(instance), own)]
    lines: list[Cell] = [head, *Grid(["", ""], rows, indent=2).lines(), ""]
    command = shell_command(instance)
    if not command or pod is None:
        lines.append([("It has no pod now: try again when its phase is Ready.", "")])
        return Lines(lines, whole=True)
    quoted = shlex.quote(ide_address(instance, pod, context))
    lines += [
        "A shell in the worktree:",
        [(f"  {command}", "bold")],
        "",
        "An IDE, with its extensions for Kubernetes and containers:",
        [(f"  code --folder-uri {quoted}", "bold")],
        "",
        [("Changes made there are committed with the instance's task.", "dim")],
    ]
    return Lines(lines, whole=True)


def _pod_words(status: Object, pod: Optional[Object]) -> str:
    own = clean(status.get("pod"), 253)
    if not own or pod is None:
        return "none"
    phase = clean(part(pod, "status").get("phase"), 32)
    node = clean(status.get("node"), 253)
    said = f"{own} {phase}".strip()
    return f"{said} on {node}" if node else said
