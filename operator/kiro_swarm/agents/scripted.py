"""The scripted agent: not a language model, a deterministic stand-in for one.

``kiro-swarm scripted-agent`` runs it as the agent command of samples and tests. It looks
for a recipe for the task in ``.kiro/scripted-agent.json`` of the repository and follows
it; without one it writes the task's text to a note. It touches nothing outside the
worktree it was started in, nor the repository's own ``.git``.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path, PurePosixPath
from typing import Callable, Mapping, Optional, Union

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from kiro_swarm.api.faults import first_fault

RECIPES = Path(".kiro") / "scripted-agent.json"
BANNER = "scripted agent: not a language model"


class ScriptError(Exception):
    """The recipe cannot be followed; the message says which and why."""


class Append(BaseModel):
    """Text to put at the end of a file."""

    model_config = ConfigDict(extra="forbid")

    append: str


class Step(BaseModel):
    """What to do: how long, which files, what to say, whether to commit, exit code."""

    model_config = ConfigDict(extra="forbid")

    seconds: float = Field(default=0, ge=0, le=3600)
    files: dict[str, Union[str, Append]] = Field(default_factory=dict)
    say: list[str] = Field(default_factory=list)
    commit: bool = False
    exit: int = Field(default=0, ge=0, le=255)


class Recipe(Step):
    """A step, and others that take its place.

    ``firstAttempt`` does on an attempt without a brief, ``cycles`` in the first cycles of
    beast mode, one each.
    """

    first_attempt: Optional[Step] = Field(default=None, alias="firstAttempt")
    cycles: list[Step] = Field(default_factory=list, max_length=20)

    def step_for(self, attempt: int, brief: str, cycle: int) -> Step:
        """The step for this attempt and cycle; ``cycle`` is 0 outside of beast mode."""
        if 1 <= cycle <= len(self.cycles):
            return self.cycles[cycle - 1]
        if self.first_attempt is not None and attempt == 1 and not brief:
            return self.first_attempt
        return self


_RECIPES: TypeAdapter[dict[str, Recipe]] = TypeAdapter(dict[str, Recipe])


def run(
    tree: Path,
    env: Mapping[str, str],
    prompt: str,
    say: Callable[[str], None],
    sleep: Callable[[float], None],
) -> int:
    """Work on the task named by ``env`` in ``tree``; returns the exit code to end with.

    ``env`` holds the KIRO_TASK_* variables, ``sleep`` takes seconds. Raises ScriptError.
    """
    task_id = env.get("KIRO_TASK_ID", "")
    if not task_id:
        raise ScriptError("KIRO_TASK_ID is not set; it names the task to work on")
    attempt = _whole(env, "KIRO_TASK_ATTEMPT", "1")
    cycle = _whole(env, "KIRO_TASK_CYCLE", "0")
    which = f"attempt {attempt}" + (f", cycle {cycle}" if cycle else "")
    say(BANNER)
    say(f"task {task_id}, {which}: {env.get('KIRO_TASK_TITLE', '')}")
    recipe = _read_recipes(tree).get(task_id)
    if recipe is None:
        step = _note(task_id, env.get("KIRO_TASK_TITLE", ""), prompt)
    else:
        step = recipe.step_for(attempt, env.get("KIRO_TASK_BRIEF", ""), cycle)
    _follow(step, tree, say, sleep)
    if step.commit:
        _commit(tree, f"{task_id} {env.get('KIRO_TASK_TITLE', '')}".strip())
        say("committed")
    return step.exit


def _whole(env: Mapping[str, str], name: str, default: str) -> int:
    text = env.get(name, default)
    if not (text.isascii() and text.isdigit()):
        raise ScriptError(f"{name} is {text!r}; it must be a number")
    return int(text)


def _read_recipes(tree: Path) -> dict[str, Recipe]:
    path = tree / RECIPES
    if not path.is_file():
        return {}
    try:
        return _RECIPES.validate_json(path.read_bytes())
    except ValidationError as error:
        fault = first_fault(error, whole="the file")
        raise ScriptError(f"{RECIPES}: {fault}") from error


def _note(task_id: str, title: str, prompt: str) -> Step:
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", task_id).lstrip(".-") or "task"
    return Step(
        files={f".kiro/notes/{name}.md": f"# {task_id} {title}\n\n{prompt}"},
        say=[f"no recipe for {task_id}; its text goes to .kiro/notes/{name}.md"],
    )


def _follow(
    step: Step, tree: Path, say: Callable[[str], None], sleep: Callable[[float], None]
) -> None:
    targets = {name: _inside(tree, name) for name in step.files}
    pause = step.seconds / (len(step.say) + 1)
    for line in step.say:
        say(line)
        sleep(pause)
    sleep(pause)
    for name, content in step.files.items():
        target = targets[name]
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Append):
            with target.open("a", encoding="utf-8") as file:
                file.write(content.append)
        else:
            target.write_text(content, encoding="utf-8")
        say(f"wrote {name}")


def _inside(tree: Path, name: str) -> Path:
    """The path of ``name`` in ``tree``, refused where it leads out of it or into .git."""
    relative = PurePosixPath(name)
    root = tree.resolve()
    target = (root / relative).resolve()
    if relative.is_absolute() or ".." in relative.parts or root not in target.parents:
        raise ScriptError(f"{RECIPES}: {name!r} leads out of the repository")
    if target.relative_to(root).parts[0].lower() == ".git":
        raise ScriptError(f"{RECIPES}: {name!r} is inside .git")
    return target


def _commit(tree: Path, message: str) -> None:
    git = ["git", "-c", "user.name=scripted agent", "-c", "user.email=agent@kiro.dev"]
    for command in (["add", "-A"], ["commit", "-q", "--allow-empty", "-m", message]):
        done = subprocess.run(
            [*git, *command], cwd=tree, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ScriptError(f"git {command[0]} failed: {done.stderr.strip()}")
