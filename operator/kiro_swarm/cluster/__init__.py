"""The edge to the Kubernetes API: the only package that imports a Kubernetes client.

Objects are plain dicts in and out (wire format), errors are typed, every write says what
it is based on. Used by ``reconcile``, ``runner`` glue and the command line.
"""
