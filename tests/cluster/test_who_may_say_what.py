"""Who may say what to which swarm, asked of a real API server.

Six people (nobody, one a role, one whose role is bound to a single swarm) say every first
word to their own swarm, to another one beside it and to one elsewhere. What must come of it
is worked out from the table of commands and the roles, not from the policy.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import AsyncIterator, Dict, Iterator, List, Optional, Tuple

import pytest

from kiro_swarm.cluster import errors
from kiro_swarm.commands.errors import SentenceError
from kiro_swarm.commands.parser import parse
from kiro_swarm.commands.roles import ROLES
from kiro_swarm.commands.table import COMMANDS, VERB_SYNONYMS
from tests.cluster.chart import MANIFESTS, dump
from tests.cluster.kinds import command
from tests.cluster.people import (
    Person,
    Town,
    crowd,
    filling_in,
    people,
    town,
    wait_for_role,
)
from tests.cluster.writing import attempt, records, write
from tests.support.cluster import Cluster

#: First word -> permission, by reading the rows.
WORDS: Dict[str, str] = {}
for row in COMMANDS:
    phrases = [row.name, *row.synonyms, *VERB_SYNONYMS.get(row.verb, ())]
    for phrase in phrases:
        WORDS.update((word, row.permission) for word in phrase.split()[0].split("|"))

PERMISSIONS = sorted(set(WORDS.values()))


@pytest.fixture(scope="module")
def here(api_server: Cluster) -> Iterator[Town]:
    """The chart's policy, effective, and people with its roles."""
    with town(api_server, "who") as made:
        yield made


@pytest.fixture
async def persons(api_server: Cluster, here: Town) -> AsyncIterator[Dict[str, Person]]:
    async with crowd(api_server) as found:
        yield found


def swarms(here: Town) -> List[Tuple[str, str]]:
    """Own swarm, a namesake's neighbour, a namesake elsewhere."""
    return [(here.home, "demo"), (here.home, "other"), (here.elsewhere, "demo")]


def may(here: Town, person: str, permission: str, place: str, swarm: str) -> bool:
    """What RBAC must answer, as the bindings of people.py say it."""
    if place != here.home:
        return False
    if person == "one":
        return swarm == "demo" and permission in ROLES["operator"]
    return permission in ROLES.get(person, ())


def denial(person: str, word: str, place: str, swarm: str) -> str:
    """The sentence that a refused person reads."""
    permission = WORDS[word]
    role = next(name for name, held in ROLES.items() if permission in held)
    return (
        f"ValidatingAdmissionPolicy 'who-commands' with binding 'who-commands' denied "
        f'request: user "{person}" may not "{word}" kiroswarm {place}/{swarm} (needs the '
        f"permission '{permission}' on kiroswarms; the ClusterRole who-{role} has it)"
    )


async def test_every_word_of_everybody_to_every_swarm(
    here: Town, persons: Dict[str, Person]
) -> None:
    """The policy and ``auth can-i`` give the expected answer in every cell."""
    cells = [
        (person, word, place, swarm)
        for person in people()
        for word in sorted(WORDS)
        for place, swarm in swarms(here)
    ]
    assert len(cells) == 6 * len(WORDS) * 3
    answers = await asyncio.gather(
        *(
            persons[person].refusal(place, swarm, f"{word} something")
            for person, word, place, swarm in cells
        )
    )
    wrong = []
    for (person, word, place, swarm), answer in zip(cells, answers):
        wanted = may(here, person, WORDS[word], place, swarm)
        words = "" if wanted else denial(person, word, place, swarm)
        if (answer is None) != wanted or words not in str(answer):
            wrong.append((person, word, place, swarm, str(answer)))
    assert wrong == []
    refused = [answer for answer in answers if answer is not None]
    assert {type(answer) for answer in refused} == {errors.Forbidden}


async def test_can_i_agrees_with_the_policy(
    here: Town, persons: Dict[str, Person]
) -> None:
    cells = [
        (person, permission, place, swarm)
        for person in people()
        for permission in PERMISSIONS
        for place, swarm in swarms(here)
    ]
    answers = await asyncio.gather(
        *(
            persons[person].can_i(permission, place, swarm)
            for person, permission, place, swarm in cells
        )
    )
    wrong = [cell for cell, answer in zip(cells, answers) if answer != may(here, *cell)]
    assert wrong == []


