"""What is killed in ``python -m benchmarks.killed``."""
