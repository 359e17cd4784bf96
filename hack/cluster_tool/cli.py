"""The command line of hack/cluster: arguments in, the right provider called, answers out.

Answers go to stdout, talk goes to stderr. Exit codes: 0 done, 1 it cannot be done (the
message says why and what to do), 2 the command line is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Callable, List, Optional, Tuple

from hack.cluster_tool import build, layout, records
from hack.cluster_tool.choose import choose, provider_named
from hack.cluster_tool.errors import ClusterError
from hack.cluster_tool.plan import chosen_components
from hack.cluster_tool.progress import Progress
from hack.cluster_tool.provider import Provider, Status, Wish
from hack.cluster_tool.records import Record

_LAST_LINES = 20
_DESCRIPTION = """\
A Kubernetes cluster on any machine. The provider is chosen by itself: kind where Docker
answers, else `local`, which builds Kubernetes from Go modules and needs Linux and root.
"""
_EPILOG = """\
environment: KIRO_SWARM_CACHE (default ~/.cache) holds what was built; GOPROXY names the Go
module proxy; KIRO_SWARM_YES=1 and CI=true mean --yes.
"""


def main(arguments: Optional[List[str]] = None) -> int:
    """Runs one command."""
    chosen = _parser().parse_args(arguments)
    progress = Progress()
    try:
        layout.checked_name(chosen.name)
        code: int = chosen.run(chosen, progress)
    except ClusterError as error:
        print(f"hack/cluster: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hack/cluster",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--name", default=layout.DEFAULT_NAME, help="which cluster")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(
        name: str, run: Callable[[argparse.Namespace, Progress], int], text: str
    ) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, parents=[common])
        command.set_defaults(run=run)
        return command

    _add_up_options(add("up", _up, "bring the cluster up, ready to use"))
    add("down", _down, "take it down and remove everything of it")
    add("reset", _reset, "empty it; loaded images stay")
    status = add("status", _status, "say how it is; exit code 1 unless it is ready")
    status.add_argument("--output", choices=("text", "json"), default="text")
    status.add_argument("--all", action="store_true", help="of every cluster")
    kubeconfig = add("kubeconfig", _kubeconfig, "print the path of its kubeconfig")
    kubeconfig.add_argument("--print", action="store_true", help="the content instead")
    load = add("load", _load, "give its nodes the images of an archive")
    load.add_argument("image", type=Path, help="a docker-archive or OCI archive (.tar)")
    logs = add("logs", _logs, "print logs of components, by default the last lines")
    logs.add_argument("component", nargs="?", help="all lines of this one")
    logs.add_argument("-f", "--follow", action="store_true", help="wait for more")
    kill = add("kill", _kill, "let a component crash; it is restarted")
    kill.add_argument("component")
    kill.add_argument("--signal", default="KILL", help="such as TERM or STOP")
    add("stop", _stop, "stop a component").add_argument("component")
    add("start", _start, "start it again").add_argument("component")
    building = add("build", _build, "build programs without starting anything")
    building.add_argument("program", nargs="*", help="default: what a cluster needs")
    which = add("bin", _bin, "print the path of kubectl, helm, ...; build if needed")
    which.add_argument("program")
    return parser


def _add_up_options(up: argparse.ArgumentParser) -> None:
    up.add_argument("--provider", choices=("existing", "kind", "local"))
    up.add_argument("--context", help="existing: the kubeconfig context to use")
    up.add_argument("--audit", action="store_true", help="keep an audit log")
    up.add_argument(
        "--control-plane-only",
        action="store_true",
        help="etcd and API server, no node: ready in seconds (local provider)",
    )
    up.add_argument(
        "--components",
        default="",
        metavar="NAME,...",
        help="add controller-manager, scheduler, kwok",
    )
    up.add_argument("--kwok", action="store_true", help="simulate annotated nodes")
    up.add_argument("--yes", action="store_true", help="install missing packages")


def _up(chosen: argparse.Namespace, progress: Progress) -> int:
    more = [name for name in chosen.components.split(",") if name]
    more += ["kwok"] if chosen.kwok else []
    wish = Wish(
        name=chosen.name,
        components=chosen_components(chosen.control_plane_only, more),
        audit=chosen.audit,
        context=chosen.context,
        install=chosen.yes or _said_yes(),
    )
    with records.locked(chosen.name):
        provider = choose(chosen.provider, wish, progress)
        record = provider.up(wish)
    status = provider.status(record)
    progress.say(f"{record.name} is ready at {status.server} ({record.provider}).")
    progress.say(f"  export KUBECONFIG={record.kubeconfig}")
    return 0


def _said_yes() -> bool:
    return any(
        os.environ.get(name, "").lower() in ("1", "true")
        for name in ("CI", "KIRO_SWARM_YES")
    )


def _down(chosen: argparse.Namespace, progress: Progress) -> int:
    with records.locked(chosen.name):
        record = records.load(chosen.name)
        if record is None:
            progress.say(f"There is no cluster {chosen.name}.")
            return 0
        provider_named(record.provider, progress).down(record)
    return 0


def _reset(chosen: argparse.Namespace, progress: Progress) -> int:
    with records.locked(chosen.name):
        record = _existing(chosen.name)
        provider_named(record.provider, progress).reset(record)
    return 0


def _status(chosen: argparse.Namespace, progress: Progress) -> int:
    found = records.all_records() if chosen.all else [_existing(chosen.name)]
    statuses = [provider_named(each.provider, progress).status(each) for each in found]
    if chosen.output == "json":
        whole = [status.as_json() for status in statuses]
        print(json.dumps(whole if chosen.all else whole[0], indent=2))
    else:
        for status in statuses:
            _print_status(status)
    return 0 if all(status.ready for status in statuses) else 1


def _print_status(status: Status) -> None:
    word = "ready" if status.ready else "not ready" if status.running else "not running"
    record = status.record
    print(f"{record.name}: {word} at {status.server} ({record.provider})")
    print(f"  kubeconfig {record.kubeconfig}")
    if status.audit_log:
        print(f"  audit log {status.audit_log}")
    for each in status.components:
        print(f"  {each['name']:<26}{each['state']:<10}{each['restarts']} restarts")


def _kubeconfig(chosen: argparse.Namespace, _: Progress) -> int:
    path = _existing(chosen.name).kubeconfig
    print(path.read_text() if chosen.print else path)
    return 0


def _load(chosen: argparse.Namespace, progress: Progress) -> int:
    record, provider = _running(chosen.name, progress)
    if not chosen.image.is_file():
        raise ClusterError(
            f"{chosen.image} is no file. To load an image of a Docker engine, write it "
            f"out first: docker save --output image.tar {chosen.image}"
        )
    with progress.step(f"Loading {chosen.image.name}"):
        said = provider.load(record, chosen.image.absolute())
    for line in said:
        print(line)
    return 0


def _logs(chosen: argparse.Namespace, progress: Progress) -> int:
    record = _existing(chosen.name)
    provider = provider_named(record.provider, progress)
    names = [chosen.component] if chosen.component else list(record.components)
    paths = [str(provider.logs(record, name)) for name in names]
    lines = "+1" if chosen.component else str(_LAST_LINES)
    follow = ["-F"] if chosen.follow else []
    sys.stdout.flush()
    tail = shutil.which("tail") or "/usr/bin/tail"
    os.execv(tail, [tail, "-n", lines, *follow, *paths])  # noqa: S606 (no shell)


def _kill(chosen: argparse.Namespace, progress: Progress) -> int:
    number = getattr(signal, f"SIG{chosen.signal.upper().replace('SIG', '')}", None)
    if not isinstance(number, signal.Signals):
        raise ClusterError(f"--signal {chosen.signal!r} is no signal's name")
    record, provider = _running(chosen.name, progress)
    provider.signal(record, chosen.component, number)
    return 0


def _stop(chosen: argparse.Namespace, progress: Progress) -> int:
    record, provider = _running(chosen.name, progress)
    provider.switch(record, chosen.component, on=False)
    return 0


def _start(chosen: argparse.Namespace, progress: Progress) -> int:
    record, provider = _running(chosen.name, progress)
    provider.switch(record, chosen.component, on=True)
    return 0


def _build(chosen: argparse.Namespace, progress: Progress) -> int:
    if chosen.program:
        build.ensure(chosen.program, progress)
        return 0
    wish = Wish(chosen.name, chosen_components(False, []), install=_said_yes())
    choose(None, wish, progress).prepare(wish)
    return 0


def _bin(chosen: argparse.Namespace, progress: Progress) -> int:
    build.ensure_any([chosen.program], progress)
    print(build.find(chosen.program))
    return 0


def _existing(name: str) -> Record:
    record = records.load(name)
    if record is None:
        known = ", ".join(each.name for each in records.all_records()) or "none"
        raise ClusterError(
            f"there is no cluster {name!r} (known: {known}); `hack/cluster up` makes one"
        )
    return record


def _running(name: str, progress: Progress) -> Tuple[Record, Provider]:
    record = _existing(name)
    provider = provider_named(record.provider, progress)
    if not provider.status(record).running:
        raise ClusterError(f"{name} does not run; `hack/cluster up` starts it")
    return record, provider
