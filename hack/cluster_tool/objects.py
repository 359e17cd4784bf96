"""A small client of the API server, and the objects that a local cluster begins with.

Called by the local provider. The standard library is enough for the few requests that
bring a cluster up, and does not cost the half second that a kubectl needs to start.
"""

from __future__ import annotations

import json
import ssl
import time
import urllib.error
import urllib.request
from typing import Any, Dict, List, Optional

from hack.cluster_tool.errors import ClusterError
from hack.cluster_tool.plan import Spec

_TIMEOUT = 5.0
SERVICE_ACCOUNT = "/api/v1/namespaces/default/serviceaccounts/default"
_PATIENCE = 20.0  # namespaces appear a moment after the API server is ready
STORAGE_CLASS = "standard"


class Api:
    """The API server of a local cluster, as its admin."""

    def __init__(self, spec: Spec) -> None:
        self._server = spec.server
        context = ssl.create_default_context(cafile=spec.pki("ca.crt"))
        context.load_cert_chain(spec.pki("admin.crt"), spec.pki("admin.key"))
        # No proxy of the environment stands between us and the link.
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=context),
        )

    def ready(self) -> bool:
        """Whether the API server says that it is ready."""
        try:
            return self._request("/readyz") == b"ok"
        except OSError:
            return False

    def node_ready(self, name: str) -> bool:
        """Whether a node is there and Ready."""
        try:
            node = json.loads(self._request(f"/api/v1/nodes/{name}"))
        except OSError:
            return False
        conditions = node["status"].get("conditions", [])
        return any(
            each["type"] == "Ready" and each["status"] == "True" for each in conditions
        )

    def exists(self, path: str) -> bool:
        """Whether there is an object."""
        try:
            self._request(path)
        except OSError:
            return False
        return True

    def healthy(self, url: str) -> bool:
        """Whether a component says so at its own address."""
        try:
            self._opener.open(url, timeout=_TIMEOUT).close()
        except OSError:
            return False
        return True

    def create(self, path: str, body: Dict[str, Any]) -> None:
        """Creates an object; one that is there already is left alone."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                self._request(path, body)
            except urllib.error.HTTPError as error:
                if error.code == 409:
                    return
                problem = f"{error}: {error.read().decode(errors='replace')}"
            except OSError as error:
                problem = str(error)
            else:
                return
            if time.monotonic() > deadline:
                raise ClusterError(f"{path} could not be created: {problem}")
            time.sleep(0.1)

    def _request(self, path: str, body: Optional[Dict[str, Any]] = None) -> bytes:
        request = urllib.request.Request(
            self._server + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with self._opener.open(request, timeout=_TIMEOUT) as answer:
            content: bytes = answer.read()
        return content


def create_all(spec: Spec, api: Api) -> None:
    """Name resolution and storage."""
    services = "/api/v1/namespaces/kube-system/services"
    slices = "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices"
    api.create(services, _dns_service(spec))
    api.create(slices, _dns_endpoints(spec))
    api.create("/apis/storage.k8s.io/v1/storageclasses", _storage_class())


def _dns_ports() -> List[Dict[str, Any]]:
    return [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
    ]


def _dns_service(spec: Spec) -> Dict[str, Any]:
    """Has no selector: CoreDNS is a process of the node, not a pod."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "kube-dns", "labels": {"k8s-app": "kube-dns"}},
        "spec": {"clusterIP": spec.subnets.dns_service, "ports": _dns_ports()},
    }


def _dns_endpoints(spec: Spec) -> Dict[str, Any]:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "kube-dns",
            "labels": {"kubernetes.io/service-name": "kube-dns"},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [spec.subnets.node]}],
        "ports": _dns_ports(),
    }


def _storage_class() -> Dict[str, Any]:
    """The same name and provisioner as in a kind cluster."""
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": STORAGE_CLASS, "annotations": default},
        "provisioner": "rancher.io/local-path",
        "volumeBindingMode": "WaitForFirstConsumer",
        "reclaimPolicy": "Delete",
    }
