"""One idea of the paper a file: pure functions over tensors, in float64."""
