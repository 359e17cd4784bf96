"""What travels: the four kinds of ``swarm.kiro.dev/v1alpha1``, and what our processes tell
each other. Data, no behaviour.

Read by every other package; imports none of them. An object is a dict at run time, and a
TypedDict with bounds to whoever checks: the CRDs in ``crds/`` and in the chart are generated
from it by ``python -m kiro_swarm.cli.crds``. ``KiroSwarm.spec`` alone is a pydantic model.
"""
