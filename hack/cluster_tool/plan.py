"""What a local cluster consists of: pure functions from a spec to command lines.

Called by the local provider. ``supervisor`` documents what it makes of a plan.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

from hack.cluster_tool.errors import ClusterError
from hack.cluster_tool.layout import Subnets, control_socket

API_PORT = 6443
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
DOMAIN = "cluster.local"

CONTROL_PLANE = ("etcd", "kube-apiserver")
OPTIONAL = ("kube-controller-manager", "kube-scheduler", "kwok")
NODE = (
    *CONTROL_PLANE,
    "kube-controller-manager",
    "kube-scheduler",
    "containerd",
    "kubelet",
    "kube-proxy",
    "coredns",
    "local-path-provisioner",
)

# Places where components write although nobody told them to: each cluster has its own.
_SCRATCH = ("/run", "/var/lib/cni", "/var/lib/kubelet", "/var/log")
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}
_ETCD = "http://127.0.0.1:2379"


@dataclass(frozen=True)
class Spec:
    """One local cluster: everything that its command lines depend on."""

    name: str
    directory: Path
    subnets: Subnets
    components: Tuple[str, ...]
    audit: bool
    program: Callable[[str], str] = field(repr=False)

    @property
    def node_name(self) -> str:
        """What the node is called."""
        return f"{self.name}-node"

    @property
    def server(self) -> str:
        """The API server's address."""
        return f"https://{self.subnets.node}:{API_PORT}"

    @property
    def audit_log(self) -> Path:
        """Where the API server writes down what it is asked, if it does."""
        return self.directory / "audit.log"

    def pki(self, name: str) -> str:
        """A key or a certificate."""
        return str(self.directory / "pki" / name)

    def kubeconfig(self, user: str) -> str:
        """The kubeconfig of a component, or of ``admin``."""
        return str(self.directory / "kubeconfig" / user)


def chosen_components(control_plane_only: bool, more: List[str]) -> Tuple[str, ...]:
    """The components to run; short names ("scheduler") are understood."""
    known = {name.replace("kube-", ""): name for name in OPTIONAL}
    chosen = list(CONTROL_PLANE if control_plane_only else NODE)
    for name in more:
        full = known.get(name, name)
        if full not in OPTIONAL:
            raise ClusterError(
                f"--components {name!r} is none of {', '.join(sorted(known))}"
            )
        if full not in chosen:
            chosen.append(full)
    return tuple(chosen)


def plan(spec: Spec) -> Dict[str, Any]:
    """The supervisor's plan."""
    routed = "containerd" in spec.components
    return {
        "socket": str(control_socket(spec.name)),
        "logs": str(spec.directory / "logs"),
        "environment": {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(spec.directory),
        },
        "scratch": _SCRATCH,
        "sysctls": {"net/ipv4/ip_forward": "1"} if routed else {},
        "components": [_component(spec, name) for name in spec.components],
    }


def _component(spec: Spec, name: str) -> Dict[str, Any]:
    arguments, waits_for = _COMMANDS[name](spec)
    return {
        "name": name,
        "argv": [spec.program(name), *arguments],
        "waitsFor": waits_for,
    }


_Command = Tuple[List[str], List[str]]
_AFTER_API = [f"tcp:{API_PORT}"]


def _etcd(spec: Spec) -> _Command:
    return [
        f"--data-dir={spec.directory / 'etcd'}",
        f"--listen-client-urls={_ETCD}",
        f"--advertise-client-urls={_ETCD}",
        "--listen-peer-urls=http://127.0.0.1:2380",
        # A crash of the machine loses the cluster; a crash of etcd loses nothing.
        "--unsafe-no-fsync",
        "--log-level=warn",
    ], []


