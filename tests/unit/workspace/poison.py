"""What a hostile agent plants in its repository to have code run by somebody else."""

from __future__ import annotations

import os
from pathlib import Path

from kiro_swarm.workspace.instance import Instance

_HOOKS = (
    *("pre-commit", "commit-msg", "post-commit", "post-checkout", "post-merge"),
    *("post-index-change", "reference-transaction", "pre-push", "pre-receive"),
    *("prepare-commit-msg", "post-rewrite", "pre-auto-gc", "update", "post-update"),
)


class Canary:
    """A program that leaves a file behind when anybody runs it."""

    def __init__(self, folder: Path) -> None:
        self.traces = folder / "canaries"
        self.traces.mkdir()
        self.program = folder / "canary"
        self.program.write_text(f'#!/bin/sh\ntouch "{self.traces}/$1-$$"\ncat\n')
        self.program.chmod(0o755)

    def call(self, name: str) -> str:
        return f"{self.program} {name}"

    def sung(self) -> list[str]:
        return sorted(os.listdir(self.traces))


def poison(instance: Instance, canary: Canary) -> None:
    """Plant every vector known to us in the instance's repository and worktree."""
    call = canary.call
    included = instance.folder / "included"
    included.write_text(f"[core]\n\tfsmonitor = {call('included')}\n")
    config = f"""
[include]
\tpath = {included}
[core]
\tfsmonitor = {call('fsmonitor')}
\thooksPath = {instance.repository}/hooks
\tattributesFile = {instance.repository}/info/attributes
\tsshCommand = {call('ssh')}
\tgitProxy = {call('proxy')}
\teditor = {call('editor')}
\tpager = {call('pager')}
\taskPass = {call('askpass')}
\talternateRefsCommand = {call('alternates')}
[filter "evil"]
\tclean = {call('clean')}
\tsmudge = {call('smudge')}
\tprocess = {call('process')}
\trequired = true
[merge "evil"]
\tdriver = {call('merge')}
[diff]
\texternal = {call('diff')}
[diff "evil"]
\tcommand = {call('diffdriver')}
\ttextconv = {call('textconv')}
[uploadpack]
\tpackObjectsHook = {call('packobjects')}
[gpg]
\tprogram = {call('gpg')}
[commit]
\tgpgSign = true
[credential]
\thelper = "!{call('credential')}"
[extensions]
\tpartialClone = evil
[remote "evil"]
\turl = "ext::{call('ext')}"
\tpromisor = true
\tuploadpack = {call('uploadpack')}
[protocol]
\tallow = always
[alias]
\tstatus = "!{call('alias')}"
"""
    with open(instance.repository / "config", "a") as target:
        target.write(config)
    for place in (instance.repository, instance.admin):
        (place / "hooks").mkdir(exist_ok=True)
        (place / "info").mkdir(exist_ok=True)
        (place / "info/attributes").write_text("* filter=evil merge=evil diff=evil\n")
        for hook in _HOOKS:
            (place / "hooks" / hook).write_text(f"#!/bin/sh\n{call(hook)}\n")
            (place / "hooks" / hook).chmod(0o755)
    (instance.tree / ".gitattributes").write_text(
        "* filter=evil merge=evil diff=evil\n"
    )