@pytest.mark.parametrize(
    ("person", "verb", "name", "answer"),
    [
        ("operator", "scale", "kiroswarms/demo", "yes"),
        ("operator", "merge", "kiroswarms/demo", "no"),
        ("integrator", "merge", "kiroswarms/demo", "yes"),
        ("one", "stop", "kiroswarms/demo", "yes"),
        ("one", "stop", "kiroswarms/other", "no"),
        ("viewer", "create", "swarmcommands", "yes"),
        ("viewer", "patch", "kiroswarms/demo", "no"),
        ("admin", "delete", "kirotasks", "no"),
    ],
)
def test_kubectl_auth_can_i_as_the_documentation_says_it(
    api_server: Cluster, here: Town, person: str, verb: str, name: str, answer: str
) -> None:
    said = api_server.kubectl(
        *("auth", "can-i", verb, name, "-n", here.home, f"--as={person}"), check=False
    )
    assert said.stdout.strip() == answer


async def test_the_sample_lets_ben_operate_one_swarm(
    api_server: Cluster, here: Town
) -> None:
    sample = MANIFESTS / "samples" / "who-may-say-what.yaml"
    api_server.kubectl("apply", "-n", here.home, "-f", str(sample))
    wait_for_role(api_server, here.home, "ben", "stop", "shop")
    async with crowd(api_server, ["ben"]) as persons:
        ben = persons["ben"]
        for swarm, sentence, good in (
            ("shop", "stop all tasks", True),
            ("shop", "status swarm", True),
            ("shop", "merge completed branches", False),
            ("demo", "stop all tasks", False),
            ("demo", "status swarm", False),
        ):
            refused = await ben.refusal(here.home, swarm, sentence)
            assert (refused is None) == good, (swarm, sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "STOP all tasks",
        "Halt all tasks",
        "   stop all tasks",
        "  TERMINATE   instance demo-1  ",
    ],
)
async def test_case_and_spaces_do_not_hide_a_word(
    here: Town, persons: Dict[str, Person], sentence: str
) -> None:
    refused = await persons["viewer"].refusal(here.home, "demo", sentence)
    assert f'may not "{sentence.split()[0]}"' in str(refused)
    assert "'stop' on kiroswarms" in str(refused)
    assert await persons["operator"].refusal(here.home, "demo", sentence) is None


@pytest.mark.parametrize(
    "sentence",
    [
        "sclae instances 3",
        "   ",
        # The Kelvin sign: a program that is careless with case reads a k.
        "rollbac\u212a integration batch-5",
        '"stop" all tasks',
        '"stop all tasks"',
        "stop\u3000all tasks",
        "stop=all tasks",
        "\uff53top all tasks",
    ],
)
async def test_what_begins_with_no_word_of_the_language_is_nobodys_command(
    here: Town, persons: Dict[str, Person], sentence: str
) -> None:
    """It is admitted, for nothing comes of it: the parser refuses it."""
    assert await persons["nobody"].refusal(here.home, "demo", sentence) is None
    with pytest.raises(SentenceError):
        parse(sentence)


@pytest.mark.parametrize("forger", ["viewer", "admin"])
async def test_nobody_speaks_in_anothers_name(
    here: Town, persons: Dict[str, Person], forger: str
) -> None:
    say = persons[forger].refusal
    for name in ("operator", f"{forger} ", forger.upper(), "system:admin"):
        refused = await say(here.home, "demo", "status swarm", requestedBy=name)
        assert isinstance(refused, errors.Forbidden)
        assert (
            f'spec.requestedBy: user "{forger}" cannot speak for "{name}"; leave it out '
            f'or write spec.requestedBy: "{forger}"'
        ) in str(refused)
    for own in (forger, ""):
        assert await say(here.home, "demo", "status swarm", requestedBy=own) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [("admin", "somebody"), ("admin", ""), ("admin", None), ("", "admin")],
)
def test_nobody_writes_a_name_afterwards(
    api_server: Cluster, here: Town, before: str, after: Optional[str]
) -> None:
    """Not even who may do everything can sign a command of another, or his own, later."""
    item = command("status swarm", f"name-{uuid.uuid4().hex[:8]}")
    item["spec"]["requestedBy"] = before
    api_server.kubectl("create", "-n", here.home, "-f", "-", input=dump(item))
    refused = api_server.kubectl(
        *("patch", "swarmcommand", item["metadata"]["name"], "-n", here.home),
        *("--type=merge", "-p", json.dumps({"spec": {"requestedBy": after}})),
        check=False,
    )
    assert "a command is immutable" in refused.stderr


