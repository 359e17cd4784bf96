"""The ``local`` provider: Kubernetes from Go modules in namespaces of its own.

Needs Linux and root, and no registry, no Docker and no virtual machine. ``plan`` says what
runs, ``namespaces`` where, ``supervisor`` keeps it running; here is the order of things.
"""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Callable, List, Sequence

from hack.cluster_tool import (
    build,
    control,
    credentials,
    egress,
    images,
    namespaces,
    node,
    objects,
    preflight,
    records,
)
from hack.cluster_tool.errors import ClusterError
from hack.cluster_tool.layout import Subnets, control_group, control_socket
from hack.cluster_tool.plan import AUDIT_POLICY, Spec, plan
from hack.cluster_tool.progress import Progress
from hack.cluster_tool.provider import Status, Wish
from hack.cluster_tool.records import Record
from hack.cluster_tool.shell import program, run

_API_TIMEOUT = 60.0
_NODE_TIMEOUT = 120.0
_CRASHES = 5  # a component that ended so often while starting will not come up


class Local:
    """Local clusters; a display is all it needs to know."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def prepare(self, wish: Wish) -> None:
        """Checks the machine and builds what is missing."""
        with_node = "kubelet" in wish.components
        preflight.require_machine(with_node, wish.install, self._progress)
        build.ensure(_programs(wish), self._progress)

    def up(self, wish: Wish) -> Record:
        """Builds what is missing, then starts; a running cluster is left as it is."""
        existing = records.load(wish.name)
        if existing and _supervisor(existing).answers():
            _check_same(existing, wish)
            self._await_ready(existing)
            return existing
        self.prepare(wish)
        if existing:
            self._remove_leftovers(existing)
        record = _claim(wish)
        self._start(record)
        return record

    def down(self, record: Record) -> None:
        """One kill, and what the host had of it."""
        with self._progress.step(f"Taking {record.name} down"):
            self._stop(record)
            shutil.rmtree(record.directory)

    def reset(self, record: Record) -> None:
        """A fresh cluster by the same name, at the same address, with its images."""
        with self._progress.step(f"Emptying {record.name}"):
            self._remove_leftovers(record)
        self._start(record)

    def status(self, record: Record) -> Status:
        """Asks the supervisor and the API server."""
        spec = _spec(record)
        supervisor = _supervisor(record)
        running = supervisor.answers()
        return Status(
            record=record,
            running=running,
            ready=running and _ready(spec),
            server=spec.server,
            audit_log=spec.audit_log if record.audit else None,
            components=supervisor.components() if running else [],
        )

    def load(self, record: Record, archive: Path) -> List[str]:
        """Imports into the cluster's containerd."""
        if "containerd" not in record.components:
            raise ClusterError(f"{record.name} has no node that could hold images")
        with archive.open("rb") as source:
            return images.load(_supervisor(record).pid(), source)

    def logs(self, record: Record, component: str) -> Path:
        """Written by the component itself; ``supervisor`` has one too."""
        if component not in (*record.components, "supervisor"):
            known = ", ".join([*record.components, "supervisor"])
            raise ClusterError(f"no component {component!r}; there are {known}")
        return record.directory / "logs" / f"{component}.log"

    def signal(self, record: Record, component: str, number: int) -> None:
        """By the supervisor, which knows the process."""
        _supervisor(record).ask("kill", component=component, signal=number)

    def switch(self, record: Record, component: str, on: bool) -> None:
        """By the supervisor, which would otherwise start it again."""
        _supervisor(record).ask("start" if on else "stop", component=component)

    def _start(self, record: Record) -> None:
        spec = _spec(record)
        _prepare(spec)
        try:
            with self._progress.step(f"Starting {record.name}"):
                pid = namespaces.start(
                    record.directory / "plan.json",
                    record.directory / "logs" / "supervisor.log",
                    _supervisor(record),
                )
                namespaces.link(pid, spec.subnets)
                if _has_node(record):
                    egress.open_for(record.name, spec.subnets)
                _supervisor(record).ask("boot")
            self._await_ready(record, pid)
        except BaseException:
            self._stop(record)
            self._progress.say(f"Logs are in {record.directory / 'logs'}")
            raise

    def _await_ready(self, record: Record, pid: int = 0) -> None:
        """Waits; with ``pid`` it also gives a new cluster its first image and objects."""
        spec = _spec(record)
        api = objects.Api(spec)
        self._await("the API server", record, api.ready, _API_TIMEOUT)
        if "kube-controller-manager" in record.components:
            # Without it no pod can be created.
            self._await(
                "the first service account",
                record,
                lambda: api.exists(objects.SERVICE_ACCOUNT),
                _API_TIMEOUT,
            )
        if not _has_node(record):
            return
        if pid:
            objects.create_all(spec, api)
            self._await("containerd", record, lambda: _import(pid, spec), _API_TIMEOUT)
        host = f"http://{spec.subnets.node}"
        proxy = f"{host}:{node.PROXY_HEALTH_PORT}/healthz"
        dns = f"{host}:{node.DNS_READY_PORT}/ready"
        for what, ready in (
            ("the node", lambda: api.node_ready(spec.node_name)),
            ("services", lambda: api.healthy(proxy)),
            ("name resolution", lambda: api.healthy(dns)),
        ):
            self._await(what, record, ready, _NODE_TIMEOUT)

    def _await(
        self, what: str, record: Record, ready: Callable[[], bool], timeout: float
    ) -> None:
        with self._progress.step(f"Waiting for {what}") as step:
            deadline = time.monotonic() + timeout
            while not ready():
                step.note()
                crashing = [
                    each["name"]
                    for each in _supervisor(record).components()
                    if each["restarts"] >= _CRASHES
                ]
                if crashing:
                    raise ClusterError(
                        f"{', '.join(crashing)} ended {_CRASHES} times; the logs say:\n"
                        + _last_lines(record, crashing)
                    )
                if time.monotonic() > deadline:
                    raise ClusterError(
                        f"{what} was not ready after {timeout:.0f} s; the logs say:\n"
                        + _last_lines(record, record.components)
                    )
                time.sleep(0.1)

    def _stop(self, record: Record) -> None:
        """Ends it and removes what the host had of it; also after a crash."""
        supervisor = _supervisor(record)
        if supervisor.answers():
            namespaces.stop(supervisor)
        control_socket(record.name).unlink(missing_ok=True)
        if _has_node(record):
            others = [
                other
                for other in records.all_records()
                if other.name != record.name and _has_node(other)
            ]
            egress.close(record.name, last=not others)
            namespaces.remove_control_group(control_group(record.name))

    def _remove_leftovers(self, record: Record) -> None:
        """Everything but the images that were loaded."""
        self._stop(record)
        for path in record.directory.iterdir():
            if path.is_dir() and path.name != "containerd":
                shutil.rmtree(path)
            elif not path.is_dir() and path.name != "cluster.json":
                path.unlink()


