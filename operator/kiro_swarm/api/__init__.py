"""The four kinds of ``swarm.kiro.dev/v1alpha1`` as pydantic models. Data, no behaviour.

Read by every other package; imports none of them. The CRDs in ``crds/`` and in the
chart are generated from these models by ``python -m kiro_swarm.cli.crds``.
"""
