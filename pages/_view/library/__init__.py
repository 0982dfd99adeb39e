"""Panels of the Library: classifiers, references, sets."""
