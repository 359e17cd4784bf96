"""Every act of this program that cannot be taken back, and the fact that it waits for. Data.

Read by tests/unit/policy/test_irreversible.py, which finds the places in the code where anything
is deleted, a ref moved or something pushed: each is a row here, and calls its guard before.

Whoever adds such a place adds a row, and thereby says where the same can still be found.
``guard`` is a call in the same function, or an attribute that it tests, that has to come first and
whose answer is used. Where there is none, ``because`` says why nothing is lost that anybody needs.

It is about the code and decides nothing, as ``UNASKED`` of ``ownership``: it is here, and not among
the tests, for whoever changes such a place looks for it beside the decisions that it names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Act:
    """One function that does something irreversible."""

    place: str
    """``module.py:function``, below the package."""
    does: str
    guard: str
    because: str
    """The fact that the guard establishes, or why none is needed."""
    raises: bool = False
    """Whether the guard raises where the fact is not there; else its answer decides."""
    whatever_changed: str = ""
    """Why an object is deleted by its uid alone, and not as it was read."""


_FRESH: Final = "what it removes it has made itself"
_AGENTS: Final = (
    "work of the agent that is Done was kept elsewhere before it was reported; what else is in"
    " the folder of an instance belongs to no attempt any more"
)
_PODS: Final = (
    "a pod holds nothing: its task is given away again, what is Done was kept"
)

ACTS: Final[tuple[Act, ...]] = (
    # The API server.
    Act(
        "reconcile/swarms/expiry.py:expire",
        "deletes a KiroSwarm, and with it its volume",
        "expires_at",
        "where a push is wanted the repository has the branch, by the ledger, the last Job ended"
        " well, and no Job runs",
    ),
    Act(
        "reconcile/swarms/rescue.py:_let_go",
        "takes the finalizer from a KiroSwarm that is being deleted: its volume goes",
        "go",
        "a Job that was made when all was Done that is says that what was nowhere else is pushed"
        " (next_step), by a read after the last pod of an instance has ended or the time is over"
        " (_last_look: it is told of whom nothing is known), or"
        " nothing was ever there (has_begun), or a person, the end of the namespace or"
        " the time in which Jobs were tried lets it go, which is told by an Event first",
    ),
    Act(
        "reconcile/swarms/rescue.py:_end",
        "deletes Jobs of a KiroSwarm that is being deleted",
        "hang",
        "half of the time is over, and they keep the volume from the Job that rescues; what they"
        " moved is in the mirror, and that Job finds it",
    ),
    Act(
        "reconcile/swarms/rescue.py:_end_instances",
        "deletes the pods of the instances of a KiroSwarm that is let go",
        "is_owned",
        "what is Done is saved; what a runner finishes until it ends is looked for after it",
    ),
    Act(
        "reconcile/swarms/rescue.py:keep_until_rescued",
        "takes the finalizer from a KiroSwarm that is not being deleted",
        "on_delete",
        "its spec does not ask for a rescue any more",
    ),
    Act(
        "reconcile/swarms/rescue.py:_set",
        "writes the finalizers of a KiroSwarm as they were seen, by its version",
        "",
        "whoever calls it has a row",
    ),
    Act(
        "reconcile/swarms/members.py:reconcile",
        "deletes a KiroInstance",
        "leaving",
        "it has no task; its folder and what it has finished stay on the volume",
    ),
    Act(
        "reconcile/swarms/members.py:_drop_lease",
        "deletes the Lease of a KiroInstance that was deleted",
        "is_owned",
        "it is the heartbeat of nobody any more",
        whatever_changed="its runner renews it until the end",
    ),
    Act(
        "reconcile/swarms/integrate.py:reconcile",
        "deletes integrate Jobs",
        "superfluous",
        "the Job has ended, three later ones are there, and the status has counted it;"
        " what it moved is in the ledger",
    ),
    Act(
        "reconcile/swarms/moves.py:move_tasks",
        "deletes the pod of a busy instance",
        "silent_pods",
        "its runner was not heard of for as long as the swarm allows",
    ),
    Act(
        "reconcile/instances/instance.py:_end_pod",
        "deletes the pod of an instance",
        "promised",
        _PODS,
    ),
    Act(
        "reconcile/commands/afterwards.py:_expire",
        "deletes a SwarmCommand",
        "parse_time",
        "it has its answer, its line in the audit log (afterwards), and its time is up",
    ),
    Act(
        "reconcile/commands/afterwards.py:_drop_older_answers",
        "deletes SwarmCommands that only looked",
        "_holds_an_answer",
        "they changed nothing, and can be asked again",
    ),
    Act(
        "reconcile/commands/executors/commands.py:cleanup_swarm",
        "deletes finished commands and Jobs: no work, no volume, no branch",
        "_finished_jobs",
        "a Job that nobody reads any more; what it moved is in the ledger. A command whose"
        " line is in the audit log",
    ),
    Act(
        "reconcile/commands/executors/diagnostics.py:simulate_failure",
        "deletes a pod",
        "",
        _PODS,
    ),
    Act(
        "reconcile/commands/executors/restart.py:_let_go",
        "deletes a pod",
        "",
        _PODS,
    ),
    Act(
        "reconcile/commands/effects.py:_one",
        "carries out what the executors decided",
        "",
        "which objects may be in it is in the rows of the executors",
    ),
    Act(
        "reconcile/engine/context.py:Context.delete",
        "deletes one object as it was read, by uid and version",
        "",
        "whoever calls it has a row",
    ),
    # Refs of the mirror, and what is pushed.
    Act(
        "workspace/trials.py:advance",
        "moves the integration branch",
        "commit_id",
        "the branch is where the trial began, which the new commit contains; compare-and-swap",
    ),
    Act(
        "workspace/mirror.py:_branch_off",
        "makes the integration branch, and moves it while nothing is merged into it",
        "commit_id",
        "compare-and-swap: it is not there, or is where the swarm began",
    ),
    Act(
        "workspace/mirror.py:_forget_fetched",
        "drops refs and objects of a mirror that does not say whose it is, before it is claimed",
        "_has_work",
        "nothing is merged and nothing is finished there; the source has what was fetched",
    ),
    Act(
        "workspace/mirror.py:_fetch",
        "moves the refs of what was fetched last, forced, in a repository of its own",
        "list_refs",
        "only below refs/kiro, where nothing else is; they are brought into the mirror after",
    ),
    Act(
        "workspace/arriving.py:_move",
        "takes objects from where they arrived into the mirror",
        "",
        "git has checked them and made them durable; a file of the same name is the same",
    ),
    Act(
        "workspace/arriving.py:take_in",
        "moves the refs of what was fetched last, forced",
        "_check",
        "only below refs/kiro: the integration branch and where the swarm began are not among"
        " them, and lead to all that was merged; what they lead to is there to its end",
        raises=True,
    ),
    Act(
        "workspace/arriving.py:remove_left",
        "removes where something arrived for a process that was killed",
        "sole_owner",
        "nobody is at work there, and the server has what came; what the mirror has of it was"
        " renamed",
        raises=True,
    ),
    Act(
        "workspace/packed_refs.py:replace_below",
        "drops tags of the mirror",
        "_read",
        "all other refs were read and are written again; the source has these no longer, or as"
        " something else: nothing of ours is a tag, what the branch has stays, and so does what"
        " they were, for what was cut before",
    ),
    Act(
        "workspace/tags.py:_fetch",
        "fetches tag objects",
        "_readable",
        "only objects come, for no ref is named to be moved; and only those that are not here",
    ),
    Act(
        "workspace/upkeep.py:_drop_tags",
        "lets go of what dropped tags were",
        "_cut_at",
        "all that is in use was cut after they were dropped, and a day is over (dropped_before of"
        " tags.py); a source that drops thousands has the oldest go before",
    ),
    Act(
        "workspace/push.py:push_integration",
        "pushes the integration branch",
        "integration_head",
        "never forced: the repository refuses what would lose a commit of its own",
    ),
    Act(
        "workspace/rescue.py:_Rescue._together",
        "pushes finished work of a swarm that goes, many refs at once",
        "_has",
        "below refs/kiro/rescue and the uid of the swarm, where nobody works; never forced",
    ),
    Act(
        "workspace/rescue.py:_Rescue._push",
        "pushes what is nowhere else of a swarm that goes",
        "_has",
        "below refs/kiro/rescue and the uid of the swarm, where nobody works; never forced",
    ),
    Act(
        "workspace/push.py:_note",
        "moves the note of the last push",
        "is_ancestor",
        "the note only moves on; the ledger has the pushes before",
    ),
    Act(
        "workspace/done.py:take",
        "sets the ref of finished work",
        "take_in",
        "the mirror has the commit whole; an attempt has one",
        raises=True,
    ),
    Act(
        "workspace/done.py:forget",
        "removes the refs of merged tasks",
        "run",
        "git says that the branch contains it, or the branch has a later attempt of the task",
    ),
    Act(
        "workspace/upkeep.py:_drop_refs",
        "removes the refs of finished attempts",
        "get",
        "a later attempt of the task has begun; of a task that is unknown, none goes",
    ),
    Act(
        "workspace/upkeep.py:_empty",
        "empties the folder of an instance that is gone",
        "_mark",
        "no task names the instance, the swarm wants fewer, and nothing was cut there since that"
        " was asked; what it finished is elsewhere",
    ),
    Act(
        "workspace/upkeep.py:_tidy_place",
        "removes finished work from a shelf",
        "is_leaving",
        "half made or half removed by a process that was killed, followed by a later attempt of"
        " the task, or on the branch",
    ),
    Act(
        "workspace/upkeep.py:_remove_halves",
        "removes what killed processes left in the mirror",
        "owned",
        "whoever made it would hold the lock",
    ),
    Act(
        "workspace/upkeep.py:_pack",
        "packs the mirror and removes what no ref leads to",
        "_are_on",
        "it is older than a day, and all attempts under way began from the branch",
    ),
    Act(
        "workspace/finished.py:_keep",
        "replaces what was kept of the same attempt",
        "take_in",
        "the new copy is whole and proved; the old one was another commit of this attempt",
        raises=True,
    ),
    Act(
        "workspace/done.py:remove_adopted",
        "removes finished work from where its runner kept it",
        "commit_id",
        "the mirror has it under its ref",
    ),
    # Folders of agents.
    *(
        Act(place, does, "", _AGENTS)
        for place, does in (
            ("workspace/instance.py:_remove", "empties the folder of an instance"),
            ("workspace/instance.py:cut", "begins the branch of an attempt anew"),
            (
                "workspace/instance.py:Instance.restore_settings",
                "removes what could run code",
            ),
            ("workspace/evidence.py:_gather", "replaces the index of an agent"),
            ("workspace/standing.py:check_state", "concludes a merge"),
            ("workspace/restore.py:restore", "goes back to what the attempt committed"),
            (
                "workspace/restore.py:_remove_strangers",
                "removes what a check has written",
            ),
            ("sandbox/renewal.py:Renewal._clear", "empties a container"),
        )
    ),
    Act(
        "workspace/standing.py:head_on_branch",
        "moves the branch of an attempt to where its agent stands",
        "is_ancestor",
        "it contains the base, and whatever the branch had",
    ),
    Act(
        "workspace/evidence.py:_sign",
        "replaces the last commit of an agent",
        "carries",
        "by one with the same tree and parents, that names the attempt; compare-and-swap",
    ),
    # Its own scratch.
    *(
        Act(place, does, "", _FRESH)
        for place, does in (
            ("workspace/intake.py:_own_repository", "removes its repository"),
            ("workspace/checkout.py:checkout_tree", "empties the folder of a gate"),
            ("workspace/mirror.py:_make", "replaces the mirror's settings by ours"),
            ("workspace/probe.py:_use", "removes the file that it tries a volume with"),
            ("workspace/unchanged.py:as_checked_out", "removes what it compares with"),
            (
                "workspace/uncommitted.py:with_uncommitted",
                "writes a branch of the repository that a look ahead was made for",
            ),
            ("workspace/locks.py:_open", "replaces what stands for a lock"),
            ("workspace/locks.py:remove_stale_locks", "removes locks of nobody alive"),
            ("workspace/plain.py:make_plain", "removes what git waits at"),
            ("sandbox/listener.py:Listener.close", "removes its socket"),
            ("sandbox/listener.py:Listener.restore", "removes its socket"),
        )
    ),
    # What all of these are made of.
    *(
        Act(place, "removes what it is told to", "", "whoever calls it has a row")
        for place in (
            "sandbox/disk.py:_move_out",
            "sandbox/disk.py:_remove_files",
            "sandbox/disk.py:_remove_anyway",
            "sandbox/disk.py:_remove_folders",
            "sandbox/disk.py:real_folder",
            "sandbox/disk.py:remove",
            "workspace/disk.py:write_plain",
            "workspace/done.py:drop_refs",
            "workspace/finished.py:discard",
        )
    ),
)
