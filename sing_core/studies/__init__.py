"""A question about a photo or a head, answered in one frozen report."""
