"""One authenticated HTTP connection pool to the API server.

The client library finds the credentials (in-cluster token, kubeconfig, exec plug-ins) and
keeps them fresh; answers are taken undecoded, because building its models costs more than
the API server needs for the request. Used by ``client.py`` alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any, Mapping, Optional, cast
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from kiro_swarm.cluster import errors

if sys.version_info >= (3, 10):
    from kubernetes.aio import client as kubernetes_client
    from kubernetes.aio import config as kubernetes_config

    _RAW: Mapping[str, Any] = {}
else:  # The same client under the name it had before it moved.
    from kubernetes_asyncio import client as kubernetes_client
    from kubernetes_asyncio import config as kubernetes_config

    _RAW = {"_preload_content": False}


def _in_cluster() -> bool:
    return Path("/var/run/secrets/kubernetes.io/serviceaccount/token").exists()


def _proxy_of(server: str) -> Optional[str]:
    """The proxy that the environment names for a server, if any."""
    parts = urlsplit(server)
    if proxy_bypass(parts.hostname or ""):
        return None
    return getproxies().get(parts.scheme)


class Connection:
    """Sends requests and raises typed errors. One for each event loop.

    :param user_agent: names this process in the audit log of the API server.
    :param connections: how many requests may be under way at once.
    """

    def __init__(self, api: Any, user_agent: str) -> None:
        self._api = api
        self._user_agent = user_agent

    @classmethod
    async def open(
        cls,
        *,
        kubeconfig: Optional[str] = None,
        context: Optional[str] = None,
        user_agent: str = "kiro-swarm",
        connections: int = 64,
    ) -> Connection:
        """Find credentials and make the pool. No request is sent yet.

        :raises errors.Unavailable: there is neither a kubeconfig nor a service account.
        """
        configuration = kubernetes_client.Configuration()
        configuration.connection_pool_maxsize = connections
        path = kubeconfig or os.environ.get("KUBECONFIG")
        try:
            if path is None and _in_cluster():
                load: Any = kubernetes_config.load_incluster_config
                load(client_configuration=configuration)
            else:
                load = kubernetes_config.load_kube_config
                await load(
                    config_file=path,
                    context=context,
                    client_configuration=configuration,
                )
        except kubernetes_config.ConfigException as error:
            raise errors.Unavailable(
                f"no way to the cluster: {error}. Set KUBECONFIG, or run in a pod"
            ) from error
        # The library looks into ~/.netrc and the proxy variables at every request, in two
        # threads, which costs more than the request. Nobody changes them: once will do.
        configuration.proxy = configuration.proxy or _proxy_of(configuration.host)
        configuration.client_session_kwargs = {"trust_env": False}
        return cls(kubernetes_client.ApiClient(configuration), user_agent)

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
        timeout: float = 30.0,
    ) -> dict[str, Any]:
        """Send a request and return the decoded answer.

        :raises errors.ClusterError: a subclass that says what to do about it.
        """
        response = await self.stream(
            method,
            path,
            query=query,
            body=body,
            content_type=content_type,
            timeout=aiohttp.ClientTimeout(total=timeout),
        )
        async with response:
            try:
                return cast("dict[str, Any]", json.loads(await response.read()))
            except (aiohttp.ClientError, asyncio.TimeoutError, ValueError) as error:
                raise errors.Unavailable(f"{method} {path}: {error!r}") from error

    async def stream(
        self,
        method: str,
        path: str,
        *,
        query: Optional[Mapping[str, str]] = None,
        body: Any = None,
        content_type: str = "application/json",
        timeout: aiohttp.ClientTimeout,
    ) -> aiohttp.ClientResponse:
        """Send a request and return the open response; the caller closes it."""
        configuration = self._api.configuration
        url = configuration.host + path + (f"?{urlencode(query)}" if query else "")
        headers = {"Content-Type": content_type, "User-Agent": self._user_agent}
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
