"""What the runner can rely on when it asks the agent container for a process."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from pathlib import Path

import pytest

from kiro_swarm.sandbox.frames import MAX_REQUEST_BYTES
from kiro_swarm.sandbox.socket import AgentSocket
from tests.support.entrypoint import Entrypoint, python


async def test_a_process_gets_stdin_environment_and_folder_and_answers(
    server: Entrypoint, tmp_path: Path
) -> None:
    code = (
        "import os, sys;"
        "print(os.getcwd(), os.environ['KIRO_TASK_ID'], sys.stdin.read());"
        "print('warned', file=sys.stderr); sys.exit(7)"
    )
    heard: list[tuple[str, str]] = []
    result = await AgentSocket(server.socket).exec(
        python(code),
        cwd=str(tmp_path),
        env={"KIRO_TASK_ID": "1.1"},
        stdin="the prompt: \u00e4\u00f6\u20ac",
        timeout_seconds=30,
        on_output=lambda stream, text: heard.append((stream, text)),
    )
    said = f"{tmp_path} 1.1 the prompt: \u00e4\u00f6\u20ac\n"
    assert (result.reason, result.exit_code, result.signal) == ("Exited", 7, None)
    assert result.stdout == said
    assert "".join(text for stream, text in heard if stream == "stderr") == "warned\n"
    assert sorted(result.tail) == sorted(said + "warned\n")
    assert result.describe() == "exited with 7"
    assert not result.succeeded


async def test_output_is_also_in_the_containers_log(server: Entrypoint) -> None:
    result = await AgentSocket(server.socket).exec(
        ["echo", "seen by kubectl logs"], cwd="/", timeout_seconds=30
    )
    assert result.succeeded
    assert server.log.read_text().endswith("seen by kubectl logs\n")


async def test_the_socket_is_for_its_owner_alone_and_answers_a_ping(
    server: Entrypoint,
) -> None:
    assert stat.S_IMODE(os.stat(server.socket).st_mode) == 0o600
    assert await AgentSocket(server.socket).ping() is True


async def test_without_a_container_there_is_no_ping_and_nothing_starts(
    tmp_path: Path,
) -> None:
    socket = AgentSocket(str(tmp_path / "nobody.sock"))
    assert await socket.ping() is False
    result = await socket.exec(["true"], cwd="/", timeout_seconds=1)
    assert result.reason == "NotStarted"
    assert "nobody.sock" in result.message


@pytest.mark.parametrize(
    ("argv", "cwd", "names"),
    [
        (["no-such-program-here"], "/", "no-such-program-here"),
        (["true"], "/no/such/folder", "/no/such/folder"),
        (["/etc"], "/", "Permission denied"),
    ],
)
async def test_what_cannot_be_started_is_named(
    server: Entrypoint, argv: list[str], cwd: str, names: str
) -> None:
    result = await AgentSocket(server.socket).exec(argv, cwd=cwd, timeout_seconds=9)
    assert result.reason == "NotStarted"
    assert names in result.message
    assert result.exit_code is None


async def test_death_by_a_signal_is_told_apart_from_an_exit(server: Entrypoint) -> None:
    result = await AgentSocket(server.socket).exec(
        python("import os; os.kill(os.getpid(), 11)"), cwd="/", timeout_seconds=30
    )
    assert (result.reason, result.exit_code, result.signal) == ("Exited", None, 11)
    assert result.describe() == "was ended by signal 11"


async def test_bytes_that_are_no_text_are_replaced_and_split_letters_are_not(
    server: Entrypoint,
) -> None:
    code = (
        "import os, time; os.write(1, b'\\xe2\\x82'); time.sleep(0.2);"
        "os.write(1, b'\\xac|\\xff|' + bytes([0, 27]))"
    )
    result = await AgentSocket(server.socket).exec(
        python(code), cwd="/", timeout_seconds=30
    )
    assert result.stdout == "\u20ac|\ufffd|\x00\x1b"


async def test_a_second_request_waits_until_the_first_is_gone(
    server: Entrypoint, tmp_path: Path
) -> None:
    code = (
        "import sys, time; f = open('order', 'a', buffering=1);"
        "print('begin', file=f); time.sleep(0.3); print('end', file=f)"
    )
    socket = AgentSocket(server.socket)
    results = await asyncio.gather(
        *(
            socket.exec(python(code), cwd=str(tmp_path), timeout_seconds=30)
            for _ in "ab"
        )
    )
    assert [result.succeeded for result in results] == [True, True]
    assert (tmp_path / "order").read_text().split() == ["begin", "end"] * 2


REQUEST = {"op": "exec", "argv": ["true"], "cwd": "/", "timeoutSeconds": 1}


@pytest.mark.parametrize(
    ("request_", "names"),
    [
        (b"not json", "request: Invalid JSON"),
        (b"[]", "request: Input should be"),
        (b"", "request: Invalid JSON"),
        ({"op": "rm"}, "request: Input tag 'rm'"),
        ({**REQUEST, "argv": []}, "argv: List should have at least 1 item"),
        ({**REQUEST, "argv": "true"}, "argv: Input should be"),
        ({**REQUEST, "argv": ["a\0b"]}, "argv.0: String should match pattern"),
        ({**REQUEST, "cwd": "relative"}, "cwd: String should match pattern"),
        ({**REQUEST, "env": {"A=B": "c"}}, "env.A=B"),
        ({**REQUEST, "env": {"A": 1}}, "env.A: Input should be a valid string"),
        ({**REQUEST, "timeoutSeconds": 0}, "timeoutSeconds: Input should be greater"),
        (
            {**REQUEST, "timeoutSeconds": True},
            "timeoutSeconds: Input should be a valid",
        ),
        ({**REQUEST, "idleTimeoutSeconds": -1}, "idleTimeoutSeconds"),
        ({**REQUEST, "shell": True}, "shell: Extra inputs are not permitted"),
        ({**REQUEST, "stdin": "x" * MAX_REQUEST_BYTES}, "request: longer than 8388608"),
    ],
)
async def test_a_bad_request_is_answered_with_the_field_and_breaks_nothing(
    server: Entrypoint, request_: object, names: str
) -> None:
    line = request_ if isinstance(request_, bytes) else json.dumps(request_).encode()
    reader, writer = await asyncio.open_unix_connection(server.socket)
    writer.write(line + b"\n")
    answer = json.loads(await reader.readline())
    writer.close()
    assert list(answer) == ["error"]
    assert names in answer["error"]
    assert await AgentSocket(server.socket).ping() is True


async def test_what_a_client_sends_after_its_request_is_ignored(
    server: Entrypoint,
) -> None:
    reader, writer = await asyncio.open_unix_connection(server.socket)
    request = {**REQUEST, "argv": ["sleep", "0.2"]}
    writer.write(json.dumps(request).encode() + b"\n")
    await reader.readline()
    writer.write(b"and more\n")
    last = json.loads((await reader.read(-1)).splitlines()[-1])
    writer.close()
    assert (last["reason"], last["exit"]) == ("Exited", 0)


async def _answering(path: Path, answer: bytes) -> asyncio.AbstractServer:
    async def answer_with(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readline()
        writer.write(answer)
        writer.close()

    return await asyncio.start_unix_server(answer_with, str(path))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"", "the connection was cut"),
        (b'{"started": 4}\n', "the connection was cut"),
        (b"}{\n", "nonsense"),
        (b"[1]\n", "nonsense"),
        (b'{"what": 1}\n', "nonsense"),
        (b'{"stream": "stdin", "data": "x"}\n', "nonsense"),
        (b'{"stream": "stdout", "data": 1}\n', "nonsense"),
        (b"x" * 200_000 + b"\n", "nonsense"),
    ],
)
async def test_a_container_that_lies_or_dies_is_a_lost_connection(
    folder: Path, answer: bytes, message: str
) -> None:
    """Code of the repository runs there; it may have put its own server in place."""
    server = await _answering(folder / "s", answer)
    socket = AgentSocket(str(folder / "s"))
    result = await socket.exec(["true"], cwd="/", timeout_seconds=5)
    assert result.reason == "ConnectionLost"
    assert message in result.message
    assert await socket.ping() is False
    server.close()


async def test_a_refusal_and_odd_numbers_do_not_pass_as_success(folder: Path) -> None:
    for answer, reason in (
        (b'{"error": "argv: missing"}\n', "NotStarted"),
        (b'{"reason": "Exited", "exit": false}\n', "Exited"),
    ):
        server = await _answering(folder / "s", answer)
        result = await AgentSocket(str(folder / "s")).exec(
            ["true"], cwd="/", timeout_seconds=5
        )
        server.close()
        assert (result.reason, result.exit_code) == (reason, None)
        assert not result.succeeded
