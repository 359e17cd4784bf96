"""The Jobs of a swarm; prepare, integrate and sync are all that hold git credentials.

The inspect Job only reads. Started by the command line in a Job's pod. They run no code of
the repository; what a gate runs, it runs in the container beside. Their answer is the task's
status, a ConfigMap, and their termination message (``report``), which the operator reads
from the pod's status.
"""
