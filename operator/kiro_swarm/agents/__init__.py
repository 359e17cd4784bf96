"""How a coding agent is driven: the seam (driver), its drivers and the prompt."""
