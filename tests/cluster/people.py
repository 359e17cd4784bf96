"""People who say sentences to swarms on a real API server, and what they are answered.

Everybody is impersonated and may create SwarmCommands in both namespaces of a Town, so that
it is the policy that refuses, and not the lack of the right to create.
"""

from __future__ import annotations

import json
import time
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import (
    Any,
    AsyncIterator,
    Callable,
    Dict,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
)

from kiro_swarm.cluster import errors
from kiro_swarm.cluster.connection import Connection
from kiro_swarm.cluster.resources import COMMANDS, AnyResource, Resource
from kiro_swarm.commands.roles import ROLES
from tests.cluster.chart import Object, dump, install_crds, namespace, template
from tests.cluster.kinds import changed, command
from tests.support.cluster import Cluster

REVIEWS: AnyResource = Resource(
    "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview"
)
_PATIENCE = 30.0
_RBAC = "rbac.authorization.k8s.io"


@dataclass(frozen=True)
class Town:
    """Two namespaces. The swarms need not exist: rights are about names."""

    home: str
    elsewhere: str
    #: Prefix of the chart's objects.
    release: str


def people() -> List[str]:
    """User names, one a role; ``one`` may operate the swarm demo of the home only."""
    return ["nobody", *ROLES, "one"]


@contextmanager
def town(
    api_server: Cluster, release: str, *settings: str, refused: str = "nobody"
) -> Iterator[Town]:
    """A town with its people, and the chart's policy and roles, all in force.

    ``refused`` may not say ``stop everything`` to the swarm demo at home under this policy.
    """
    install_crds(api_server)
    with namespace(api_server, "home") as home, namespace(api_server, "away") as away:
        chart = _chart(release, home, *settings)
        policy = dump(*(item for item in chart if item["kind"] != "ClusterRole"))
        roles = [item for item in chart if item["kind"] == "ClusterRole"]
        people_of_town = dump(*roles, *_bindings(release, home, away))
        api_server.kubectl("apply", "-f", "-", input=people_of_town)
        api_server.kubectl("apply", "-f", "-", input=policy)
        wait_for_role(api_server, home, "admin", "merge")
        wait_for_role(api_server, home, "one", "stop")
        _until(lambda: _refuses(api_server, home, release, refused))
        yield Town(home, away, release)
        # The policy first: who has lost his role cannot find out whether it is gone.
        api_server.kubectl("delete", "-f", "-", "--wait=false", input=policy)
        _until(lambda: not _refuses(api_server, home, release, refused))
        api_server.kubectl("delete", "-f", "-", "--wait=false", input=people_of_town)


@contextmanager
def filling_in(api_server: Cluster, here: Town, *editors: str) -> Iterator[None]:
    """The chart's policy that writes requesters, in force, and people who may edit."""
    made = [
        item
        for item in template(
            here.release,
            here.home,
            f"--set=fullnameOverride={here.release}",
            "--api-versions=admissionregistration.k8s.io/v1beta1/MutatingAdmissionPolicy",
        )
        if item["kind"].startswith("MutatingAdmissionPolicy")
    ]
    role = f"{here.release}-edit"
    made.append(_bound("editors", here.home, "ClusterRole", role, editors))
    api_server.kubectl("apply", "-f", "-", input=dump(*made))
    wait_for_role(api_server, here.home, editors[0], "merge")
    _until(lambda: _fills_in(api_server, here.home))
    yield
    api_server.kubectl("delete", "-f", "-", "--wait=false", input=dump(*made))
    _until(lambda: not _fills_in(api_server, here.home))


def _chart(release: str, place: str, *settings: str) -> List[Object]:
    """The chart's admission policy and roles for people."""
    objects = template(release, place, f"--set=fullnameOverride={release}", *settings)
    return [
        item
        for item in objects
        if item["kind"].startswith("ValidatingAdmissionPolicy")
        or (item["kind"] == "ClusterRole" and item["metadata"]["name"] != release)
    ]


def _bindings(release: str, home: str, away: str) -> Iterator[Object]:
    """Who holds which role; the roles of the chart at home only."""
    ours = {"apiGroups": ["swarm.kiro.dev"], "resources": ["swarmcommands"]}
    for place in (home, away):
        yield _object("Role", "write", place, rules=[{**ours, "verbs": ["create"]}])
        yield _bound("write", place, "Role", "write", people())
    for role in ROLES:
        yield _bound(role, home, "ClusterRole", f"{release}-{role}", [role])
    one = {"apiGroups": ["swarm.kiro.dev"], "resources": ["kiroswarms"]}
    yield _object(
        "Role",
        "one",
        home,
        rules=[{**one, "resourceNames": ["demo"], "verbs": list(ROLES["operator"])}],
    )
    yield _bound("one", home, "Role", "one", ["one"])


