"""Side-by-side measurements: ours and the obvious alternative, same job, same run."""

import sing_core  # noqa: F401 - before torch: says how its threads wait, for both ways alike
