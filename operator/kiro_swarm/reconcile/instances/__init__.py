"""One KiroInstance -> its pod."""
