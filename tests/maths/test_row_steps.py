"""Numbers in less room: what is lost, and that nothing is where nothing may be."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from sing_core.maths.row_steps import from_row_steps, half_if_exact, row_steps, widened


@given(st.integers(0, 1000), st.integers(1, 6), st.integers(1, 20), st.floats(1e-3, 1e3))
def test_no_entry_is_further_than_half_a_step_of_its_row(seed, rows, columns, size):
    exact = torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed)) * size
    steps, scales = row_steps(exact)
    assert steps.dtype == torch.int8
    assert scales.shape == (rows,)
    error = (from_row_steps(steps, scales) - exact).abs()
    assert bool((error <= exact.abs().amax(1, keepdim=True) / 254 * 1.001).all())


def test_a_row_of_zeros_stays_one():
    steps, scales = row_steps(torch.tensor([[0.0, 0.0], [1.0, -2.0]]))
    assert from_row_steps(steps, scales)[0].tolist() == [0, 0]
    assert scales[0] == 0


def test_only_what_half_precision_holds_exactly_is_put_into_it():
    exact, not_exact = torch.tensor([1.5, -0.25]), torch.tensor([1.5, 0.1])
    assert half_if_exact(exact).dtype == torch.float16
    assert torch.equal(widened(half_if_exact(exact)), exact)
    assert half_if_exact(not_exact) is not_exact
    for other in (torch.tensor([1]), torch.tensor([0.5], dtype=torch.float64)):
        assert half_if_exact(other) is other
        assert widened(other) is other
