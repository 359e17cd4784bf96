"""The Dockerfile and the offline builder give the same image: their facts agree."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Dict, List, NamedTuple

import pytest

from hack.lib.image import facts
from hack.lib.image.dependencies import PYVENV, pip_options
from hack.lib.image.package import SOURCE

REPOSITORY = Path(__file__).resolve().parents[3]


class Stage(NamedTuple):
    """One stage of the Dockerfile: what it is made from and its instructions."""

    base: str
    name: str
    instructions: List[List[str]]

    def values(self, instruction: str) -> List[str]:
        return [value for name, value in self.instructions if name == instruction]


@pytest.fixture(scope="module")
def stages() -> Dict[str, Stage]:
    """Stages by name; the last one, which is the image, is called ``image``."""
    text = (REPOSITORY / "Dockerfile").read_text("utf-8")
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    found: Dict[str, Stage] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        instruction, value = line.split(None, 1)
        if instruction == "FROM":
            base, _, name = value.partition(" AS ")
            stage = Stage(base, name or "image", [])
            found[stage.name] = stage
        else:
            stage.instructions.append([instruction, value])
    return found


def test_both_begin_with_the_same_debian_pinned_to_a_day(
    stages: Dict[str, Stage],
) -> None:
    assert re.fullmatch(rf"debian:{facts.SUITE}-20\d{{6}}-slim", stages["base"].base)
    others = {stage.base for name, stage in stages.items() if name != "base"}
    assert others == {"base"}


def test_both_install_the_same_packages(stages: Dict[str, Stage]) -> None:
    (script,) = stages["base"].values("RUN")
    install = script.split("--no-install-recommends", 1)[1].split("&&")[0]
    assert tuple(shlex.split(install)) == facts.PACKAGES


def test_both_have_the_same_user(stages: Dict[str, Stage]) -> None:
    (script,) = stages["base"].values("RUN")
    assert f"groupadd --gid {facts.USER_ID} {facts.USER} " in script
    assert f"useradd --uid {facts.USER_ID} --gid {facts.USER} " in script
    home = f"install --directory --owner={facts.USER} --group={facts.USER} {facts.HOME}"
    assert script.endswith(home)
    assert f"--home-dir {facts.HOME} " in script
    assert stages["image"].values("USER") == [f"{facts.USER_ID}:{facts.USER_ID}"]


def test_both_start_the_same_way(stages: Dict[str, Stage]) -> None:
    image = stages["image"]
    (entrypoint,) = image.values("ENTRYPOINT")
    assert tuple(json.loads(entrypoint)) == facts.ENTRYPOINT
    assert image.values("WORKDIR") == [facts.WORKING_DIRECTORY]
    (environment,) = image.values("ENV")
    pairs = dict(pair.split("=", 1) for pair in shlex.split(environment))
    assert pairs == facts.ENVIRONMENT


def test_both_install_the_same_pinned_wheels_into_the_same_place(
    stages: Dict[str, Stage],
) -> None:
    stage = stages["dependencies"]
    assert [copy.split()[0] for copy in stage.values("COPY")] == [facts.REQUIREMENTS]
    script = stage.values("RUN")[1]
    words = shlex.split(script)
    assert words[words.index("--target") + 1] == facts.SITE_PACKAGES
    native = {"--disable-pip-version-check", "--implementation=cp"}
    wanted = {
        option
        for option in pip_options()
        if not option.startswith(("--platform=", "--python-version="))
    }
    assert wanted - native <= set(words)
    assert PYVENV.replace("\n", "\\n") in script
    assert f"ln -s /usr/bin/python3 {facts.PREFIX}/bin/python3" in script


def test_both_compile_without_checks_against_the_sources(
    stages: Dict[str, Stage],
) -> None:
    for name in ("dependencies", "package"):
        script = stages[name].values("RUN")[-1]
        assert "compileall -q --invalidation-mode unchecked-hash" in script


def test_the_image_takes_only_results_from_the_stages(stages: Dict[str, Stage]) -> None:
    assert stages["image"].values("RUN") == []
    assert stages["image"].values("COPY") == [
        f"--from=dependencies {facts.PREFIX} {facts.PREFIX}",
        "--from=package /package /",
    ]


def test_what_is_copied_exists_and_nothing_else_is_sent_to_the_engine(
    stages: Dict[str, Stage],
) -> None:
    copies = [copy for stage in stages.values() for copy in stage.values("COPY")]
    copied = {copy.split()[0] for copy in copies if not copy.startswith("--from=")}
    assert all((REPOSITORY / path).exists() for path in copied)
    assert SOURCE.split("/")[0] in copied
    lines = (REPOSITORY / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert rules[-1] == "**/__pycache__"
    assert {rule[1:] for rule in rules[1:-1]} == copied
