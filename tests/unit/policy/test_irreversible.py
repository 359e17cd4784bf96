"""Nothing of the program is irreversible without a row that says what it waits for."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Union

import pytest
from typing_extensions import TypeGuard

import kiro_swarm
from kiro_swarm.policy.irreversible import ACTS, Act

PACKAGE = Path(kiro_swarm.__file__).parent
#: Calls by their last name; what a set has is removed from a list or a dict as well, so those
#: with a plain name count, and these of ``os`` and ``shutil``.
_METHODS = {"delete", "unlink", "rmtree", "rmdir", "drop_refs", "truncate", "ftruncate"}
_FUNCTIONS = {
    *("remove", "discard", "clear_folder", "deleted"),
    *("unlink", "rmtree", "rmdir", "drop_refs", "truncate", "ftruncate"),
}
#: What stands at the target of these is lost.
_RENAMES = {"rename", "renames", "replace", "move", "exchange"}
_MODULES = {"os", "shutil"}
#: Commands of git that move a ref or lose what no ref leads to.
_GIT = {
    *("update-ref", "branch", "reset", "worktree", "push", "gc"),
    *("prune", "reflog", "repack", "stash", "clean", "checkout", "rebase", "merge"),
    *("fast-import", "checkout-index", "filter-branch", "replace", "restore", "switch"),
}
#: Who carries out what others decide, and the command line, which asks the API server.
_ELSEWHERE = ("cli/",)


class Site(NamedTuple):
    """A call that cannot be taken back, in a function."""

    line: int
    function: ast.AST


def sites(package: Path) -> dict[str, list[Site]]:
    """``module.py:function`` -> the irreversible calls in it."""
    found: dict[str, list[Site]] = {}
    for path in sorted(package.rglob("*.py")):
        module = path.relative_to(package).as_posix()
        if not module.startswith(_ELSEWHERE):
            tree = ast.parse(path.read_text())
            for place, site in _in(tree, (), tree):
                found.setdefault(f"{module}:{place}", []).append(site)
    return found


@functools.cache
def of_the_package() -> dict[str, list[Site]]:
    """Those of the program itself."""
    return sites(PACKAGE)


def _in(
    node: ast.AST, names: tuple[str, ...], function: ast.AST
) -> Iterator[tuple[str, Site]]:
    for child in ast.iter_child_nodes(node):
        inner, within = names, function
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            inner, within = (*names, child.name), child
        elif isinstance(child, ast.ClassDef):
            inner = (*names, child.name)
        elif _is_irreversible(child):
            yield ".".join(names), Site(child.lineno, function)
        yield from _in(child, inner, within)


def _is_irreversible(node: ast.AST) -> TypeGuard[Union[ast.Call, ast.Dict]]:
    if isinstance(node, ast.Dict):
        # A patch of finalizers: the last one lets an object go.
        return any(
            isinstance(k, ast.Constant) and k.value == "finalizers" for k in node.keys
        )
    return isinstance(node, ast.Call) and _call_is(node)


def _call_is(call: ast.Call) -> bool:
    name = called(call)
    if name == "partial" and isinstance(call.args[0], ast.Attribute):
        return call.args[0].attr in _METHODS  # whoever gets it calls it
    if any(keyword.arg == "there" for keyword in call.keywords):
        return True  # of a finalizer
    if name in _RENAMES and isinstance(call.func, ast.Attribute):
        of = call.func.value
        known = isinstance(of, ast.Name) and of.id in _MODULES
        # A path has one argument for it; so has no text that is replaced, nor a moment.
        return known or (name != "replace" and bool(call.args)) or len(call.args) == 1
    if isinstance(call.func, ast.Name):
        return name in _FUNCTIONS
    if name in _METHODS:
        return True
    if name in ("push", "fetch"):
        # Of the remote; who calls ``Merging.push`` pushes by way of it.
        return len(call.args) > 1
    words = [word for argument in call.args for word in _words(argument)]
    return name == "run" and bool(_GIT & set(words[:8]))


def _words(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield inner.value


def called(call: ast.Call) -> str:
    """The last name of what is called."""
    func = call.func
    if isinstance(func, ast.Attribute):
        return func.attr
    return func.id if isinstance(func, ast.Name) else ""


def test_every_irreversible_act_has_a_row_and_no_other() -> None:
    assert len({act.place for act in ACTS}) == len(ACTS)
    assert {act.place for act in ACTS} == set(of_the_package())


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.place)
def test_an_act_asks_its_guard_first(act: Act) -> None:
    """Before the last call of a function: it may have cleared its own scratch before that."""
    assert act.does
    assert act.because
    if act.guard:
        last = max(of_the_package()[act.place], key=lambda site: site.line)
        assert asks(last, act.guard, act.raises), f"{act.place}: {act.guard}"


def _deleter(call: ast.Call) -> str:
    """What a call calls, or lets another one call."""
    return ast.unparse(call.args[0] if called(call) == "partial" else call.func)


def by_uid_alone(there: dict[str, list[Site]]) -> set[str]:
    """Where an object of the API server is deleted, whatever has become of it since."""
    return {
        place
        for place, found in there.items()
        for site in found
        for node in ast.walk(site.function)
        if isinstance(node, ast.Call)
        and node.lineno == site.line
        and _deleter(node).endswith("client.delete")
        and not {"uid", "version"} <= {word.arg for word in node.keywords}
    }


def test_an_object_is_deleted_as_it_was_read_or_there_is_a_reason() -> None:
    assert by_uid_alone(of_the_package()) == {
        a.place for a in ACTS if a.whatever_changed
    }


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("x, y", True),
        ("x, y, uid=u", True),
        ("x, y, version=v", True),
        ("x, y, uid=u, version=v", False),
    ],
)
@pytest.mark.parametrize(
    "call", ["await ctx.client.delete({})", "take(partial(ctx.client.delete, {}))"]
)
def test_a_deletion_by_uid_alone_is_found(
    tmp_path: Path, given: str, found: bool, call: str
) -> None:
    body = f"async def new(ctx, x, y, u, v):\n    {call.format(given)}\n"
    (tmp_path / "module.py").write_text(body)
    assert by_uid_alone(sites(tmp_path)) == ({"module.py:new"} if found else set())


def asks(site: Site, guard: str, raises: bool) -> bool:
    """Whether a function asks its guard before a call, and what it says is not thrown away.

    A guard that raises need not be looked at; of another one the answer is used. An attribute
    is a guard where it decides: ``if step.go``.
    """
    bare = {
        id(node.value) for node in ast.walk(site.function) if isinstance(node, ast.Expr)
    }
    bare |= {
        id(node.value.value)
        for node in ast.walk(site.function)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Await)
    }
    for node in ast.walk(site.function):
        if getattr(node, "lineno", site.line + 1) > site.line:
            continue
        if isinstance(node, ast.Call) and called(node) == guard:
            if raises or id(node) not in bare:
                return True
        elif isinstance(node, ast.If):
            tested = ast.walk(node.test)
            if any(isinstance(n, ast.Attribute) and n.attr == guard for n in tested):
                return True
    return False


@pytest.mark.parametrize(
    ("body", "raises", "right"),
    [
        ("if may(x):\n        remove(x)", False, True),
        ("ok = may(x)\n    if ok:\n        remove(x)", False, True),
        ("if step.may:\n        remove(x)", False, True),
        ("may(x)\n    remove(x)", True, True),
        ("may(x)\n    remove(x)", False, False),
        ("remove(x)\n    if may(x):\n        pass", False, False),
        ("remove(x)", True, False),
    ],
)
def test_an_answer_that_nobody_looks_at_is_no_guard(
    tmp_path: Path, body: str, raises: bool, right: bool
) -> None:
    (tmp_path / "module.py").write_text(f"def new(x, step):\n    {body}\n")
    ((site,),) = sites(tmp_path).values()
    assert asks(site, "may", raises) is right


@pytest.mark.parametrize(
    "written",
    [
        "async def new(ctx, x):\n    await ctx.client.delete(CLAIMS, x)\n",
        "def new(x):\n    remove(x)\n",
        "def new(x, y):\n    os.rename(x, y)\n",
        "def new(x, y):\n    os.replace(x, y)\n",
        "def new(x, y):\n    x.rename(y)\n",
        "def new(x, y):\n    x.replace(y)\n",
        "def new(x, y):\n    shutil.move(x, y)\n",
        "def new(c):\n    c.patch(x, {'metadata': {'finalizers': []}})\n",
        "async def new(c, x):\n    await _set(c, x, there=False)\n",
        "def new(x):\n    shutil.rmtree(x)\n",
        "def new(x):\n    os.unlink(x)\n",
        "def new(x):\n    x.unlink()\n",
        "def new(x):\n    os.truncate(x, 0)\n",
        "def new(git):\n    git.run('fast-import', '--force')\n",
        "def new(git):\n    git.run('checkout-index', '--force', '--all')\n",
        "def new(x, y):\n    done.drop_refs(x, y)\n",
        "def new(x, y):\n    drop_refs(x, y)\n",
        "def new(git):\n    git.run('update-ref', '-d', 'refs/heads/main')\n",
        "def new(git):\n    git.run(*('-c', 'gc.auto=0', 'gc'), '--prune=now')\n",
        "def new(remote, git):\n    remote.push(git, '+a:b')\n",
        "def new(remote, git):\n    remote.fetch(git, ['+a:b'])\n",
        "class A:\n    def new(self, git):\n        git.run('branch', '-D', 'x')\n",
    ],
)
def test_a_new_one_is_found(tmp_path: Path, written: str) -> None:
    (tmp_path / "module.py").write_text(written)
    (place,) = sites(tmp_path)
    assert place.endswith("new")


def test_what_can_be_taken_back_is_none(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(
        "def f(a, git, t):\n    a.remove(1)\n    t.replace('a', 'b')\n    t.replace(tzinfo=1)\n"
        "    replace(a, b=1)\n    git.run('log', 'x')\n    a.push()\n"
    )
    assert sites(tmp_path) == {}
