"""Builds the image of kiro-swarm without a container engine or a registry.

``main`` is the command line, ``build`` the order of the steps, ``base``,
``dependencies`` and ``package`` make one layer each, ``archive`` joins them.
"""
