"""What the runner can rely on when it asks the agent container for a process."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from pathlib import Path

import pytest

from kiro_swarm.sandbox.frames import Kind, Stream, encode, end_of, started
from kiro_swarm.sandbox.handshake import MAX_REQUEST_BYTES, PROTOCOL, answer_line
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


REQUEST = {
    "protocol": PROTOCOL,
    "op": "run",
    "argv": ["true"],
    "cwd": "/",
    "timeoutSeconds": 1,
    "stdinLimitBytes": 0,
    "outputLimitBytes": 1000,
}


@pytest.mark.parametrize(
    ("request_", "names"),
    [
        (b"not json", "request: it: Invalid JSON"),
        (b"[]", "request: it: Input should be"),
        (b"", "request: it: Invalid JSON"),
        (b"\xff\xfe", "request: it: Invalid JSON"),
        (b"[" * 100_000, "JSON nested deeper than 2"),
        (b'{"protocol": %s}' % (b"9" * 5000), "a number of more than 64 digits"),
        ({**REQUEST, "op": "rm"}, "request: it: Input tag 'rm'"),
        ({**REQUEST, "argv": []}, "argv: List should have at least 1 item"),
        ({**REQUEST, "argv": "true"}, "argv: Input should be"),
        ({**REQUEST, "argv": ["a\0b"]}, "argv.0: String should match pattern"),
        ({**REQUEST, "argv": ["a"] * 5000}, "JSON of more than 3072 values"),
        ({**REQUEST, "cwd": "relative"}, "cwd: String should match pattern"),
        ({**REQUEST, "env": {"A=B": "c"}}, "env.A=B"),
        ({**REQUEST, "env": {"A": 1}}, "env.A: Input should be a valid string"),
        ({**REQUEST, "timeoutSeconds": 0}, "timeoutSeconds: Input should be greater"),
        (
            {**REQUEST, "timeoutSeconds": True},
            "timeoutSeconds: Input should be a valid",
        ),
        ({**REQUEST, "idleTimeoutSeconds": -1}, "idleTimeoutSeconds"),
        ({**REQUEST, "outputLimitBytes": 2**40}, "outputLimitBytes"),
        ({**REQUEST, "log": ["stdin"]}, "log.0"),
        ({**REQUEST, "shell": True}, "shell: Extra inputs are not permitted"),
        ({**REQUEST, "x": "x" * MAX_REQUEST_BYTES}, "first line longer than 4194304"),
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
    assert sorted(answer) == ["error", "protocol"]
    assert names in answer["error"]
    assert await AgentSocket(server.socket).ping() is True


async def _answering(path: Path, answer: bytes) -> asyncio.AbstractServer:
    async def answer_with(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readline()
        writer.write(answer)
        writer.close()

    return await asyncio.start_unix_server(answer_with, str(path))


OK = answer_line()
BEGUN = OK + started(4)
EXIT = b'{"reason":"Exited","exit":0,"seconds":1.0}'


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"", "the connection was cut"),
        (b'{"protocol": 2', "the connection was cut"),
        (OK, "the connection was cut"),
        (BEGUN, "the connection was cut"),
        (BEGUN + b"\x08", "the connection was cut"),
        (b"}{\n", "nonsense"),
        (b"[1]\n", "nonsense"),
        (b"[" * 30_000 + b"\n", "nonsense"),
        (b"[" * 3_000 + b"\n", "nonsense: JSON nested"),
        (b"9" * 4_000 + b"\n", "nonsense: a number of more than"),
        (b"\xff" * 4_000 + b"\n", "nonsense"),
        (b"x" * 200_000, "nonsense: a first line longer"),
        (OK + b"\xff" * 5, "nonsense: a frame of unknown kind 255"),
        (OK + b"\x02\xff\xff\xff\xff", "nonsense: a STDOUT frame of 4294967295"),
        (OK + encode(Kind.STDOUT, b"x"), "nonsense: a frame that is not due"),
        (BEGUN + started(4), "nonsense: a frame that is not due: STARTED"),
        (BEGUN + encode(Kind.STDIN, b"x"), "nonsense: a frame that is not due"),
        (BEGUN + encode(Kind.STDOUT, b""), "nonsense: a STDOUT frame of 0 bytes"),
        (BEGUN + end_of(Stream.STDOUT) * 2, "nonsense: STDOUT ends twice"),
        (BEGUN + encode(Kind.EXIT, b"[" * 4000), "nonsense: JSON nested"),
        (BEGUN + encode(Kind.EXIT, b"\xff\xff"), "nonsense: an EXIT frame"),
        (OK + encode(Kind.EXIT, EXIT), "nonsense: an EXIT frame that is not due"),
        (
            BEGUN + encode(Kind.EXIT, EXIT.replace(b":0", b":false")),
            "nonsense: an EXIT frame with exit",
        ),
        (
            BEGUN + encode(Kind.EXIT, EXIT.replace(b'"exit":0,', b"")),
            "nonsense: an EXIT frame with it",
        ),
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
    if not answer.startswith(OK):
        assert await socket.ping() is False
    server.close()


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        (b'{"error": "protocol: Extra inputs"}\n', "container speaks version 1 "),
        (b'{"ok": true}\n', "container speaks version 1 "),
        (b'{"protocol": 4, "error": "?"}\n', "container speaks version 4 "),
        (b'{"protocol": 4}\n', "build the runner image, which is older"),
        (b'{"error": "protocol: ..."}\n', "build the agent image, which is older"),
    ],
)
async def test_a_container_of_another_release_is_named_with_both_versions(
    folder: Path, answer: bytes, names: str
) -> None:
    server = await _answering(folder / "s", answer)
    socket = AgentSocket(str(folder / "s"))
    result = await socket.exec(["true"], cwd="/", timeout_seconds=5)
    assert result.reason == "NotStarted"
    assert names in result.message
    assert f"the runner version {PROTOCOL}" in result.message
    assert names in await socket.problem()
    server.close()


@pytest.mark.parametrize(
    ("request_", "version"),
    [
        ({"op": "ping"}, 1),
        ({"op": "exec", "argv": ["true"], "stdin": "", "idleTimeoutSeconds": None}, 1),
        ({"protocol": 4, "op": "dance", "steps": [1]}, 4),
    ],
)
async def test_a_runner_of_another_release_is_told_both_versions(
    server: Entrypoint, request_: dict[str, object], version: int
) -> None:
    reader, writer = await asyncio.open_unix_connection(server.socket)
    writer.write(json.dumps(request_).encode() + b"\n")
    answer = json.loads(await reader.readline())
    writer.close()
    assert answer["protocol"] == PROTOCOL
    assert f"container speaks version {PROTOCOL}" in answer["error"]
    assert f"the runner version {version}" in answer["error"]


async def test_a_refusal_does_not_pass_as_success(folder: Path) -> None:
    server = await _answering(folder / "s", answer_line("argv: missing"))
    result = await AgentSocket(str(folder / "s")).exec(
        ["true"], cwd="/", timeout_seconds=5
    )
    server.close()
    assert (result.reason, result.exit_code) == ("NotStarted", None)
    assert result.message == "could not be started: argv: missing"
