"""The prepare and integrate Jobs: the only processes that hold git credentials.

Started by the command line in a Job's pod. They run no code of the repository; what a gate
runs, it runs in the container beside. Their answer is the task's status, a ConfigMap, and
their last words (``report``), which the operator reads from the pod's status.
"""
