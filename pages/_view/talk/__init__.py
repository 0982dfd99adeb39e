"""The Talk page: scenes and their order, the stage, the speaker’s second window."""
