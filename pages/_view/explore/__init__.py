"""Explore's panels: the question, the scrubber, pictures, downloads."""
