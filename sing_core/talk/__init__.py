"""Talks: scenes, their order, what a stage plays, and the bundle that needs no network."""
