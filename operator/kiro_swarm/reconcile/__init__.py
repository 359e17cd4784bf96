"""Observed state -> decision -> writes. The only room that decides *and* writes.

One module for each kind and for each part of a swarm's work. A reconcile reads the cache,
decides with pure functions, writes through the client, and returns when it wants to be
called again. It may be killed at any point: every effect has a name made of its owner, a
repeated create is answered "already exists", and a status write names the version it is
based on.
"""
