"""`kubectl swarm open INSTANCE`: how to get into an instance. Plain text, to copy from."""

from __future__ import annotations

import shlex
from typing import Optional

from kiro_swarm.cli.kubectl.views.grid import Cell, Grid, Lines, Part
from kiro_swarm.cli.kubectl.views.objects import Object, colour_code, name, part
from kiro_swarm.cli.kubectl.views.style import swatch
from kiro_swarm.cli.kubectl.views.text import clean

_CONTAINER = "agent"


def tree_path(instance: str) -> str:
    """The worktree of an instance as its own pod sees it."""
    return f"/swarm/instances/{instance}/tree"


def shell_command(instance: Object) -> str:
    """The command that opens a shell in the instance's worktree; '' without a pod."""
    pod = clean(part(instance, "status").get("pod"), 253)
    space = clean(part(instance, "metadata").get("namespace"), 63) or "default"
    if not pod:
        return ""
    script = f"cd {shlex.quote(tree_path(name(instance)))} && exec sh"
    return shlex.join(
        ["kubectl", "exec", "-it", "-n", space, pod, "-c", _CONTAINER, "--", "sh", "-c"]
        + [script]
    )


def open_text(instance: Object, swarm: Object, pod: Optional[Object]) -> Lines:
    """What the instance is, and the ways into its worktree; whole lines, to copy."""
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
    lines += [
        "A shell in the worktree:",
        [(f"  {command}", "bold")],
        "",
        "An IDE: with a Kubernetes extension choose Attach to container",
        f"  pod {clean(status.get('pod'), 253)}, container {_CONTAINER}, "
        f"folder {tree_path(own)}",
        "",
        [("What you change there the task commits as its own.", "dim")],
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
