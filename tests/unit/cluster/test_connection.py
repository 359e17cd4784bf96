"""How the cluster is found, as whom, and in which namespace."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any, AsyncIterator

import pytest
import yaml
from aiohttp import web

from kiro_swarm.cluster import errors
from kiro_swarm.cluster.connection import Connection
from kiro_swarm.cluster.identity import user_name
from kiro_swarm.cluster.pod_logs import log_lines
from kiro_swarm.cluster.resources import PODS
from tests.support.fake_api import USER, FakeApi


def changed(path: Path, **context: str) -> str:
    """The kubeconfig with more in its context."""
    config = yaml.safe_load(path.read_text())
    config["contexts"][0]["context"].update(context)
    path.write_text(yaml.safe_dump(config))
    return str(path)


async def drained(lines: AsyncIterator[str]) -> None:
    """Read to the end."""
    async for _ in lines:
        pass


async def test_the_namespace_is_that_of_the_context(
    api: FakeApi, tmp_path: Path
) -> None:
    path = api.kubeconfig(tmp_path)
    plain = await Connection.open(kubeconfig=str(path))
    named = await Connection.open(kubeconfig=changed(path, namespace="team"))
    assert (plain.namespace, named.namespace) == ("default", "team")
    await plain.close()
    await named.close()


async def test_a_chain_need_not_name_the_key_of_its_authority(
    api: FakeApi, tmp_path: Path
) -> None:
    connection = await Connection.open(kubeconfig=str(api.kubeconfig(tmp_path)))
    rest = connection._api.rest_client
    trust = getattr(rest, "ssl_context", None) or rest.pool_manager.connector._ssl
    assert not trust.verify_flags & ssl.VERIFY_X509_STRICT
    assert (trust.verify_mode, trust.check_hostname) == (ssl.CERT_REQUIRED, True)
    await connection.close()


async def test_somebody_else_is_impersonated_with_groups(
    api: FakeApi, tmp_path: Path
) -> None:
    seen: list[list[str]] = []

    async def look(request: web.Request) -> None:
        seen.append(request.headers.getall("Impersonate-Group"))

    api.intercept = look
    path = str(api.kubeconfig(tmp_path))
    connection = await Connection.open(
        kubeconfig=path, as_user="eve", as_groups=["a", "b"]
    )
    assert await user_name(connection) == "eve"
    assert seen == [["a", "b"]]
    await connection.close()


async def test_who_one_is_is_asked_of_the_server(api: FakeApi, tmp_path: Path) -> None:
    connection = await Connection.open(kubeconfig=str(api.kubeconfig(tmp_path)))
    assert await user_name(connection) == USER
    await connection.close()


@pytest.mark.parametrize("text", ["", "{", "clusters: []", "[1, 2]"])
async def test_a_kubeconfig_that_is_none_is_an_error_in_words(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "broken"
    path.write_text(text)
    with pytest.raises(errors.Unavailable, match="no way to the cluster"):
        await Connection.open(kubeconfig=str(path))


async def test_a_slow_server_is_not_waited_for_longer_than_said(
    api: FakeApi, tmp_path: Path
) -> None:
    async def hang(request: web.Request) -> Any:
        await request.read()
        await asyncio.sleep(600)

    api.intercept = hang
    path = str(api.kubeconfig(tmp_path))
    connection = await Connection.open(kubeconfig=path, seconds=0.1)
    with pytest.raises(errors.Unavailable):
        await connection.json("GET", PODS.path("team"))
    await connection.close()


async def test_a_log_comes_line_by_line_whatever_the_pieces(
    api: FakeApi, tmp_path: Path
) -> None:
    long = "x" * 100_000

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        text = f"first \N{SNOWMAN}\n{long}\nlast".encode()
        for start in range(0, len(text), 7 if len(text) < 1000 else 30_001):
            await response.write(text[start : start + 30_001])
        return response

    api.intercept = answer
    connection = await Connection.open(kubeconfig=str(api.kubeconfig(tmp_path)))
    lines = [
        line
        async for line in log_lines(connection, "team", "demo-1-0", "agent", tail=9)
    ]
    assert lines[0] == "first \N{SNOWMAN}"
    assert "".join(lines[1:-1]) == long
    assert lines[-1] == "last"
    await connection.close()


async def test_a_log_that_breaks_off_is_an_error(api: FakeApi, tmp_path: Path) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"one\n")
        assert request.transport is not None
        request.transport.abort()
        return response

    api.intercept = answer
    connection = await Connection.open(kubeconfig=str(api.kubeconfig(tmp_path)))
    lines = log_lines(connection, "team", "demo-1-0", "agent")
    with pytest.raises(errors.Unavailable, match="broke off"):
        await drained(lines)
    await connection.close()
