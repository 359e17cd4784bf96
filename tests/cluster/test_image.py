"""The image, built without a registry, in a real containerd.

The containerd is the test's own: it needs root, but no cluster, and is gone afterwards.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple

import pytest

from hack.lib.image import facts
from hack.lib.image.base import MIRROR_VARIABLE
from hack.lib.image.build import build_offline, cache_folder

pytestmark = pytest.mark.timeout(600)

REPOSITORY = Path(__file__).resolve().parents[2]
HACK_IMAGE = REPOSITORY / "hack" / "image"
NAMESPACE = "kiro-swarm-image-test"
TAG = "kiro-swarm:image-test"
REFERENCE = f"docker.io/library/{TAG}"
# What ctr grants by default.
CAPABILITIES = """
    AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE
    NET_RAW SETFCAP SETGID SETPCAP SETUID SYS_CHROOT
"""
CONFIG = """
version = 2
root = "{folder}/root"
state = "{folder}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "{folder}/socket"
"""


# A container writes what it says itself, into a mount. `ctr run` of containerd 1.6 stops
# copying stdout as soon as it has the exit code: on a busy machine the end is lost.
SAID = 'exec "$@" >/said/stdout 2>/said/stderr'


class Containerd(NamedTuple):
    """A containerd of our own; containers run as a restricted pod would run them."""

    folder: Path

    def ctr(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["ctr", "--address", f"{self.folder}/socket", "-n", NAMESPACE]
        return subprocess.run(
            [*command, *arguments],
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def load(self, archive: Path) -> None:
        done = self.ctr("images", "import", str(archive))
        assert done.returncode == 0, done.stderr

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        drop = [f"--cap-drop=CAP_{name}" for name in CAPABILITIES.split()]
        env = [f"--env={name}={value}" for name, value in variables.items()]
        tmp = "type=tmpfs,src=tmpfs,dst=/tmp,options=rw:nosuid:mode=1777"
        with tempfile.TemporaryDirectory(dir=self.folder) as said:
            os.chmod(said, 0o777)  # for the user of the image
            place = f"type=bind,src={said},dst=/said,options=rbind:rw:nosuid:nodev"
            mounts = [f"--mount={tmp}", f"--mount={place}"]
            isolation = ["--rm", "--read-only", "--seccomp", *drop, *mounts]
            shell = ["sh", "-c", SAID, "sh"]
            done = self.ctr(
                *("run", *isolation, *env, REFERENCE, "image-test", *shell, *command)
            )
            for name in ("stdout", "stderr"):
                written = Path(said, name)
                if written.exists():
                    before = getattr(done, name)
                    setattr(done, name, before + written.read_text("utf-8"))
        return done

    def python(self, script: str) -> str:
        done = self.run(f"{facts.PREFIX}/bin/python3", "-c", script)
        assert done.returncode == 0, done.stderr
        return done.stdout


def need_programs() -> None:
    """Installs containerd where that is allowed; says what is missing elsewhere."""
    if shutil.which("containerd") and shutil.which("runc"):
        return
    install = ["apt-get", "install", "--yes", "containerd", "runc"]
    if not (os.environ.get("CI") or os.environ.get("KIRO_SWARM_YES")):
        pytest.fail(f"containerd and runc are missing: {' '.join(install)}")
    subprocess.run(["apt-get", "update"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(install, check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def containerd() -> Iterator[Containerd]:
    need_programs()
    folder = Path(tempfile.mkdtemp(prefix="image-test-"))
    config = folder / "config.toml"
    config.write_text(CONFIG.format(folder=folder), "utf-8")
    started = Containerd(folder)
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            ["containerd", "--config", str(config)], stdout=log, stderr=log
        )
        try:
            deadline = time.monotonic() + 30
            while started.ctr("version").returncode != 0:
                said = (folder / "log").read_text("utf-8")
                assert time.monotonic() < deadline, said
                assert process.poll() is None, said
                time.sleep(0.05)
            yield started
        finally:
            process.terminate()
            process.wait(30)
    assert str(folder) not in Path("/proc/mounts").read_text("utf-8")
    for group in Path("/sys/fs/cgroup").glob(f"*/{NAMESPACE}"):
        with contextlib.suppress(FileNotFoundError):
            group.rmdir()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def built() -> Dict[str, str]:
    """The answer of ``hack/image build``, from the cache that everybody uses."""
    options = ["--method", "offline", "--tag", TAG, "--output", "json"]
    done = subprocess.run(
        [sys.executable, str(HACK_IMAGE), "build", *options],
        check=False,
        capture_output=True,
        text=True,
        timeout=580,
    )
    assert done.returncode == 0, done.stderr
    answer: Dict[str, str] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def image(containerd: Containerd, built: Dict[str, str]) -> Containerd:
    """The containerd with the image in it."""
    containerd.load(Path(built["archive"]))
    return containerd


def test_it_runs_without_any_right_under_a_read_only_root(image: Containerd) -> None:
    done = image.run("sh", "-c", "id -u; id -g; pwd; cat /proc/self/status; touch /x")
    uid, gid, folder, *status = done.stdout.splitlines()
    assert (uid, gid, folder) == ("65532", "65532", "/")
    state: Dict[str, List[str]] = {}
    for line in status:
        name, *values = line.split()
        state[name] = values
    assert state["CapEff:"] == state["CapBnd:"] == ["0000000000000000"]
    assert state["NoNewPrivs:"] == ["1"]
    assert state["Seccomp:"] == ["2"]
    assert done.returncode != 0
    assert "Read-only file system" in done.stderr


def test_the_command_answers(image: Containerd) -> None:
    done = image.run("kiro-swarm", "--help")
    assert done.returncode == 0, done.stderr
    assert "operator" in done.stdout


def test_git_can_do_what_the_workspace_and_a_git_server_need(image: Containerd) -> None:
    script = """
        set -e
        cd /tmp && git init -q repo && cd repo
        git -c user.name=a -c user.email=a@b commit -q --allow-empty -m one
        git merge-tree --write-tree HEAD HEAD
        test -x "$(git --exec-path)/git-http-backend"
        test -x "$(git --exec-path)/git-remote-https"
        test -s /etc/ssl/certs/ca-certificates.crt
        ssh -V
        ssh -G host.invalid
    """
    done = image.run("sh", "-c", script)
    assert done.returncode == 0, done.stderr
    tree, *settings = done.stdout.splitlines()
    assert tree == "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
    # ssh refuses to start for a user that /etc/passwd does not know.
    assert f"user {facts.USER}" in settings


def test_every_module_is_compiled_and_never_compared_with_its_source(
    image: Containerd,
) -> None:
    said = image.python(f"""
