"""Twenty people at once: who they are, what they send, and what they must be shown."""
