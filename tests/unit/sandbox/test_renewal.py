"""A container that was renewed has nothing of what ran in it before."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kiro_swarm.sandbox import renewal
from kiro_swarm.sandbox.renewal import Renewal
from kiro_swarm.sandbox.socket import AgentSocket
from tests.support.entrypoint import Entrypoint, entrypoint, python

# Names and kinds by which something could stay.
LITTER = """
import os, socket, sys
for top in sys.argv[1:]:
    os.chdir(top)
    open("plain", "w").write("x")
    open(".hidden", "w").write("x")
    os.symlink("/etc/passwd", "link")
    os.symlink(top, "loop")
    os.mkfifo("pipe")
    socket.socket(socket.AF_UNIX).bind("socket")
    os.link("plain", "hard")
    os.makedirs("a/b/c")
    open("a/b/c/deep", "w").write("x")
    os.chmod("a/b", 0)
    os.mkdir(b"\\xff not text")
    os.mkdir("-rf")
    try:
        os.setxattr(top, "user.note", b"for the next")
    except OSError:
        pass
"""
SOCKET_OF_ITS_OWN = """
import os, socket, sys
path = sys.argv[1]
os.unlink(path)
mine = socket.socket(socket.AF_UNIX)
mine.bind(path)
mine.listen()
"""
PROGRAM = """
import os, resource, sys
from pathlib import Path
from kiro_swarm.sandbox.renewal import Renewal, SpoiledError
renewal = Renewal([], Path("/none"))
before = os.sched_getaffinity(0)
exec(sys.argv[1])
try:
    renewal.restore_process()
except SpoiledError as error:
    print("spoiled", error)
else:
    print(resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY,
          os.sched_getaffinity(0) == before, os.sched_getscheduler(0))
