"""Panels of Compare, Classes and Concepts: tables over a set, and steering."""
