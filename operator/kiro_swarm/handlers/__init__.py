"""kopf: registration, settings, differences between its versions. A handler is a few lines.

The only room that imports kopf. Events go into the cache and their keys into the queue;
kopf itself writes nothing: no finalizers, no annotations, no progress, no Events.
"""
