"""A program is started in two ways, and neither it nor who starts it can tell which it was."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Union

import git as gitpython
import pytest

from kiro_swarm.workspace.starting import Spawned, start

Started = Union["subprocess.Popen[bytes]", Spawned]
Start = Callable[..., Started]
PATH = {"PATH": os.path.dirname(sys.executable) + ":/usr/bin:/bin"}
ROOT = str(Path(__file__).parents[3] / "operator")
PYTHON = os.path.basename(sys.executable)
_TELLS = """
import json, os, sys
print(json.dumps({
    "environment": sorted(
        (name, os.fsencode(value).hex()) for name, value in os.environ.items()
    ),
    "leads": os.getsid(0) == os.getpid() == os.getpgid(0),
    "open": sorted(
        int(name)
        for name in os.listdir("/proc/self/fd")
        if os.path.exists(f"/proc/self/fd/{name}")
    ),
    # The C library keeps two signals for itself, from 32 on, and goes by none of this for them.
    "signals": [
        (line[:6], int(line[8:], 16) & 0x7FFFFFFF)
        for line in open("/proc/self/status")
        if line[:6] in ("SigBlk", "SigIgn", "SigCgt")
    ],
    "arguments": [os.fsencode(word).hex() for word in sys.argv[1:]],
    "stdin": sys.stdin.read(),
}))
"""


def _forked(
    command: Sequence[str], env: Mapping[str, str], inherited: Sequence[int] = ()
) -> Started:
    """As ``start`` does it where that does not fork."""
    return subprocess.Popen(
        command,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        pass_fds=inherited,
    )


def _spawned(
    command: Sequence[str], env: Mapping[str, str], inherited: Sequence[int] = ()
) -> Started:
    return Spawned(command, env, inherited)


def _left() -> set[str]:
    """What is open here; what an earlier test has left may be closed at any time."""
    return set(os.listdir("/proc/self/fd"))


def _ways() -> list[Start]:
    try:
        _spawned(["true"], PATH).communicate()
    except NotImplementedError:
        return [_forked, start]
    return [_forked, start, _spawned]


WAYS = _ways()


@pytest.fixture(params=WAYS)
def begin(request: pytest.FixtureRequest) -> Iterator[Start]:
    """One of the ways; nothing is left open by it."""
    before = _left()
    yield request.param
    assert _left() <= before


@pytest.fixture
def programs(tmp_path: Path) -> Callable[[str, str, int], dict[str, str]]:
    """Makes a script in a folder of its own; the answer is the PATH to it."""

    def made(name: str, script: str, mode: int = 0o755) -> dict[str, str]:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "it").write_text(script)
        (folder / "it").chmod(mode)
        return {"PATH": str(folder)}

    return made


@pytest.fixture
def strange_signals() -> Iterator[None]:
    """What a process may have been started with, and Python's own."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    yield
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("strange_signals")
def test_a_program_cannot_tell_how_it_was_started() -> None:
    told: list[Any] = []
    words = ["a b", "", "\udcff", "-C"]
    (read, write), (stray, other) = os.pipe(), os.pipe()
    os.set_inheritable(stray, True)
    os.set_inheritable(read, True)
    for way in WAYS:
        for held in ((), (write,), (read, write)):
            command = [PYTHON, "-IS", "-c", _TELLS, *words]
            answer, errors = way(command, {**PATH, "ONE": "\udcff"}, held).communicate(
                b"said"
            )
            assert not errors
            told.append(json.loads(answer))
    for fd in (read, write, stray, other):
        os.close(fd)
    for at in range(len(WAYS)):
        assert told[3 * at : 3 * at + 3] == told[:3], WAYS[at]
    assert [one["open"] for one in told[:3]] == [
        [0, 1, 2, *held] for held in ((), (write,), (read, write))
    ]
    for one in told:
        assert one["leads"]
        assert one["stdin"] == "said"
        names = {name for name, _ in one["environment"]}
        assert {"ONE", "PATH"} <= names <= {"ONE", "PATH", "LC_CTYPE"}
        assert ["ONE", "ff"] in one["environment"]


def test_much_is_said_and_answered_at_once(begin: Start) -> None:
    much = os.urandom(1 << 20)
    both = ["sh", "-c", "tee /dev/stderr"]
    process = begin(both, PATH)
    assert process.communicate(much, timeout=60) == (much, much)
    assert process.returncode == 0
    assert process.poll() == process.wait() == 0


@pytest.mark.parametrize(
    ("script", "status"),
    [("exit 3", 3), ("kill -9 $$", -9), ("exec <&- >&- 2>&-; exit 4", 4), ("", 0)],
)
def test_how_it_ends_is_told_though_it_reads_nothing(
    begin: Start, script: str, status: int
) -> None:
    process = begin(["sh", "-c", script], PATH)
    assert process.communicate(b"x" * (1 << 20), timeout=60) == (b"", b"")
    assert process.returncode == status


@pytest.mark.parametrize(
    "script", ["echo early; sleep 600 & wait", "exec sleep 600 >&- 2>&-"]
)
def test_what_takes_too_long_is_killed_with_all_it_started(
    begin: Start, script: str
) -> None:
    process = begin(["sh", "-c", script], PATH)
    with pytest.raises(subprocess.TimeoutExpired):
        process.communicate(timeout=0.1)
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def test_a_program_that_never_stops_talking_is_late_too(begin: Start) -> None:
    process = begin(["sh", "-c", "while :; do echo y; done"], PATH)
    with pytest.raises(subprocess.TimeoutExpired):
        process.communicate(timeout=0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def test_its_end_is_waited_for_until_it_is_late(begin: Start) -> None:
    process = begin(["sleep", "600"], PATH)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.05)
    process.terminate()
    assert process.wait(60) == -signal.SIGTERM
    process.terminate()
    process.communicate()


