"""Photos by the thousand: sources, features in chunks, on one machine or many."""
