"""What storing weights in half precision leaves of them: a matrix of rounding, and its size.

A head of rank 30 that was stored as bfloat16 and read again has full rank: rounding adds a matrix
of independent errors, each uniform within half a unit in the last place (variance ``ulp^2 / 12``).
Its largest singular value is at most about the root of the largest sum of variances in a row plus
that of a column (Bandeira and van Handel, 2016, "Sharp nonasymptotic bounds on the norm of random
matrices with independent entries"; here the factor before the sum is 1, which is on the careful
side: heads of known rank show 1.4 to 2.4 times less). Singular values below it say nothing.
"""

import torch
from torch import Tensor

# Significant bits of the types in which weights are stored: bfloat16 and float16.
_HALF = (8, 11)
_FLOAT64_BITS = 53


def half_precision_bits(weight: Tensor) -> int:
    """Return the significant bits in which ``weight`` was stored, 8 or 11; 0 where it was not.

    Told by the values themselves, whatever type they are in now: no entry needs more bits, and one
    needs as many.
    """
    mantissa, _ = torch.frexp(weight.double())
    whole = torch.ldexp(mantissa, torch.tensor(_FLOAT64_BITS)).long()
    lowest = (whole & -whole).max(torch.ones_like(whole)).double()
    used = _FLOAT64_BITS - lowest.log2().long()
    most = int(used[whole != 0].max()) if bool((whole != 0).any()) else 0
    return most if most in _HALF else 0


def storage_noise(weight: Tensor, bits: int) -> float:
    """Return the largest singular value that rounding to ``bits`` may have, 0 where ``bits`` is 0.

    ``weight`` ``(c, m)``.
    """
    if bits == 0:
        return 0.0
    mantissa, exponent = torch.frexp(weight.double())
    spacing = torch.ldexp((mantissa != 0).double(), exponent - bits)
    variance = spacing.square() / 12
    return float(variance.sum(dim=0).max().sqrt() + variance.sum(dim=1).max().sqrt())
