"""Which annotations and labels a swarm may give its pods: none that widens a right. Pure.

Webhooks, container runtimes, network plugins and cloud providers give a pod more than its spec
says where an annotation asks for it: another security profile, a second network, a cloud
account, a device, one more container. There is no end of them, so what is not known to be
harmless is not written (``refused``). What is known to be harmful is refused by the API server
as well (``HARMFUL``, in ``api/template.py``): with a clear message, at once. Labels are no other:
a mesh that chooses pods by ``istio.io/rev`` gives them a container that may change the network.

Called by the swarm reconcile, which says so, and by whoever makes pods, which leaves it out.
"""

from __future__ import annotations

from typing import Iterable

#: What may be asked for unless the operator's settings say more: a key, or with ``/`` at the
#: end all keys of a domain. They tell schedulers, autoscalers and metrics about a pod.
HARMLESS = (
    "cluster-autoscaler.kubernetes.io/",
    "descheduler.alpha.kubernetes.io/",
    "karpenter.sh/",
    "prometheus.io/",
)


#: The same of labels: what an object is called, for people and their tools.
HARMLESS_LABELS = ("app.kubernetes.io/", "helm.sh/")


def refused(
    keys: Iterable[str], allowed: Iterable[str], *, labels: bool = False
) -> list[str]:
    """The keys that may not stand in a pod, sorted.

    A key of one plain word, such as ``team``, is nobody's but the swarm's own.

    :param labels: whether they are keys of labels, which webhooks choose pods by.
    """
    known = [*HARMLESS, *(HARMLESS_LABELS if labels else ()), *allowed]
    return sorted(key for key in keys if not _allowed(key, known))


def _allowed(key: str, known: Iterable[str]) -> bool:
    if "/" not in key and "." not in key:
        return True
    return any(
        key.startswith(item) if item.endswith("/") else key == item for item in known
    )