def _bound(name: str, place: str, kind: str, role: str, users: Sequence[str]) -> Object:
    subjects = [{"apiGroup": _RBAC, "kind": "User", "name": user} for user in users]
    reference = {"apiGroup": _RBAC, "kind": kind, "name": role}
    return _object("RoleBinding", name, place, roleRef=reference, subjects=subjects)


def _object(kind: str, name: str, place: str, **rest: Any) -> Object:
    metadata = {"name": name, "namespace": place}
    return {"apiVersion": f"{_RBAC}/v1", "kind": kind, "metadata": metadata, **rest}


class Person:
    """Somebody at the API server."""

    def __init__(self, name: str, connection: Connection) -> None:
        self.name = name
        self._connection = connection

    async def refusal(
        self,
        place: str,
        swarm: str,
        sentence: str,
        beside: Optional[Mapping[str, Any]] = None,
        /,
        **spec: Any,
    ) -> Optional[errors.ClusterError]:
        """Why a sentence is not admitted, None if it is. Nothing is stored.

        :param beside: metadata of the command.
        """
        body = changed(command(sentence), "spec.swarm", swarm)
        body["metadata"].update(beside or {})
        body["spec"].update(spec)
        try:
            await self._connection.json(
                "POST", COMMANDS.path(place), query={"dryRun": "All"}, body=body
            )
        except errors.ClusterError as error:
            return error
        return None

    async def can_i(self, verb: str, place: str, swarm: str) -> bool:
        """``kubectl auth can-i VERB kiroswarms/SWARM``, which asks the same question."""
        attributes = {
            "group": "swarm.kiro.dev",
            "resource": "kiroswarms",
            "verb": verb,
            "namespace": place,
            "name": swarm,
        }
        body: Dict[str, Any] = {
            "apiVersion": REVIEWS.api_version,
            "kind": REVIEWS.kind,
            "spec": {"resourceAttributes": attributes},
        }
        answer = await self._connection.json("POST", REVIEWS.path(), body=body)
        return bool(answer["status"]["allowed"])


@asynccontextmanager
async def crowd(
    api_server: Cluster, names: Sequence[str] = ()
) -> AsyncIterator[Dict[str, Person]]:
    """Name -> Person, of everybody or of these."""
    connections = {
        name: await Connection.open(kubeconfig=str(api_server.kubeconfig), as_user=name)
        for name in names or people()
    }
    yield {name: Person(name, item) for name, item in connections.items()}
    for item in connections.values():
        await item.close()


def wait_for_role(
    api_server: Cluster, place: str, person: str, verb: str, swarm: str = "demo"
) -> None:
    """Returns when RBAC has taken notice of a person's bindings."""
    asked = ("auth", "can-i", verb, f"kiroswarms/{swarm}", "-n", place)

    def holds() -> bool:
        said = api_server.kubectl(*asked, f"--as={person}", check=False)
        return said.stdout.strip() == "yes"

    _until(holds)


def _refuses(api_server: Cluster, place: str, release: str, person: str) -> bool:
    """Whether it is this release's policy that refuses."""
    said = api_server.kubectl(
        *("create", f"--as={person}", "--validate=false", "--dry-run=server"),
        *("-n", place, "-f", "-"),
        input=json.dumps(command("stop everything")),
        check=False,
    )
    return f"'{release}-commands'" in said.stderr


def _fills_in(api_server: Cluster, place: str) -> bool:
    """Whether a command without a requester gets one."""
    said = api_server.kubectl(
        *("create", "--dry-run=server", "-o", "jsonpath={.spec.requestedBy}"),
        *("-n", place, "-f", "-"),
        input=json.dumps(command("status swarm")),
    )
    return said.stdout != ""


def _until(true: Callable[[], bool]) -> None:
    """Asks again and again: what the API server has noticed, only an answer tells."""
    deadline = time.monotonic() + _PATIENCE
    while not true():
        assert time.monotonic() < deadline, "the API server does not take notice"
        time.sleep(0.05)
