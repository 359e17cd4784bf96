"""The admission policies that let plain RBAC decide who may say what. Pure.

Made from the same table as the parser, so that both know the same first words. Called by
hack/update-admission, which writes the chart's templates, and by tests.

The API server evaluates the policy when a SwarmCommand is created; there is no webhook. What
is written beside the sentence is bounded, too: whoever may create one, and no more, could fill
the store and the operator's memory with it, and keep the namespace from being deleted. A
first word that the table does not know needs no permission: the parser refuses the
sentence, so nothing comes of it. This holds as long as policy and operator agree about the
first word: words are parted by spaces, and only ASCII letters lose their case.
"""

from __future__ import annotations

import json
from typing import Mapping

from kiro_swarm.api.admission import MatchConstraints, PolicySpec, ResourceRule
from kiro_swarm.api.meta import GROUP, VERSION
from kiro_swarm.commands.lexer import MAX_BYTES
from kiro_swarm.commands.roles import role_of

#: Control, format (direction overrides, invisible), line and paragraph separators, as RE2.
_UNREADABLE = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]"

_ALLOWED = """\
variables.permission == '' ||
authorizer.group('{group}').resource('kiroswarms')
  .namespace(request.namespace).name(object.spec.swarm)
  .check(variables.permission).allowed()"""

_DENIAL = """\
'user "' + variables.user + '" may not "' + variables.said + '" kiroswarm ' +
request.namespace + '/' + object.spec.swarm +
' (needs the permission \\'' + variables.permission + '\\' on kiroswarms' +
({roles_exist} ? '; the ClusterRole {prefix}-' + variables.roles[variables.permission] +
' has it' : '') + ')'"""

_FORGED = """\
'spec.requestedBy: user "' + variables.user + '" cannot speak for "' +
variables.requester + '"; leave it out or write spec.requestedBy: "' + variables.user + '"'"""

_NAMELESS = """\
'spec.requestedBy: a sentence that changes something must name its requester; write ' +
'spec.requestedBy: "' + variables.user + '" (kubectl swarm writes it by itself)'"""

#: Most annotations and labels of a command; bytes of an annotation, and of the one in which
#: kubectl keeps the manifest: a sentence of 4096 bytes, each of them escaped.
MOST_NOTES, NOTE_BYTES, MANIFEST_BYTES = 16, 1024, 32768
_MANIFEST = "kubectl.kubernetes.io/last-applied-configuration"

_SMALL_NOTES = f"""\
variables.notes.size() <= {MOST_NOTES} &&
variables.notes.all(key, bytes(variables.notes[key]).size() <=
  (key == '{_MANIFEST}' ? {MANIFEST_BYTES} : {NOTE_BYTES}))"""

_FREE = f"""\
(!has(object.metadata.finalizers) && !has(object.metadata.ownerReferences)) ||
authorizer.group('{GROUP}').resource('swarmcommands')
  .namespace(request.namespace).check('patch').allowed()"""

_FILL_IN = """\
Object{spec: Object.spec{requestedBy: oldObject == null ?
  request.userInfo.username : oldObject.spec.?requestedBy.orValue('')}}"""


def policy_name(prefix: str) -> str:
    """Name of the policy and of its binding."""
    return f"{prefix}-commands"


def requester_name(prefix: str) -> str:
    """Name of the policy that fills in the requester, and of its binding."""
    return f"{prefix}-requester"


