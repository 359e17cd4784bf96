"""The command line: ``kiro-swarm`` in images and on the machines of people.

Thin: options in, calls out, exit status. Everything it starts lives in other packages.
"""