async def test_a_requester_can_be_demanded(api_server: Cluster) -> None:
    demanding = "--set=commands.requireRequestedBy=true"
    with town(api_server, "strict", demanding, refused="operator") as here:
        async with crowd(api_server, ["operator"]) as persons:
            say = persons["operator"].refusal
            refused = await say(here.home, "demo", "scale instances 3")
            assert isinstance(refused, errors.Forbidden)
            assert 'write spec.requestedBy: "operator"' in str(refused)
            asked = {"requestedBy": "operator"}
            assert await say(here.home, "demo", "scale instances 3", **asked) is None
            # Looking changes nothing, and what is no sentence neither.
            assert await say(here.home, "demo", "status swarm") is None
            assert await say(here.home, "demo", "sclae instances 3") is None


def test_the_requester_is_filled_in_where_the_cluster_can(
    api_server: Cluster, here: Town
) -> None:
    """And the same manifest can be applied again, in whatever way, by whomever."""
    with filling_in(api_server, here, "ann", "bob"):
        for name, way in (
            ("client", "--server-side=false"),
            ("server", "--server-side"),
        ):
            text = dump(command("scale instances 3", name))
            for person in ("ann", "ann", "bob"):
                api_server.kubectl(
                    *("apply", way, f"--as={person}", "--validate=false"),
                    *("-n", here.home, "-f", "-"),
                    input=text,
                )
            api_server.kubectl("replace", "-n", here.home, "-f", "-", input=text)
            made = api_server.get("swarmcommand", name, "-n", here.home)
            assert made["spec"]["requestedBy"] == "ann"
            assert made["metadata"]["generation"] == 1


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("x" * 4097, "may not be more than 4096"),
        ("x" * 1000000, "may not be more than 4096"),
        # 2,049 characters, 4,098 bytes.
        ("\u00e4" * 2049, "spec.command: may not be more than 4096 bytes"),
        ("status\x1b[2J swarm", "control characters"),
        ("status\u0000 swarm", "control characters"),
        ("status\u0085 swarm", "control characters"),
        ("status \u202eswarm", "direction overrides"),
        ("status \u200eswarm", "direction overrides"),
        ("status \ufeffswarm", "invisible characters"),
        ("status\u2028swarm", "invisible characters"),
    ],
    ids=lambda value: ascii(value[:24]),
)
async def test_a_text_that_is_too_long_or_unreadable_is_not_admitted(
    here: Town, persons: Dict[str, Person], sentence: str, words: str
) -> None:
    refused = await persons["admin"].refusal(here.home, "demo", sentence)
    assert isinstance(refused, errors.Invalid)
    assert words in refused.message
    assert len(refused.message) < 6000


async def test_a_text_of_4096_bytes_is_admitted(
    here: Town, persons: Dict[str, Person]
) -> None:
    for sentence in ("x" * 4096, "\u00e4" * 2048):
        assert await persons["admin"].refusal(here.home, "demo", sentence) is None


#: Who tries to write what a swarm writes, and whether that is his to write.
WRITERS: Dict[str, List[str]] = {
    "ed": [],
    "runner of demo": ["task", "lease"],
    "runner of other": [],
    "jobs of demo": ["task", "graph", "ledger"],
    "the operator": ["swarm", "task", "lease", "graph", "ledger", "audit"],
}


def test_what_machines_write_is_written_by_nobody_else(
    api_server: Cluster, here: Town
) -> None:
    """Each holds every right of RBAC: it is the policies that refuse."""
    with records(api_server, here) as made:
        done = {
            writer: [what for what in made if write(api_server, here, writer, what)]
            for writer in WRITERS
        }
    assert done == WRITERS


def test_a_refused_writer_reads_whose_it_is(api_server: Cluster, here: Town) -> None:
    with records(api_server, here):
        said = attempt(api_server, here, "ed", "task").stderr
        assert (
            'user "ed" may not write the status of kirotasks/demo.1: the operator writes '
            "it, and the runners and Jobs of swarm demo"
        ) in said
        said = attempt(api_server, here, "ed", "graph").stderr
        assert "it is a record of swarm demo" in said
        # Neither without its label nor as a new one, and his own are his.
        bare = {"metadata": {"labels": None}}
        assert attempt(api_server, here, "ed", "ledger", bare).returncode