import importlib.util, pathlib
count = 0
for top in ("{facts.SITE_PACKAGES}", "/usr/lib/python{facts.PYTHON_VERSION}"):
    for source in pathlib.Path(top).rglob("*.py"):
        compiled = pathlib.Path(importlib.util.cache_from_source(str(source)))
        count += 1
        if not compiled.exists() or compiled.read_bytes()[4:8] != bytes([1, 0, 0, 0]):
            print(source)
print(count)
""")
    *uncompiled, count = said.splitlines()
    assert uncompiled == []
    assert int(count) > 1000


def test_our_environment_and_that_of_an_agent_do_not_see_each_other(
    image: Containerd,
) -> None:
    assert "ModuleNotFoundError" in image.run("python3", "-c", "import kopf").stderr
    image.python("import git, kopf, kubernetes.aio, kiro_swarm")
    script = (
        "mkdir /tmp/kiro_swarm && echo 1/0 > /tmp/kiro_swarm/__init__.py && cd /tmp"
    )
    done = image.run("sh", "-c", f"{script} && kiro-swarm --help", PYTHONPATH="/tmp")
    assert done.returncode == 0, done.stderr


def test_the_installed_package_says_its_version(image: Containerd) -> None:
    said = image.python(
        "import importlib.metadata, kiro_swarm\n"
        "print(importlib.metadata.version('kiro-swarm') == kiro_swarm.__version__)"
    )
    assert said == "True\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the image is made from, to be changed."""
    for name in ("operator", "requirements", "hack/lib/image"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    return tmp_path


def processor_seconds() -> float:
    """Of this process and its children that ended: what others do meanwhile is no matter."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


@pytest.mark.usefixtures("built")
def test_a_change_of_our_code_alone_is_built_and_loaded_within_ten_seconds(
    image: Containerd, checkout: Path
) -> None:
    init = checkout / "operator" / "kiro_swarm" / "__init__.py"
    # A line of its own each time, or a later run would find its layer in the cache.
    line = f"CHANGED = {time.time_ns()}"
    init.write_text(f"{init.read_text('utf-8')}\n{line}\n", "utf-8")
    started = processor_seconds()
    changed = build_offline(checkout, TAG, refresh=False)
    image.load(changed.path)
    seconds = processor_seconds() - started
    assert [layer.cached for layer in changed.layers] == [True, True, False]
    assert line.split()[-1] in image.python(
        "import kiro_swarm; print(kiro_swarm.CHANGED)"
    )
    assert seconds < 10


def test_the_same_source_gives_the_same_image_in_another_cache(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build_offline(checkout, TAG, refresh=False)
    monkeypatch.setenv("KIRO_SWARM_CACHE", str(tmp_path / "cache"))
    layers = cache_folder() / "layers"
    layers.mkdir(parents=True)
    # Debian's packages and the wheels are downloads: only our own layer is made anew.
    for layer in first.layers[:-1]:
        for path in layer.path.parent.glob(f"{layer.name}-{layer.key}.[tj]*"):
            shutil.copy(path, layers)
    again = build_offline(checkout, TAG, refresh=False)
    assert [layer.cached for layer in again.layers] == [True, True, False]
    assert again.image_id == first.image_id
    assert again.path.read_bytes() == first.path.read_bytes()


def test_a_mirror_that_is_not_there_ends_the_build_with_its_name(
    tmp_path: Path,
) -> None:
    mirror = "http://127.0.0.1:9/debian"
    variables = {MIRROR_VARIABLE: mirror, "KIRO_SWARM_CACHE": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, str(HACK_IMAGE), "build", "--method", "offline"],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **variables},
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert f"{mirror} is out of reach" in done.stderr
    assert list((tmp_path / "kiro-swarm" / "image" / "layers").glob("*.json")) == []
