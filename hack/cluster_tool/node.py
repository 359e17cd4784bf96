"""Configuration of everything that makes a local cluster run pods.

Called by the local provider, before the first start. Every path is the cluster's own.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict

from hack.cluster_tool import egress, preflight
from hack.cluster_tool.errors import ClusterError
from hack.cluster_tool.layout import control_group
from hack.cluster_tool.plan import CONTAINERD_SOCKET, DOMAIN, Spec

NODE_IMAGE = "kiro-swarm.local/node:1"
MAX_PODS = 110
DNS_READY_PORT = 8181
PROXY_HEALTH_PORT = 10256

_CONTAINERD = """\
version = 2
root = "{directory}/containerd"
state = "/run/containerd"

[grpc]
  address = "{socket}"

[plugins."io.containerd.internal.v1.opt"]
  path = "{directory}/containerd-opt"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{image}"
  # Root without CAP_SYS_RESOURCE may not lower the score; without this every pod fails.
  restrict_oom_score_adj = true

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{cni_plugins}"
    conf_dir = "{directory}/cni"

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
"""

_COREFILE = """\
.:53 {{
    errors
    health 127.0.0.1:8180
    ready {node}:{port}
    kubernetes {domain} in-addr.arpa ip6.arpa {{
        kubeconfig {kubeconfig}
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 5
    }}
{forward}    cache 30
    loop
}}
"""
_RESOLV_CONFS = ("/etc/resolv.conf", "/run/systemd/resolve/resolv.conf")


def write(spec: Spec) -> None:
    """Writes all of it into the cluster's directory."""
    directory = spec.directory
    plugins = preflight.cni_directory()
    if plugins is None:
        raise ClusterError("the CNI plugins are missing")
    containerd = _CONTAINERD.format(
        directory=directory,
        socket=CONTAINERD_SOCKET,
        image=NODE_IMAGE,
        cni_plugins=plugins,
    )
    (directory / "containerd.toml").write_text(containerd)
    (directory / "cni").mkdir(exist_ok=True)
    (directory / "Corefile").write_text(_corefile(spec))
    for name, content in {
        "cni/10-bridge.conflist": _network(spec),
        "kubelet.json": _kubelet(spec),
        "kube-proxy.json": _proxy(spec),
        "local-path.json": _local_path(spec),
        "helper-pod.json": _helper_pod(),
    }.items():
        (directory / name).write_text(json.dumps(content, indent=2) + "\n")


def _network(spec: Spec) -> Dict[str, Any]:
    return {
        "cniVersion": "0.4.0",
        "name": "kiro-swarm",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "cni0",
                "isGateway": True,
                "ipMasq": True,
                "hairpinMode": True,
                "ipam": {
                    "type": "host-local",
                    "dataDir": "/run/cni",
                    "ranges": [[{"subnet": str(spec.subnets.pods)}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def _kubelet(spec: Spec) -> Dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": spec.pki("ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": spec.pki("kubelet-server.crt"),
        "tlsPrivateKeyFile": spec.pki("kubelet-server.key"),
        "clusterDomain": DOMAIN,
        "clusterDNS": [spec.subnets.dns_service],
        "resolvConf": str(spec.directory / "resolv.conf"),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{control_group(spec.name)}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "enforceNodeAllocatable": [],
        "maxPods": MAX_PODS,
        "serializeImagePulls": False,
        "oomScoreAdj": 0,
        "podLogsDir": str(spec.directory / "pod-logs"),
        "volumePluginDir": str(spec.directory / "volume-plugins"),
        # The disk is shared with everything else on this machine, and loaded images
        # cannot be pulled again: neither may cost pods or images.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1%",
            "nodefs.inodesFree": "1%",
            "imagefs.available": "1%",
        },
    }


def _proxy(spec: Spec) -> Dict[str, Any]:
    bridged = Path("/proc/sys/net/bridge/bridge-nf-call-iptables").exists()
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": spec.kubeconfig("kube-proxy")},
        "hostnameOverride": spec.node_name,
        "mode": "iptables",
        "healthzBindAddress": f"{spec.subnets.node}:{PROXY_HEALTH_PORT}",
        "clusterCIDR": str(spec.subnets.pods),
        "oomScoreAdj": 0,
        # Answers between pods of one bridge pass no filter without br_netfilter; then
        # they must go by way of the node.
        "iptables": {"masqueradeAll": not bridged},
        # These sysctls belong to the host.
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
    }


def _corefile(spec: Spec) -> str:
    """Also writes the resolv.conf that pods and CoreDNS use."""
    target = spec.directory / "resolv.conf"
    servers = ""
    for path in (Path(name) for name in _RESOLV_CONFS):
        if not servers and path.exists():
            servers = egress.nameservers(path.read_text())
    target.write_text(servers)
    return _COREFILE.format(
        domain=DOMAIN,
        node=spec.subnets.node,
        port=DNS_READY_PORT,
        kubeconfig=spec.kubeconfig("coredns"),
        forward=f"    forward . {target}\n" if servers else "",
    )


def _local_path(spec: Spec) -> Dict[str, Any]:
    every_node = "DEFAULT_PATH_FOR_NON_LISTED_NODES"
    volumes = str(spec.directory / "volumes")
    return {
        "nodePathMap": [{"node": every_node, "paths": [volumes]}],
        "setupCommand": "/volume",
        "teardownCommand": "/volume",
    }


def _helper_pod() -> Dict[str, Any]:
    container = {"name": "volume", "image": NODE_IMAGE, "imagePullPolicy": "Never"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "volume"},
        "spec": {"automountServiceAccountToken": False, "containers": [container]},
    }