def policy(
    permissions: Mapping[str, str],
    prefix: str,
    requester_required: str = "false",
    roles_exist: str = "true",
) -> PolicySpec:
    """The spec of the ValidatingAdmissionPolicy, JSON-ready.

    permissions: first word -> permission (``Parser().grammar.permissions``). prefix: of
    the names of the ClusterRoles. The last two are CEL: whether a sentence that changes
    something must carry spec.requestedBy, and whether the ClusterRoles are installed.
    """
    roles = {name: role_of(name) for name in sorted(set(permissions.values()))}
    return {
        "failurePolicy": "Fail",
        "matchConstraints": _commands("CREATE"),
        "variables": [
            _named("permissions", _literal(dict(sorted(permissions.items())))),
            _named("roles", _literal(roles)),
            _named("words", "object.spec.command.split(' ').filter(word, word != '')"),
            _named("said", "variables.words.size() == 0 ? '' : variables.words[0]"),
            _named(
                "permission",
                "variables.permissions[?variables.said.lowerAscii()].orValue('')",
            ),
            _named("user", "request.userInfo.username"),
            _named("requester", "object.spec.?requestedBy.orValue('')"),
            _named("notes", "object.metadata.?annotations.orValue({})"),
        ],
        "validations": [
            {
                "expression": f"bytes(object.spec.command).size() <= {MAX_BYTES}",
                "message": f"spec.command: may not be more than {MAX_BYTES} bytes",
            },
            {
                "expression": f"!object.spec.command.matches(r'{_UNREADABLE}')",
                "message": "spec.command: must not contain control characters, "
                "direction overrides or other invisible characters",
            },
            {
                "expression": _ALLOWED.format(group=GROUP),
                "reason": "Forbidden",
                "message": "the permission for this sentence is missing",
                "messageExpression": _DENIAL.format(
                    prefix=prefix, roles_exist=roles_exist
                ),
            },
            {
                "expression": "variables.requester in ['', variables.user]",
                "reason": "Forbidden",
                "message": "spec.requestedBy: must be your own user name",
                "messageExpression": _FORGED,
            },
            {
                "expression": f"!{requester_required} || variables.requester != '' || "
                "variables.permission in ['', 'get']",
                "reason": "Forbidden",
                "message": "spec.requestedBy: must be your own user name",
                "messageExpression": _NAMELESS,
            },
            {
                "expression": _SMALL_NOTES,
                "message": f"metadata.annotations: may not be more than {MOST_NOTES}, nor one "
                f"more than {NOTE_BYTES} bytes: nothing is decided by them",
            },
            {
                "expression": "object.metadata.?labels.orValue({}).size() <= "
                f"{MOST_NOTES}",
                "message": f"metadata.labels: may not be more than {MOST_NOTES}",
            },
            {
                "expression": _FREE,
                "reason": "Forbidden",
                "message": "metadata.finalizers, metadata.ownerReferences: only who may patch "
                "SwarmCommands may write them: they keep a namespace or a swarm from going",
            },
        ],
    }


def binding(prefix: str) -> dict[str, object]:
    """The spec of the ValidatingAdmissionPolicyBinding: everywhere, and it denies."""
    return {"policyName": policy_name(prefix), "validationActions": ["Deny"]}


def requester_policy() -> dict[str, object]:
    """The spec of the MutatingAdmissionPolicy that writes spec.requestedBy, JSON-ready.

    For clusters that have the kind. A manifest without the field can be applied and
    replaced again and again: the name stays that of the first time.
    """
    return {
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
        "matchConstraints": _commands("CREATE", "UPDATE"),
        "matchConditions": [
            _named("nameless", "object.spec.?requestedBy.orValue('') == ''")
        ],
        "mutations": [
            {
                "patchType": "ApplyConfiguration",
                "applyConfiguration": {"expression": _FILL_IN},
            }
        ],
    }


def requester_binding(prefix: str) -> dict[str, object]:
    """The spec of its binding: everywhere."""
    return {"policyName": requester_name(prefix)}


def _commands(*operations: str) -> MatchConstraints:
    """Constraints that SwarmCommands match."""
    rule: ResourceRule = {
        "apiGroups": [GROUP],
        "apiVersions": [VERSION],
        "operations": list(operations),
        "resources": ["swarmcommands"],
    }
    return {"resourceRules": [rule]}


def _named(name: str, expression: str) -> dict[str, str]:
    return {"name": name, "expression": expression}


def _literal(words: Mapping[str, str]) -> str:
    """A CEL map; of plain words, JSON is one."""
    return json.dumps(words, indent=2)
