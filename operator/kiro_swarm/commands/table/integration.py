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
                "Send work that conflicts back to its task to be done again.",
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
        help="Merge one branch of the repository.",
        examples=("merge branch feature/login", "merge branch feature/login into main"),
        arguments=(
            _branch("branch", "The short name of the branch."),
            _branch("target", "Where to. Default: the integration branch.", "into"),
        ),
    ),
    Command(
        verb="resolve",
        noun="conflicts",
        permission="resolve",
        help="Show what conflicts, and who is asked to resolve it.",
        examples=("resolve conflicts", "resolve conflicts auto"),
        modifiers=(
            Modifier(
                "auto",
                "Send every task that conflicts back to be done again.",
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
        help="Fetch the repository again and follow what changed in its plan.",
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
        help="Fetch one branch of the repository again.",
        examples=("sync branch main", "git sync branch feature/parallel-dev"),
        arguments=(_branch("branch", "The short name of the branch."),),
        synonyms=("git sync|pull|fetch branch",),
    ),
)
