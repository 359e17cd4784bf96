"""Bad input of each sort with some variants: every answer is clear and names the place."""

from __future__ import annotations

import pytest

from kiro_swarm.commands.errors import SentenceError
from kiro_swarm.commands.parser import parse

LIMITS = "count must be an integer from 0 to 1000 (the limits of spec.instances), got"
SHORT = "give the short branch name, not"

BAD: list[tuple[str, str, int]] = [
    # a misspelt command
    ("sclae swarm demo to 3", "did you mean 'scale'?", 1),
    ("mergee branch t1 into main", "did you mean 'merge'?", 1),
    ("  aprove task 2.1", "did you mean 'approve'?", 3),
    # numbers
    ("scale swarm demo to -1", f"{LIMITS} '-1' (column 21)", 21),
    ("scale swarm demo to 1e9", f"{LIMITS} '1e9' (column 21)", 21),
    ("scale swarm demo to 1001", f"{LIMITS} '1001' (column 21)", 21),
    ("scale swarm to 0x10", f"{LIMITS} '0x10' (column 16)", 16),
    ("scale swarm count=-1", f"{LIMITS} '-1' (column 19)", 19),
    # names
    ("scale swarm Demo_1 to 3", "'Demo_1' is not a valid name: use a-z, 0-9", 13),
    ("pause instance Demo_1", "'Demo_1' is not a valid name: use a-z, 0-9", 16),
    ("assign task T9 to Demo_1", "'Demo_1' is not a valid name: use a-z", 19),
    ("reassign tasks from ../x", "'../x' is not a valid instance: use a-z", 21),
    ("cancel command a..b", "'' is not a valid name: use a-z, 0-9", 16),
    ("cancel command " + "a." * 130 + "a", "name has at most 253 characters", 16),
    # branches
    (
        "merge branch ../../etc/passwd into main",
        "branch '../../etc/passwd' is not allowed: '..' in a ref (column 14)",
        14,
    ),
    ("merge branch t1 into a..b", "branch 'a..b' is not allowed: '..' in a ref", 22),
    (
        "merge branch a$(id) into main",
        "branch contains '$' at position 2; allowed: A-Z a-z 0-9 . _ - / (column 14)",
        14,
    ),
    ('sync branch "a b"', "branch contains ' ' at position 2; allowed:", 13),
    ("sync branch tästchen", "branch contains 'ä' at position 2; allowed:", 13),
    ("sync branch a@{1}", "branch contains '@' at position 2; allowed:", 13),
    ("sync branch a~1", "branch contains '~' at position 2; allowed:", 13),
    ("merge branch refs/heads/main into main", f"{SHORT} 'refs/heads/main'", 14),
    ("merge branch t1 into refs/heads/main", f"{SHORT} 'refs/heads/main'", 22),
    ("sync branch refs/", f"{SHORT} 'refs/'", 13),
    ("sync branch -f", "begins with a letter, digit or '_'", 13),
    ("sync branch a/.b", "begins with a letter, digit or '_'", 13),
    ("sync branch a//b", "begins with a letter, digit or '_'", 13),
    ("sync branch a/", "begins with a letter, digit or '_'", 13),
    ("sync branch a.lock", "does not end with '.' or '.lock'", 13),
    ("sync branch a.", "does not end with '.' or '.lock'", 13),
    ('sync branch ""', "begins with a letter, digit or '_'", 13),
    ("sync branch " + "a" * 245, "a branch has at most 244 characters", 13),
    # quotes
    ('send "unterminated to all', "missing closing quote for the one opened at", 6),
    ('reject task 1 reason="no', "the one opened at column 22", 22),
    ('test protocol parse "run', "the one opened at column 21", 21),
    # nothing, and what cannot be seen
    ("", "empty command", 1),
    ("     ", "empty command", 1),
    ("run \x00task 1", "control character U+0000 at column 5", 5),
    ("run \ttask 1", "control character U+0009 at column 5", 5),
    # a task that cannot be
    ("assign task ../T99 to demo-1", "'../T99' is not a valid id: use letters", 13),
    ("explain task -x", "'-x' is not a valid id: use letters, digits", 14),
    # durations, lists, choices
    ("retry failed messages since=10", "since must be a duration from 1s to 7d", 29),
    ("retry failed messages since=1h1h", "written as 90s, 10m or 1h30m", 29),
    ("retry failed messages since=8d", "from 1s to 7d", 29),
    ("retry failed messages since=", "since must be a duration", 29),
    ("retry failed messages since=-1m", "since must be a duration", 29),
    ("retry failed messages to=a,,b", "'' is not a valid to", 26),
    ("retry failed messages to=a,B", "'B' is not a valid to", 26),
    (
        "retry failed messages to=" + "a," * 50 + "a",
        "to takes at most 50 names, got 51",
        26,
    ),
    ("test failure simulate fire", "kind must be instance-crash, got 'fire'", 23),
    # words before a value, without the value
    ("merge branch t1 into", "'merge branch' needs TARGET (a short branch name)", 21),
    ("assign task T9 to", "needs NAME (the name of an instance) at column 18", 18),
    ("reject task 2.1 because", "needs REASON (a text) at column 24", 24),
    ("reassign tasks from", "needs INSTANCE (the name of an instance)", 20),
    ("scale swarm to", "needs COUNT (an integer from 0 to 1000) at column 15", 15),
    # too much, or twice
    ("merge branch t1 main", "expected into TARGET or the end of the sentence", 17),
    ("assign task T9 to a to b", "'name' is given twice (column 21)", 21),
    (
        "reject task 2.1 reason=no tests",
        "several words that are one value stand in quotes",
        27,
    ),
    ("pause swarm now 2.1", "unexpected '2.1' at column 17", 17),
]


@pytest.mark.parametrize(
    ("text", "words", "position"), BAD, ids=[row[0][:50] or "nothing" for row in BAD]
)
def test_a_bad_text_gets_a_clear_answer(text: str, words: str, position: int) -> None:
    with pytest.raises(SentenceError) as caught:
        parse(text)
    assert words in caught.value.message
    assert caught.value.position == position
    assert len(caught.value.message) < 500
