"""What runs in an instance pod: the runner and the agent container's entrypoint."""
