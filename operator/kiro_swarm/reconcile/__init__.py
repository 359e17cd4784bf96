"""Observed state -> decision -> writes. The only package that decides *and* writes.

::

    worker        takes a key from the queue and reconciles its object
    commands/     one SwarmCommand: its turn, what it does, its answer
    swarms/       one KiroSwarm: accounts, Jobs, instances, status
    tasks/        the way of a task: ready, bound, late, lost, moved
    instances/    one KiroInstance: its pod
    snapshot/     a swarm as it is at one moment, sorted and measured
    engine/       queue, watches, and the means that every reconcile is given
    objects/      the objects that we create
    settings      what the operator was started with

A package imports from those below it. A reconcile reads the cache, decides with pure
functions, writes through the client, and returns when it wants to be called again. It may
be killed at any point: every effect has a name made of its owner, a repeated create is
answered "already exists", and a status write names the version it is based on.
"""
