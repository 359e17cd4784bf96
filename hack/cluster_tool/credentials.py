"""Keys, certificates and kubeconfigs of a local cluster.

Called by the local provider once, before the first start. The certificates are made by
the ``certs`` program of our Go module, so that no openssl is needed.
"""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any, Dict, List, Tuple

from hack.cluster_tool.errors import ClusterError
from hack.cluster_tool.plan import DOMAIN, Spec

_MASTERS = "system:masters"

# User by the name of its kubeconfig: common name and organization of the certificate.
_USERS: Dict[str, Tuple[str, str]] = {
    "admin": ("admin", _MASTERS),
    "kube-controller-manager": ("system:kube-controller-manager", ""),
    "kube-scheduler": ("system:kube-scheduler", ""),
    "kube-proxy": ("system:kube-proxy", ""),
    "coredns": ("coredns", _MASTERS),
    "local-path-provisioner": ("local-path-provisioner", _MASTERS),
    "kwok": ("kwok", _MASTERS),
}


def requests(spec: Spec) -> List[Dict[str, Any]]:
    """What ``certs`` is asked for."""
    users = {**_USERS, "kubelet": (f"system:node:{spec.node_name}", "system:nodes")}
    users["kubelet-client"] = ("kube-apiserver-kubelet-client", _MASTERS)
    wanted: List[Dict[str, Any]] = [
        {
            "name": name,
            "commonName": common_name,
            "organization": [organization] if organization else [],
        }
        for name, (common_name, organization) in users.items()
    ]
    service = "kubernetes.default.svc"
    wanted.append(
        {
            "name": "server",
            "commonName": "kube-apiserver",
            "addresses": [spec.subnets.node, spec.subnets.api_service, "127.0.0.1"],
            "names": [
                "kubernetes",
                "kubernetes.default",
                service,
                f"{service}.{DOMAIN}",
                "localhost",
            ],
        }
    )
    wanted.append(
        {
            "name": "kubelet-server",
            "commonName": spec.node_name,
            "addresses": [spec.subnets.node],
            "names": [spec.node_name],
        }
    )
    # Only its key pair is used: it signs the tokens of service accounts.
    wanted.append({"name": "service-accounts", "commonName": "service-accounts"})
    return wanted


def write(spec: Spec) -> None:
    """Makes all of them; what was there before is replaced."""
    pki = spec.directory / "pki"
    kubeconfigs = spec.directory / "kubeconfig"
    for directory in (pki, kubeconfigs):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    done = subprocess.run(
        [spec.program("certs"), str(pki)],
        input=json.dumps(requests(spec)),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ClusterError(f"certificates could not be made: {done.stderr.strip()}")
    for user in [*_USERS, "kubelet"]:
        target = kubeconfigs / user
        target.touch(mode=0o600)
        target.write_text(json.dumps(_kubeconfig(spec, pki, user), indent=2) + "\n")


def _kubeconfig(spec: Spec, pki: Path, user: str) -> Dict[str, Any]:
    """JSON is YAML, and writing it needs no library."""

    def data(name: str) -> str:
        return base64.b64encode((pki / name).read_bytes()).decode()

    cluster = {"server": spec.server, "certificate-authority-data": data("ca.crt")}
    credentials = {
        "client-certificate-data": data(f"{user}.crt"),
        "client-key-data": data(f"{user}.key"),
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": spec.name, "cluster": cluster}],
        "users": [{"name": user, "user": credentials}],
        "contexts": [
            {"name": spec.name, "context": {"cluster": spec.name, "user": user}}
        ],
        "current-context": spec.name,
    }
