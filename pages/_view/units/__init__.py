"""What the Units page asks and draws: heads, MLPs and tokens of one photo."""
