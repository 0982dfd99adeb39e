"""The rank of a head that was stored in half precision is that of the head, not of its rounding."""

import pytest
import torch

from sing_core.errors import RoundingDriftError
from sing_core.leakage.scoring import Pairs
from sing_core.maths.equivalents import NullLine
from sing_core.maths.head import HeadDecomposition
from sing_core.maths.head_variants import HeadVariant, split_variant
from sing_core.maths.linear_head import DRIFT_BUDGET, LinearHead
from sing_core.maths.storage import half_precision_bits, storage_noise
from sing_core.maths.translator import Translator

KINDS = {torch.bfloat16: 8, torch.float16: 11}


def low_rank(c: int, m: int, rank: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    parts = torch.randn(c, rank, generator=generator), torch.randn(rank, m, generator=generator)
    return 0.05 * parts[0] @ parts[1] / rank**0.5


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("c", "m", "rank"), [(100, 256, 30), (60, 48, 30), (10, 300, 3)])
def test_a_stored_head_has_the_rank_it_had(kind, c, m, rank):
    for seed in range(5):
        weight = low_rank(c, m, rank, seed)
        split = HeadDecomposition.from_weight(weight.to(kind).float())
        assert split.rank == HeadDecomposition.from_weight(weight).rank == rank
        assert split.rounding == 2.0 ** -KINDS[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_centring_and_choosing_classes_know_the_storage_too(kind):
    weight = low_rank(100, 256, 30).to(kind).float()
    assert split_variant(weight, HeadVariant(centred=True)).rank == 30
    assert split_variant(weight, HeadVariant(classes=tuple(range(50)))).rank == 30
    assert split_variant(weight, HeadVariant(classes=tuple(range(20)))).rank == 20


@pytest.mark.parametrize("kind", KINDS)
def test_a_head_of_full_rank_keeps_it_however_it_is_stored(kind):
    weight = torch.randn(40, 128).to(kind).float()
    split = HeadDecomposition.from_weight(weight)
    assert (split.rank, split.rounding) == (40, 0.0)
    assert LinearHead.from_weight(weight).drift_budget == DRIFT_BUDGET


def test_the_storage_is_told_by_the_values():
    weight = torch.randn(20, 30)
    assert half_precision_bits(weight) == 0
    assert [half_precision_bits(weight.to(kind).float()) for kind in KINDS] == [8, 11]
    assert half_precision_bits(torch.eye(5)) == half_precision_bits(torch.zeros(3, 4)) == 0
    assert storage_noise(weight, 0) == 0.0


def test_the_rounding_of_a_head_is_smaller_than_its_bound_and_not_by_much():
    for seed in range(20):
        weight = low_rank(100, 256, 30, seed)
        stored = weight.bfloat16().float()
        noise = float(torch.linalg.matrix_norm((stored - weight).double(), 2))
        assert noise < storage_noise(stored, 8) < 2 * noise


def test_the_drift_of_such_a_head_is_one_rounding_and_its_images_are_scored():
    linear = LinearHead.from_weight(low_rank(100, 256, 30).bfloat16().float())
    translator = Translator(torch.randn(12, 256), torch.randn(12))
    pairs = Pairs.of(torch.rand(40, 256), linear, translator)
    assert bool(pairs.sound.all())
    assert float((pairs.max_logit_drift / pairs.max_abs_logit).min()) > DRIFT_BUDGET
    line = NullLine.removing(torch.rand(256), linear, translator)
    end = torch.tensor([line.removal])
    assert line.walk(linear, end).admissible == 1
    with pytest.raises(RoundingDriftError, match=r"stored weights alone: more than 0\.4"):
        line.walk(linear, 1e3 * end)
