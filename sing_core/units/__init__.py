"""Inside a network: the heads, MLPs and tokens whose sum is its output."""