"""
PROTECTED = """
import ctypes, subprocess, sys
from kiro_swarm.sandbox.renewal import protect_this_process
protect_this_process()
ask = "import ctypes; print(ctypes.CDLL(None).prctl(3))"
print(ctypes.CDLL(None).prctl(3), flush=True)
subprocess.run([sys.executable, "-c", ask], check=True)
"""


def _said(program: str, *arguments: str, within: tuple[str, ...] = ()) -> str:
    done = subprocess.run(
        [*within, sys.executable, "-c", program, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip()


async def test_files_of_every_kind_are_gone(folder: Path, tmp_path: Path) -> None:
    places = tmp_path / "home", tmp_path / "tmp"
    for place in places:
        place.mkdir()
    with entrypoint(folder, scratch=(*places, tmp_path / "not-there")) as server:
        socket = AgentSocket(server.socket)
        left = await socket.exec(
            python(LITTER, *map(str, places)), cwd="/", timeout_seconds=30
        )
        assert left.succeeded, left
        # Within a task it stays: caches, and what one program makes for the next.
        assert len(os.listdir(places[0])) == 10
        assert await socket.renew() == ""
    for place in places:
        assert os.listdir(place) == []
        assert "user.note" not in os.listxattr(place)
    assert Path("/etc/passwd").exists()


async def test_the_folder_of_the_socket_is_emptied_around_it(folder: Path) -> None:
    with entrypoint(folder, scratch=(folder,)) as server:
        socket = AgentSocket(server.socket)
        await socket.exec(["touch", f"{folder}/x"], cwd="/", timeout_seconds=9)
        assert await socket.renew() == ""
        assert os.listdir(folder) == ["agent.sock"]
        assert await socket.ping()


async def test_a_file_that_is_a_place_is_cut_to_nothing(
    folder: Path, tmp_path: Path
) -> None:
    note = tmp_path / "termination-log"
    note.touch()
    with entrypoint(folder, scratch=(note,)) as server:
        socket = AgentSocket(server.socket)
        await socket.exec(["sh", "-c", f"echo x > {note}"], cwd="/", timeout_seconds=9)
        assert note.read_text() == "x\n"
        assert await socket.renew() == ""
    assert note.read_text() == ""


async def test_an_entrypoint_that_starts_again_begins_as_new(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "left-by-the-one-before").touch()
    with entrypoint(folder, scratch=(tmp_path,)):
        assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("way", ["another socket", "a folder", "a mode", "nothing"])
async def test_the_socket_stays_that_of_the_entrypoint(
    server: Entrypoint, way: str
) -> None:
    socket = AgentSocket(server.socket)
    commands = {
        "another socket": python(SOCKET_OF_ITS_OWN, server.socket),
        "a folder": ["sh", "-c", f"rm {server.socket}; mkdir -p {server.socket}/x"],
        "a mode": ["chmod", "0", server.socket],
        "nothing": ["rm", server.socket],
    }
    taken = await socket.exec(commands[way], cwd="/", timeout_seconds=20)
    assert taken.succeeded, taken
    # At once: who was told of the end finds the entrypoint where it was.
    assert (await socket.exec(["true"], cwd="/", timeout_seconds=9)).succeeded
    assert os.stat(server.socket).st_mode & 0o777 == 0o600


def test_no_process_of_its_user_looks_into_the_entrypoint_but_into_its_children() -> (
    None
):
    assert _said(PROTECTED).split() == ["0", "1"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("resource.setrlimit(resource.RLIMIT_FSIZE, (5, -1))", "True True 0"),
        ("os.sched_setaffinity(0, [min(before)])", "True True 0"),
        ("os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))", "True True 0"),
    ],
)
def test_what_was_changed_of_process_1_is_as_it_was(change: str, says: str) -> None:
    assert _said(PROGRAM, change) == says


async def test_a_process_1_that_was_changed_for_good_is_another_one_afterwards(
    folder: Path,
) -> None:
    """A limit that was lowered cannot be raised without rights that it does not have."""
    without_rights = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
    attack = (
        "import os, resource\n"
        "resource.prlimit(os.getppid(), resource.RLIMIT_FSIZE, (0, 0))"
    )
    with entrypoint(folder, within=without_rights) as server:
        socket = AgentSocket(server.socket)
        assert (await socket.exec(python(attack), cwd="/", timeout_seconds=9)).succeeded
        # Nobody has to ask: the next task finds the next container.
        assert await asyncio.to_thread(server.process.wait, 10) == 0


def test_shared_memory_of_other_containers_stays(tmp_path: Path) -> None:
    """Only process 1 may take what is in its IPC namespace for its own."""
    made = subprocess.run(
        ["ipcmk", "--shmem", "64"], capture_output=True, text=True, check=True
    )
    number = made.stdout.split()[-1]
    try:
        Renewal([tmp_path], tmp_path / "none").clear()
        assert number in Path("/proc/sysvipc/shm").read_text().split()
    finally:
        subprocess.run(["ipcrm", "--shmem-id", number], check=True)


#: Makes a segment and gives it to another user: who made a thing may do both.
GIVEN_AWAY = """
import ctypes
libc = ctypes.CDLL(None)
number = libc.shmget(0, 64, 0o1666)
settings = ctypes.create_string_buffer(256)
assert libc.shmctl(number, 2, settings) == 0
ctypes.c_uint32.from_buffer(settings, 4).value = 4242
assert libc.shmctl(number, 1, settings) == 0
"""


def test_the_io_priority_of_this_process_is_brought_back(tmp_path: Path) -> None:
    """Any process of the same user may set it."""
    begun = Renewal([], tmp_path / "none")
    before = renewal._io_priority()
    idle = 3 << 13
    renewal._set_io_priority(idle)
    assert renewal._io_priority() == idle
    begun.restore_process()
    assert renewal._io_priority() == before


@pytest.mark.parametrize("give", ["true", f"{sys.executable} -c '{GIVEN_AWAY}'"])
async def test_process_1_removes_shared_memory_semaphores_and_queues(
    folder: Path, tmp_path: Path, give: str
) -> None:
    """As in a pod: it is the first process of its namespaces."""
    namespace = ("unshare", "--pid", "--ipc", "--fork", "--kill-child", "--mount-proc")
    make = f"ipcmk --shmem 64; ipcmk --semaphore 1; ipcmk --queue; {give}"
    count = "cat /proc/sysvipc/shm /proc/sysvipc/sem /proc/sysvipc/msg | wc -l"
    with entrypoint(folder, within=namespace) as server:
        try:
            socket = AgentSocket(server.socket)
            for command, lines in (
                (f"({make}) >&2; {count}", "6" if give == "true" else "7"),
                (count, "3"),
            ):
                said = await socket.exec(
                    ["sh", "-c", command], cwd="/", timeout_seconds=9
                )
                assert said.stdout.strip() == lines
                assert await socket.renew() == ""
        finally:
            pid = server.process.pid
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
            os.kill(int(children), signal.SIGTERM)
            server.process.wait(10)