def _api_server(spec: Spec) -> _Command:
    arguments = [
        f"--etcd-servers={_ETCD}",
        f"--advertise-address={spec.subnets.node}",
        f"--secure-port={API_PORT}",
        f"--service-cluster-ip-range={spec.subnets.services}",
        f"--tls-cert-file={spec.pki('server.crt')}",
        f"--tls-private-key-file={spec.pki('server.key')}",
        f"--client-ca-file={spec.pki('ca.crt')}",
        f"--service-account-issuer=https://kubernetes.default.svc.{DOMAIN}",
        f"--service-account-key-file={spec.pki('service-accounts.pub')}",
        f"--service-account-signing-key-file={spec.pki('service-accounts.key')}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        # Off by default in this version; the chart uses it where it is on.
        "--feature-gates=MutatingAdmissionPolicy=true",
        "--runtime-config=admissionregistration.k8s.io/v1beta1=true",
        "--allow-privileged=true",
        f"--kubelet-client-certificate={spec.pki('kubelet-client.crt')}",
        f"--kubelet-client-key={spec.pki('kubelet-client.key')}",
        f"--kubelet-certificate-authority={spec.pki('ca.crt')}",
        # Nobody resolves the node's name.
        "--kubelet-preferred-address-types=InternalIP",
    ]
    if "kube-controller-manager" not in spec.components:
        # Nobody makes the `default` service accounts that pods would have to have.
        arguments.append("--disable-admission-plugins=ServiceAccount")
    if spec.audit:
        arguments += [
            f"--audit-policy-file={spec.directory / 'audit-policy.json'}",
            f"--audit-log-path={spec.audit_log}",
        ]
    return arguments, ["tcp:2379"]


def _controller_manager(spec: Spec) -> _Command:
    return [
        f"--kubeconfig={spec.kubeconfig('kube-controller-manager')}",
        f"--service-account-private-key-file={spec.pki('service-accounts.key')}",
        f"--root-ca-file={spec.pki('ca.crt')}",
        "--use-service-account-credentials=true",
        "--leader-elect=false",
    ], _AFTER_API


def _scheduler(spec: Spec) -> _Command:
    kubeconfig = spec.kubeconfig("kube-scheduler")
    return [
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--authentication-tolerate-lookup-failure=true",
        "--leader-elect=false",
    ], _AFTER_API


def _kwok(spec: Spec) -> _Command:
    return [
        f"--config={spec.directory / 'stages.yaml'}",
        f"--kubeconfig={spec.kubeconfig('kwok')}",
        "--manage-all-nodes=false",
        "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
        f"--node-ip={spec.subnets.node}",
        "--cidr=10.0.0.1/16",
        "--node-lease-duration-seconds=40",
    ], _AFTER_API


def _containerd(spec: Spec) -> _Command:
    return [f"--config={spec.directory / 'containerd.toml'}"], []


def _kubelet(spec: Spec) -> _Command:
    return [
        f"--config={spec.directory / 'kubelet.json'}",
        f"--kubeconfig={spec.kubeconfig('kubelet')}",
        f"--root-dir={spec.directory / 'kubelet'}",
        f"--node-ip={spec.subnets.node}",
        f"--hostname-override={spec.node_name}",
    ], [*_AFTER_API, f"file:{CONTAINERD_SOCKET}"]


def _proxy(spec: Spec) -> _Command:
    return [f"--config={spec.directory / 'kube-proxy.json'}"], _AFTER_API


def _coredns(spec: Spec) -> _Command:
    return ["-conf", str(spec.directory / "Corefile")], _AFTER_API


def _provisioner(spec: Spec) -> _Command:
    return [
        "start",
        f"--config={spec.directory / 'local-path.json'}",
        f"--kubeconfig={spec.kubeconfig('local-path-provisioner')}",
        "--namespace=kube-system",
        "--service-account-name=default",
        "--helper-image=unused",  # the helper pod names its own
        f"--helper-pod-file={spec.directory / 'helper-pod.json'}",
    ], _AFTER_API


_COMMANDS: Dict[str, Callable[[Spec], _Command]] = {
    "etcd": _etcd,
    "kube-apiserver": _api_server,
    "kube-controller-manager": _controller_manager,
    "kube-scheduler": _scheduler,
    "kwok": _kwok,
    "containerd": _containerd,
    "kubelet": _kubelet,
    "kube-proxy": _proxy,
    "coredns": _coredns,
    "local-path-provisioner": _provisioner,
}
