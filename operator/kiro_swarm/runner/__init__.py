"""What runs in an instance pod beside the agent: the runner."""
