"""Rows about branches and merging: merge, resolve, rollback, sync."""

from __future__ import annotations

from kiro_swarm.commands.table.rows import Argument, Command, Modifier


def _branch(name: str, help_text: str, after: str = "") -> Argument:
    return Argument(
        name, "branch", help_text, maximum=244, after=after, optional=bool(after)
    )


ROWS: tuple[Command, ...] = (
    Command(
        verb="merge",
        qualifier="completed",
        noun="branches",
        permission="merge",
        help="Merge the work of every task that is done.",
        examples=(
            "merge completed branches",
            "merge completed branches conflict-resolve",
        ),
        modifiers=(
            Modifier(
                "conflict-resolve",
                "Let what conflicts be done again, and wait until it is merged.",
                synonyms=("resolve-conflicts", "resolving-conflicts"),
            ),
        ),
        connectors=frozenset({"and"}),
        synonyms=(
            "merge [all] completed|finished|done branches|tasks|work",
            "merge all branches|tasks",
        ),
    ),
    Command(
        verb="merge",
        noun="branch",
        permission="merge",
        help="Merge the branch of a task that is done before all others.",
        examples=(
            "merge branch swarm/demo/2.1/1",
            "merge branch swarm/demo/2.1/1 into swarm/demo/integration",
        ),
        arguments=(
            _branch("branch", "The short name of the branch."),
            _branch("target", "Where to. Default: the integration branch.", "into"),
        ),
    ),
    Command(
        verb="resolve",
        noun="conflicts",
        permission="resolve",
        help="Let tasks that failed with a conflict be done again, the conflict in the brief.",
        examples=("resolve conflicts", "resolve conflicts auto"),
        modifiers=(
            Modifier(
                "auto",
                "Wait until each of them is merged or has failed again.",
                synonyms=("automatic", "automatically"),
            ),
        ),
        synonyms=("resolve [all] [merge] conflict|conflicts",),
    ),
    Command(
        verb="rollback",
        noun="integration",
        permission="rollback",
        help="Set the integration branch back to before a batch of merges.",
        examples=("rollback integration batch-5", "roll back integration batch-5"),
        arguments=(
            Argument("batch", "name", "The name of the batch of merges.", maximum=63),
        ),
        synonyms=("roll back integration", "revert|undo integration"),
        connectors=frozenset({"to"}),
        destructive=True,
        missing="returning the integration branch to a recorded commit and opening its "
        "tasks again is not part of this version",
    ),
    Command(
        verb="sync",
        noun="upstream",
        permission="sync",
        help="Merge what is new in the repository into the integration branch.",
        examples=("sync upstream", "git sync upstream"),
        synonyms=(
            "sync with|from upstream",
            "git sync|pull|fetch [with|from] upstream",
        ),
    ),
    Command(
        verb="sync",
        noun="branch",
        permission="sync",
        help="Merge a branch of the repository into the integration branch.",
        examples=("sync branch main", "git sync branch feature/parallel-dev"),
        arguments=(_branch("branch", "The short name of the branch."),),
        synonyms=("git sync|pull|fetch branch",),
    ),
)
