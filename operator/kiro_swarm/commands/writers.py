"""The admission policies that keep what machines write to its writers. Pure.

RBAC cannot say "the status of tasks of this swarm only", nor "ConfigMaps and Leases, but not
ours". The API server evaluates these policies itself, as it does that of the sentences
(``commands/admission.py``); there is no webhook. Called by hack/update-admission, which writes
the chart's templates, and by tests.

Who may write: the operator, by its account or by the permission ``write-status`` on the kind,
which cluster administrators hold as well; the runner and the Jobs of a swarm, by the names of
their accounts, what is of that very swarm. Kubernetes' own controllers may do what they do to
any object. Nothing is said about deleting: what is deleted is made again, or is missed.
"""

from __future__ import annotations

from kiro_swarm.api.admission import PolicySpec, ResourceRule
from kiro_swarm.api.meta import (
    COMPONENT_AUDIT,
    GROUP,
    LABEL_COMPONENT,
    LABEL_MANAGED_BY,
    LABEL_SWARM,
    MANAGED_BY,
    VERSION,
)

#: Verb on our kinds of who may write what the operator writes.
WRITE_STATUS = "write-status"

_OPERATOR = "{operator}"
_USER = {"name": "user", "expression": "request.userInfo.username"}
_ACCOUNTS = {
    "name": "accounts",
    "expression": "'system:serviceaccount:' + request.namespace + ':' + variables.swarm",
}
_RUNNER, _JOBS = "variables.accounts + '-runner'", "variables.accounts + '-jobs'"

_MAY_WRITE_STATUS = f"""\
variables.user == '{{operator}}' ||
(request.resource.resource == 'kirotasks' &&
 variables.user in [{_RUNNER}, {_JOBS}]) ||
authorizer.group('{GROUP}').resource(request.resource.resource)
  .namespace(request.namespace).name(request.name)
  .check('{WRITE_STATUS}').allowed()"""

_NO_STATUS = """\
'user "' + variables.user + '" may not write the status of ' + request.resource.resource +
'/' + request.name + ': the operator writes it' +
(request.resource.resource == 'kirotasks' ?
 ', and the runners and Jobs of swarm ' + variables.swarm : '') +
'. Say a sentence, or change the spec'"""

_LABELS = "variables.is.metadata.?labels.orValue({})"
_OF_A_KIND = {
    "name": "is",
    # What it was, if it was ours: taking the label away is a change, too.
    "expression": f"oldObject != null && '{LABEL_SWARM}' in "
    "oldObject.metadata.?labels.orValue({}) ? oldObject : object",
}
_MAY_WRITE_RECORD = f"""\
variables.user == '{{operator}}' ||
(request.resource.resource == 'leases' && variables.user == {_RUNNER}) ||
(request.resource.resource == 'configmaps' && variables.user == {_JOBS} &&
 {_LABELS}[?'{LABEL_COMPONENT}'].orValue('') != '{COMPONENT_AUDIT}') ||
'system:serviceaccounts:kube-system' in request.userInfo.?groups.orValue([]) ||
authorizer.group('{GROUP}').resource('kiroswarms')
  .namespace(request.namespace).name(variables.swarm)
  .check('{WRITE_STATUS}').allowed()"""

_NO_RECORD = f"""\
'user "' + variables.user + '" may not write ' + request.resource.resource + '/' +
request.name + ': it is a record of swarm ' + variables.swarm +
', which the operator, its runners and its Jobs write (label {LABEL_MANAGED_BY})'"""


def status_name(prefix: str) -> str:
    """Name of the policy that keeps statuses, and of its binding."""
    return f"{prefix}-status"


def records_name(prefix: str) -> str:
    """Name of the policy that keeps Leases and ConfigMaps, and of its binding."""
    return f"{prefix}-records"


def status_policy(operator: str) -> PolicySpec:
    """The spec of the policy that keeps statuses to their writers, JSON-ready.

    :param operator: user name of the operator's account.
    """
    kinds = ("kiroswarms", "kiroinstances", "kirotasks", "swarmcommands")
    rule: ResourceRule = {
        "apiGroups": [GROUP],
        "apiVersions": [VERSION],
        "operations": ["UPDATE"],
        "resources": [f"{kind}/status" for kind in kinds],
    }
    swarm = {
        "name": "swarm",
        "expression": "request.resource.resource == 'kirotasks' ? "
        "oldObject.spec.swarm : ''",
    }
    return {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [rule]},
        "variables": [_USER, swarm, _ACCOUNTS],
        "validations": [
            {
                "expression": _MAY_WRITE_STATUS.replace(_OPERATOR, operator),
                "reason": "Forbidden",
                "message": "a status is written by the operator alone",
                "messageExpression": _NO_STATUS,
            }
        ],
    }


def records_policy(operator: str) -> PolicySpec:
    """The spec of the policy that keeps heartbeats, graphs, ledgers and audit logs."""
    rules = [
        _writing("coordination.k8s.io", "leases"),
        _writing("", "configmaps"),
    ]
    swarm = {
        "name": "swarm",
        "expression": f"{_LABELS}[?'{LABEL_SWARM}'].orValue('')",
    }
    return {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "objectSelector": {
                "matchLabels": {LABEL_MANAGED_BY: MANAGED_BY},
                "matchExpressions": [{"key": LABEL_SWARM, "operator": "Exists"}],
            },
            "resourceRules": rules,
        },
        "variables": [_USER, _OF_A_KIND, swarm, _ACCOUNTS],
        "validations": [
            {
                "expression": _MAY_WRITE_RECORD.replace(_OPERATOR, operator),
                "reason": "Forbidden",
                "message": "a record of a swarm is written by the swarm alone",
                "messageExpression": _NO_RECORD,
            }
        ],
    }


def binding(name: str) -> dict[str, object]:
    """The spec of a policy's binding: everywhere, and it denies."""
    return {"policyName": name, "validationActions": ["Deny"]}


def _writing(group: str, resource: str) -> ResourceRule:
    return {
        "apiGroups": [group],
        "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": [resource],
    }
