"""The verbs as commands: ``python -m sing_core``."""
