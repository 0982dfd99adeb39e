"""Leakage at scale: image sets to features to scores to tables, with honest statistics."""
