"""What of ``kubectl swarm ...`` is the swarm, the view, the sentence."""

from __future__ import annotations

from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.cli.kubectl.failure import NOT_UNDERSTOOD, Failure
from kiro_swarm.cli.kubectl.route import VIEWS, Route, route
from kiro_swarm.cli.kubectl.spoken import VALUED
from kiro_swarm.cli.tasks import tasks
from kiro_swarm.commands.parser import PARSER


@pytest.mark.parametrize(
    ("line", "view", "swarm", "rest"),
    [
        # Sentences, with and without a swarm before them.
        ("run task 2.1", None, "", "run task 2.1"),
        ("shop run task 2.1", None, "shop", "run task 2.1"),
        ("-n team shop run task 2.1", None, "shop", "-n team run task 2.1"),
        ("-n=team shop status", None, "shop", "-n=team status"),
        ("shop -n team status swarm", None, "shop", "-n team status swarm"),
        ("shop scale instances -1", None, "shop", "scale instances -1"),
        ("RUN task 2.1", None, "", "RUN task 2.1"),
        # Views.
        ("watch", "watch", "", ""),
        ("shop watch", "watch", "shop", ""),
        ("shop logs 2.1 -f", "logs", "shop", "2.1 -f"),
        ("logs -c runner shop-1", "logs", "", "-c runner shop-1"),
        ("", "help", "", ""),
        ("--help", "help", "", "--help"),
        # Words of the language that are views, too.
        ("get", "get", "", ""),
        ("shop get -o wide tasks", "get", "shop", "-o wide tasks"),
        ("get swarm status", None, "", "get swarm status"),
        ("shop diff 2.1", "diff", "shop", "2.1"),
        ("diff task 2.1", None, "", "diff task 2.1"),
        ("explain 2.1 -o json", "explain", "", "2.1 -o json"),
        ("explain task 2.1", None, "", "explain task 2.1"),
        ("logs task 2.1", None, "", "logs task 2.1"),
        # Swarms that are called like a word of the language or a view.
        ("run -- status swarm", None, "run", "-- status swarm"),
        ("watch -- status swarm", None, "watch", "-- status swarm"),
        ("-- get status", None, "", "-- get status"),
        ("--swarm run status swarm", None, "", "--swarm run status swarm"),
        ("--swarm=watch get tasks", "get", "", "--swarm=watch tasks"),
        ("stats status swarm", None, "stats", "status swarm"),
        # Slips are no swarms.
        ("statsu", None, "", "statsu"),
        ("scal up instances 3", None, "", "scal up instances 3"),
        ("Shop! run task 1", None, "", "Shop! run task 1"),
        # What is near to a word may be a swarm all the same.
        ("shop status", None, "shop", "status"),
        # What is wrong after a swarm is wrong there.
        ("shop run tsk 1", None, "shop", "run tsk 1"),
        ("notes aprove task 1.2", None, "notes", "aprove task 1.2"),
        ("-n team-a notes rejct task 2", None, "notes", "-n team-a rejct task 2"),
        ("notes scal up instances 2", None, "notes", "scal up instances 2"),
        ("notes delete swarm", None, "notes", "delete swarm"),
        ("delete swarm", None, "", "delete swarm"),
    ],
)
def test_words_find_their_place(
    line: str, view: Optional[str], swarm: str, rest: str
) -> None:
    assert route(line.split()) == Route(view, swarm, tuple(rest.split()))


def test_a_sentence_may_be_one_argument() -> None:
    assert route(["status swarm detailed"]).view is None
    assert route(["shop", "status swarm"]) == Route(None, "shop", ("status swarm",))


def test_nothing_said_to_a_swarm_says_what_one_could_say() -> None:
    with pytest.raises(Failure) as caught:
        route(["shop"])
    assert caught.value.status == NOT_UNDERSTOOD
    assert str(caught.value) == "no view and no sentence begins with 'shop'"
    assert caught.value.hints[0].endswith(": kubectl swarm shop status swarm")


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("wach", "watch"),
        ("wacth", "watch"),
        ("evnts", "events"),
        ("timline", "timeline"),
        ("explan 2.1", "explain 2.1"),
        ("get taks", "get tasks"),
        ("tasks", "get tasks"),
        ("shop wacth", "shop watch"),
        ("shop get taks", "shop get tasks"),
        ("--swarm shop evnts", "--swarm shop events"),
        ("-n team shop wacth", "-n team shop watch"),
    ],
)
def test_a_slip_of_a_view_names_the_view(line: str, meant: str) -> None:
    with pytest.raises(Failure) as caught:
        route(line.split())
    assert caught.value.status == NOT_UNDERSTOOD
    assert caught.value.hints == (f"did you mean: kubectl swarm {meant}",)


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("foo bar 1", "'foo', nor with 'bar' if 'foo' is a swarm", "swarm get lists"),
        ("delete notes", "begins with 'delete'", "kubectl delete kiroswarm NAME"),
        ("tasks check a.md", "reads no files", "mean: kiro-swarm tasks check a.md"),
    ],
)
def test_what_fits_nothing_is_told_so(line: str, message: str, hint: str) -> None:
    with pytest.raises(Failure, match=message) as caught:
        route(line.split())
    assert caught.value.status == NOT_UNDERSTOOD
    assert hint in caught.value.hints[-1]


@pytest.mark.parametrize("line", ["event status swarm", "event watch"])
def test_a_swarm_that_is_called_nearly_like_a_view_is_a_swarm(line: str) -> None:
    assert route(line.split()).swarm == "event"


def test_an_empty_name_is_no_swarm_of_any_name() -> None:
    with pytest.raises(Failure, match="name of the swarm is empty"):
        route(["", "--", "stop", "all", "tasks"])


@pytest.mark.parametrize("word", sorted({*VIEWS, *PARSER.grammar.permissions}))
def test_a_word_of_ours_is_never_taken_for_a_swarm(word: str) -> None:
    assert route([word, "status", "swarm"]).swarm == ""
    assert route([word, "--", "status", "swarm"]).swarm == word


WORDS = st.sampled_from([*VIEWS, *sorted(VALUED), "--", "-x", "a", "run", "task", "é"])


@given(st.lists(WORDS | st.text(max_size=8), max_size=6))
def test_no_words_break_it_and_none_get_lost(argv: list[str]) -> None:
    try:
        way = route(argv)
    except Failure:
        return
    kept = [*way.rest, *filter(None, [way.swarm, way.view])]
    assert sorted(kept) == sorted(argv) or (way.view == "help" and not way.swarm)


def test_the_tool_for_files_is_named_for_all_that_it_does() -> None:
    assert set(tasks.commands) == {"check", "graph"}
    for name in tasks.commands:
        with pytest.raises(Failure, match="reads no files"):
            route(["tasks", name, "a.md"])
