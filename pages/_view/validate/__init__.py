"""Panels of Validate: the head, its controls, translators, trained heads."""