def _programs(wish: Wish) -> List[str]:
    wanted = build.NODE if "kubelet" in wish.components else build.CONTROL_PLANE
    return [*wanted, *(build.KWOK if "kwok" in wish.components else ())]


def _claim(wish: Wish) -> Record:
    """A record with a slot that is nobody else's."""
    with records.locked(".slots"):
        others = [each for each in records.all_records() if each.name != wish.name]
        slot = records.free_slot(
            (each.slot for each in others), namespaces.used_networks()
        )
        record = Record(
            name=wish.name,
            provider="local",
            components=wish.components,
            audit=wish.audit,
            slot=slot,
        )
        records.save(record)
    return record


def _prepare(spec: Spec) -> None:
    """Everything that must be on disk before the first component starts."""
    for directory in (spec.directory / "logs", control_socket(spec.name).parent):
        directory.mkdir(parents=True, exist_ok=True)
    credentials.write(spec)
    if spec.audit:
        policy = spec.directory / "audit-policy.json"
        policy.write_text(json.dumps(AUDIT_POLICY))
    if "kwok" in spec.components:
        stages = spec.directory / "stages.yaml"
        stages.write_text(run(spec.program("stages")))
    if "kubelet" in spec.components:
        node.write(spec)
        programs = {f"/{name}": build.path(name) for name in ("pause", "volume")}
        archive = images.archive(node.NODE_IMAGE, programs)
        (spec.directory / "node-image.tar").write_bytes(archive)
        namespaces.make_control_group(control_group(spec.name))
    (spec.directory / "plan.json").write_text(json.dumps(plan(spec), indent=2))


def _import(pid: int, spec: Spec) -> bool:
    """Loads the node's own image, once containerd answers."""
    try:
        with (spec.directory / "node-image.tar").open("rb") as source:
            images.load(pid, source)
    except ClusterError:
        return False
    return True


def _check_same(existing: Record, wish: Wish) -> None:
    lacking = [name for name in wish.components if name not in existing.components]
    if wish.audit and not existing.audit:
        lacking.append("the audit log")
    if lacking:
        raise ClusterError(
            f"{existing.name} runs without {', '.join(lacking)}: take it down first "
            f"(`hack/cluster down --name {existing.name}`), or choose another --name"
        )


def _ready(spec: Spec) -> bool:
    api = objects.Api(spec)
    return api.ready() and (
        "kubelet" not in spec.components or api.node_ready(spec.node_name)
    )


def _last_lines(record: Record, components: Sequence[str]) -> str:
    """What the logs of components end with."""
    said = []
    for name in components:
        log = record.directory / "logs" / f"{name}.log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        said += [f"  {name}: {line[:300]}" for line in lines[-3:]]
    return "\n".join(said)


def _has_node(record: Record) -> bool:
    return "kubelet" in record.components


def _supervisor(record: Record) -> control.Supervisor:
    return control.Supervisor(control_socket(record.name))


def _spec(record: Record) -> Spec:
    if record.slot is None:
        raise ClusterError(f"{record.name} is no cluster of the local provider")
    return Spec(
        name=record.name,
        directory=record.directory,
        subnets=Subnets(record.slot),
        components=record.components,
        audit=record.audit,
        program=_program,
    )


def _program(name: str) -> str:
    """A program of the distribution (containerd) or one of ours."""
    if name == "containerd":
        return program(name) or name
    return str(build.path(name))
