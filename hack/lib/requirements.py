"""Pins the dependencies of pyproject.toml, with hashes, for every interpreter.

Called by hack/update-requirements (writes requirements/, needs a package index) and
hack/verify-requirements (reads only, needs no network). For each interpreter:
``py311.txt`` is the environment of a developer, ``runtime-py311.txt`` what the images and
users need; both hold the same versions. The files name no index, no folder and nothing
else of the machine that wrote them. A third, ``oracles-py311.txt``, holds what hack/bench
schedule compares with, beside the packages of the developer's environment.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from hack.lib.interpreters import UV

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "requirements"
VERSIONS = ("3.9", "3.10", "3.11", "3.12", "3.13")

# (prefix of the file, the extra it holds beside the runtime dependencies)
KINDS = (("", "dev"), ("runtime-", ""), ("oracles-", "oracles"))
# An extra that is installed beside the developer's environment, so without the rest.
ALONE = "oracles"

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)")
_ADDRESS = re.compile(r"://|^\s*-[^-]|^\s*--(?!hash=)|@ |\bfile:")


def path_of(prefix: str, version: str) -> Path:
    """The requirement file of a kind ("", "runtime-", ...) and a version such as "3.11"."""
    return FOLDER / f"{prefix}py{version.replace('.', '')}.txt"


def update(arguments: List[str]) -> int:
    """Write all files. Known pins are kept; ``--upgrade`` and ``--upgrade-package`` move them."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        uv = _install_uv(Path(scratch))
        for version in VERSIONS:
            for prefix, extra in KINDS:
                _compile(uv, version, prefix, extra, arguments)
    return verify()


def verify() -> int:
    """Print what is wrong with the files, one line a problem; 1 when there is any."""
    project = _project()
    found: List[str] = []
    for version in VERSIONS:
        for prefix, extra in KINDS:
            path = path_of(prefix, version)
            text = path.read_text() if path.exists() else ""
            declared = list(declarations(project, version, extra))
            found += [f"{path.name}: {line}" for line in problems(text, declared)]
    for problem in found:
        print(problem, file=sys.stderr)
    if found:
        print("requirements: run hack/update-requirements", file=sys.stderr)
    return 1 if found else 0


def declarations(
    project: Dict[str, Any], version: str, extra: str
) -> Iterator[Requirement]:
    """What [project] asks for on one interpreter, with one extra ("" for none) unfolded."""
    extras: Dict[str, List[str]] = project["optional-dependencies"]
    pending = [] if extra == ALONE else list(project["dependencies"])
    pending += extras[extra] if extra else []
    environment = {"python_version": version, "python_full_version": f"{version}.0"}
    while pending:
        requirement = Requirement(pending.pop())
        if requirement.name == project["name"]:
            # An extra that names other extras of this project.
            pending += [line for name in requirement.extras for line in extras[name]]
        elif not requirement.marker or requirement.marker.evaluate(environment):
            yield requirement


def problems(text: str, declared: Sequence[Requirement]) -> Iterator[str]:
    """What is wrong with one requirement file, given what it has to fulfil."""
    for number, line in enumerate(text.splitlines(), start=1):
        if _ADDRESS.search(line):
            yield f"line {number} names an index, an address or a folder: {line}"
    pins: Dict[str, str] = {}
    # A backslash at the end of a line continues the requirement with its hashes.
    for entry in text.replace("\\\n", " ").splitlines():
        match = _PIN.match(entry)
        if match:
            pins[canonicalize_name(match["name"])] = match["version"]
            if "--hash=sha256:" not in entry:
                yield f"{match['name']} has no hash"
    for requirement in declared:
        pinned = pins.get(canonicalize_name(requirement.name))
        if pinned is None:
            yield f"{requirement} of pyproject.toml is not pinned"
        elif not requirement.specifier.contains(pinned, prereleases=True):
            yield f"pins {pinned} where pyproject.toml says {requirement}"


def _install_uv(scratch: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", scratch], check=True)
    pip = [str(scratch / "bin" / "python"), "-m", "pip", "install", "--quiet", UV]
    subprocess.run(pip, check=True)
    return scratch / "bin" / "uv"


def _compile(
    uv: Path, version: str, prefix: str, extra: str, arguments: List[str]
) -> None:
    target = path_of(prefix, version)
    source = "-" if extra == ALONE else "pyproject.toml"
    argv = [str(uv), "pip", "compile", "--quiet", "--no-config", source]
    argv += ["--python-version", version, "--generate-hashes", "--no-header"]
    argv += ["--no-emit-index-url", "--no-emit-find-links", "--no-annotate"]
    if extra and extra != ALONE:
        argv += ["--extra", extra]
    if extra:
        argv += arguments
    if extra != "dev":
        # The full file was written just before: what is installed is what was tested.
        argv += ["--constraint", str(path_of("", version).relative_to(ROOT))]
    if not extra:
        target.unlink(missing_ok=True)
    argv += ["--output-file", str(target.relative_to(ROOT))]
    print(f"requirements: {target.name}", flush=True)
    # A folder of wheels on this machine must not decide what everybody gets.
    foreign = ("PIP_FIND_LINKS", "UV_FIND_LINKS", "PIP_CONSTRAINT", "UV_CONSTRAINT")
    env = {key: value for key, value in os.environ.items() if key not in foreign}
    wanted = "".join(f"{line}\n" for line in _project()["optional-dependencies"][ALONE])
    given = wanted if source == "-" else None
    subprocess.run(argv, cwd=ROOT, env=env, check=True, input=given, text=True)


def _project() -> Dict[str, Any]:
    with open(ROOT / "pyproject.toml", "rb") as file:
        project: Dict[str, Any] = tomllib.load(file)["project"]
    return project


if __name__ == "__main__":
    commands = {"update": lambda: update(sys.argv[2:]), "verify": verify}
    sys.exit(commands[sys.argv[1]]())