def test_a_process_that_nobody_wants_any_more_is_ended(begin: Start) -> None:
    process: Any = begin(["sh", "-c", "echo some; exec sleep 600"], PATH)
    kept = gitpython.Git.AutoInterrupt(process, ["sleep"])
    del kept
    assert process.returncode == -signal.SIGTERM


def test_an_end_that_somebody_else_was_told_of_counts_as_a_good_one(
    begin: Start,
) -> None:
    process = begin(["sh", "-c", "exit 3"], PATH)
    os.waitpid(process.pid, 0)
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_a_program_is_found_where_the_path_says_first(
    begin: Start, programs: Callable[..., dict[str, str]]
) -> None:
    hinders = programs("hinders", "#!/bin/sh\n", 0o644)["PATH"]
    lost = programs("lost", "#!/none/sh\n")["PATH"]
    paths = (
        *("/none", f"{hinders}/it", hinders, lost),
        *(
            programs(name, f"#!/bin/sh\necho {name}\n")["PATH"]
            for name in ("first", "second")
        ),
    )
    process = begin(["it"], {"PATH": ":".join(paths)})
    assert process.communicate() == (b"first\n", b"")


def test_what_cannot_be_started_is_told_by_its_name(
    begin: Start, programs: Callable[..., dict[str, str]]
) -> None:
    hinders = programs("hinders", "#!/bin/sh\n", 0o644)["PATH"]
    for path, error in (
        ("/none", FileNotFoundError),
        (f"/none:{hinders}/it", NotADirectoryError),
        (f"{hinders}/it:/none", FileNotFoundError),
        (programs("lost", "#!/none/sh\n")["PATH"], FileNotFoundError),
        (f"/none:{hinders}:/none", PermissionError),
        (programs("strange", "\0\0\0\0")["PATH"], OSError),
    ):
        with pytest.raises(error) as raised:
            begin(["it"], {"PATH": path})
        assert (type(raised.value), raised.value.filename) == (error, "it"), path
    with pytest.raises(OSError, match="Argument list too long"):
        begin(["true", "x" * (1 << 20)], PATH)


def test_who_has_no_standard_streams_can_start_programs() -> None:
    script = f"""
import os, resource, sys
from kiro_swarm.workspace.starting import Spawned, start
told = os.dup(1)
os.closerange(0, 3)
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
said = set()
for limit in range(1, 20):
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    try:
        said.add(Spawned(["cat"], {PATH!r}, ()).communicate(b"x")[0])
    except (OSError, NotImplementedError) as error:
        said.add(type(error))
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert os.open("/dev/null", 0) == 0, f"left open: {{limit}}"
    os.close(0)
for path in ("/none", "/etc/hostname"):
    try:
        Spawned(["cat"], {{"PATH": path}}, ())
    except (OSError, NotImplementedError):
        pass
    assert os.open("/dev/null", 0) == 0, "left open"
    os.close(0)
for _ in range(2):
    assert start(["cat"], {PATH!r}).communicate(b"x") == (b"x", b"")
    assert os.open("/dev/null", 0) == 0, "left open"
    os.close(0)
try:
    raise AssertionError(f"a dead child is left: {{os.waitpid(-1, os.WNOHANG)}}")
except ChildProcessError:
    pass
assert {{OSError}} < said <= {{OSError, NotImplementedError, b"x"}}, said
os.write(told, b"well")
"""
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env={**PATH, "PYTHONPATH": ROOT},
        capture_output=True,
        check=False,
    )
    assert (ended.stdout, ended.stderr) == (b"well", b"")


def test_nothing_is_left_open_where_no_more_can_be_opened() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    before, refused = _left(), []
    for limit in range(3, max(map(int, before)) + 20):
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        try:
            Spawned(["true"], PATH, ()).communicate()
        except OSError as error:
            refused.append(error.errno)
        except NotImplementedError:
            pass
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert _left() <= before, limit
    assert set(refused) == {errno.EMFILE}


# What runs in a process of its own, since a hook cannot be taken back: it counts the starts.
_STRANGE = f"""
import os, resource, sys
from kiro_swarm.workspace import starting
ways = []
def told(event, arguments):
    if event == "os.posix_spawn":
        ways.append("spawned")
        if sys.argv[1] == "sessions":
            raise NotImplementedError
    if event == "subprocess.Popen":
        ways.append("forked")
    if event == "os.listdir" and arguments[0] == "/proc/self/fd" and sys.argv[1] == "proc":
        raise FileNotFoundError(2, "No such file or directory", "/proc/self/fd")
sys.addaudithook(told)
held = os.open("/dev/null", 0)
if sys.argv[1] == "limit":
    os.dup2(held, 200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
process = starting.start(["ls", "/proc/self/fd"], {PATH!r}, [held])
answer, errors = process.communicate()
assert set(answer.split()) >= {{b"0", b"1", b"2", str(held).encode()}}, answer
assert b"200" not in answer.split() and not errors, answer
print(*ways)
"""


@pytest.mark.parametrize("missing", ["nothing", "sessions", "proc", "limit"])
def test_what_this_way_cannot_do_is_left_to_the_other(missing: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _STRANGE, missing],
        env={**PATH, "PYTHONPATH": ROOT},
        capture_output=True,
        check=False,
        text=True,
    )
    assert ended.stderr == ""
    ways = ended.stdout.split()
    if _spawned not in WAYS or sys.version_info >= (3, 10):
        assert ways[-1] == "forked"
    elif missing in ("nothing", "sessions"):
        assert ways == ["spawned", "forked"][: 1 + (missing == "sessions")]
    else:
        assert ways == ["forked"]
