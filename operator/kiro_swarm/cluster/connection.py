"""One authenticated HTTP connection pool to the API server.

The client library finds the credentials (in-cluster token, kubeconfig, exec plug-ins) and
keeps them fresh; answers are taken undecoded, because building its models costs more than
the API server needs for the request. Used by ``client.py`` alone.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any, Mapping, Optional, Sequence, cast
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import yaml
from multidict import CIMultiDict
from pydantic_core import from_json

from kiro_swarm.cluster import errors

if sys.version_info >= (3, 10):
    from kubernetes.aio import client as kubernetes_client
    from kubernetes.aio import config as kubernetes_config

    _RAW: Mapping[str, Any] = {}
else:  # The same client under the name it had before it moved.
    from kubernetes_asyncio import client as kubernetes_client
    from kubernetes_asyncio import config as kubernetes_config

    _RAW = {"_preload_content": False}


#: What the library raises for a kubeconfig that is missing, broken or no kubeconfig.
_NO_WAY = (kubernetes_config.ConfigException, yaml.YAMLError, OSError, TypeError)
_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_SECONDS = 30.0
_NO_MORE: Mapping[str, str] = {}


def _in_cluster() -> bool:
    return (_ACCOUNT / "token").exists()


def _impersonation(user: str, groups: Sequence[str]) -> list[tuple[str, str]]:
    """The headers that ask to be treated as somebody else."""
    headers = [("Impersonate-User", user)] if user else []
    return headers + [("Impersonate-Group", group) for group in groups]


def _proxy_of(server: str) -> Optional[str]:
    """The proxy that the environment names for a server, if any."""
    parts = urlsplit(server)
    if proxy_bypass(parts.hostname or ""):
        return None
    return getproxies().get(parts.scheme)


class Connection:
    """Sends requests and raises typed errors. One for each event loop.

    ``namespace`` is that of the context or of the pod, ``default`` where there is none.
    """

    def __init__(
        self,
        api: Any,
        headers: Sequence[tuple[str, str]],
        namespace: str = "default",
        seconds: Optional[float] = _SECONDS,
    ) -> None:
        self._api = api
        self._headers = headers
        self._seconds = seconds
        self.namespace = namespace

    @classmethod
    async def open(
        cls,
        *,
        kubeconfig: Optional[str] = None,
        context: Optional[str] = None,
        user_agent: str = "kiro-swarm",
        connections: int = 128,
        as_user: str = "",
        as_groups: Sequence[str] = (),
        seconds: Optional[float] = _SECONDS,
    ) -> Connection:
        """Find credentials and make the pool. No request is sent yet.

        :param user_agent: names this process in the audit log of the API server.
        :param connections: how many requests may be under way at once.
        :param as_user: whom to impersonate, with ``as_groups``.
        :param seconds: longest time of a request that answers at once; None: no limit.

        Raises errors.Unavailable: there is neither a kubeconfig nor a service account.
        """
        configuration = kubernetes_client.Configuration()
        configuration.connection_pool_maxsize = connections
        path = kubeconfig or os.environ.get("KUBECONFIG")
        try:
            if path is None and _in_cluster():
                load: Any = kubernetes_config.load_incluster_config
                load(client_configuration=configuration)
                namespace = (_ACCOUNT / "namespace").read_text(encoding="utf-8")
            else:
                load = kubernetes_config.load_kube_config
                loader = await load(
                    config_file=path,
                    context=context,
                    client_configuration=configuration,
                )
                namespace = loader.current_context["context"].get("namespace", "")
        except _NO_WAY as error:
            raise errors.Unavailable(
                f"no way to the cluster: {error}. Set KUBECONFIG, or run in a pod"
            ) from error
        # The library looks into ~/.netrc and the proxy variables at every request, in two
        # threads, which costs more than the request. Nobody changes them: once will do.
        configuration.proxy = configuration.proxy or _proxy_of(configuration.host)
        configuration.client_session_kwargs = {"trust_env": False}
        # Python 3.13 refuses chains without an authority key identifier. Clusters have them,
        # and kubectl takes them. The chain and the host are verified all the same.
        configuration.disable_strict_ssl_verification = True
        headers = [("User-Agent", user_agent), *_impersonation(as_user, as_groups)]
        api = kubernetes_client.ApiClient(configuration)
        return cls(api, headers, namespace.strip() or "default", seconds)

    async def close(self) -> None:
        """Close the pool."""
        await self._api.close()

    async def json(
        self,
        method: str,
        path: str,
        *,
        query: Optional[Mapping[str, str]] = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        """Send a request and return the decoded answer.

        Raises errors.ClusterError: a subclass that says what to do about it.
        """
        response = await self.stream(
            method,
            path,
            query=query,
            body=body,
            content_type=content_type,
            timeout=aiohttp.ClientTimeout(total=self._seconds),
        )
        async with response:
            try:
                return cast("dict[str, Any]", from_json(await response.read()))
            except (aiohttp.ClientError, asyncio.TimeoutError, ValueError) as error:
                raise errors.Unavailable(f"{method} {path}: {error!r}") from error

    async def beginning(
        self, path: str, *, query: Mapping[str, str], longest: int
    ) -> tuple[bytes, bool]:
        """What is read at a path, up to so many bytes, and whether that is all.

        Uncompressed: what is small on its way may be any size here. Raises errors.ClusterError.
        """
        response = await self.stream(
            "GET",
            path,
            query=query,
            timeout=aiohttp.ClientTimeout(total=self._seconds),
            more={"Accept-Encoding": "identity"},
        )
        text = bytearray()
        async with response:
            try:
                async for chunk in response.content.iter_any():
                    text += chunk
                    if len(text) > longest:
                        response.close()  # nobody wants the rest
                        return bytes(text[:longest]), False
            except (aiohttp.ClientError, asyncio.TimeoutError) as error:
                raise errors.Unavailable(f"GET {path}: {error!r}") from error
        return bytes(text), True

    async def stream(
        self,
        method: str,
        path: str,
        *,
        query: Optional[Mapping[str, str]] = None,
        body: Any = None,
        content_type: str = "application/json",
        timeout: aiohttp.ClientTimeout,
        more: Mapping[str, str] = _NO_MORE,
    ) -> aiohttp.ClientResponse:
        """Send a request and return the open response; the caller closes it.

        :param more: headers of this request alone.
        """
        configuration = self._api.configuration
        url = configuration.host + path + (f"?{urlencode(query)}" if query else "")
        headers = CIMultiDict(self._headers)
        headers["Content-Type"] = content_type
        headers.update(more)
        for setting in (await configuration.auth_settings()).values():
            headers[setting["key"]] = setting["value"]
        try:
            answer = await self._api.rest_client.request(
                method,
                url,
                headers=headers,
                body=body,
                _request_timeout=timeout,
                **_RAW,
            )
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            raise errors.Unavailable(f"{method} {path}: {error!r}") from error
        response = cast(aiohttp.ClientResponse, getattr(answer, "response", answer))
        if response.status >= 400:
            async with response:
                raise errors.from_response(
                    response.status,
                    await response.read(),
                    response.headers.get("Retry-After"),
                )
        return response
