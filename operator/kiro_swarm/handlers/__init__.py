"""kopf: handlers, settings, session. A handler is a few lines.

What people see and write (KiroSwarm, KiroInstance, SwarmCommand) comes through the handlers
here; what machines write in masses comes through our own watch. Beside the part of host
that starts it, this is the only package that imports kopf. Events go into the cache and
their keys into the queue; kopf itself writes nothing: no finalizers, no annotations, no
progress, no Events.
"""
