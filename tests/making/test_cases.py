"""The three cases by folds: who is left out, what counts as right, and which neighbours stay."""

import pytest
import torch
from torch.nn.functional import normalize

from sing_core.making.cases import answer, left_out, neighbour_overlap
from sing_core.maths.folds import FOLDS


def test_every_class_is_left_out_once_and_with_it_the_photographs_of_its_fold_alone():
    generator = torch.Generator().manual_seed(0)
    labels = torch.randperm(50, generator=generator)[:40]
    folds = torch.randint(FOLDS, (40,), generator=generator)
    masks = torch.stack([left_out(labels, folds, fold, 50) for fold in range(FOLDS)])
    assert masks.sum(0).tolist() == [1] * 50
    for fold, out in enumerate(masks):
        assert out[labels].tolist() == (folds == fold).tolist()


def test_classes_without_a_photograph_are_shared_out_evenly():
    out = [left_out(torch.arange(3), torch.zeros(3).long(), fold, 23) for fold in range(FOLDS)]
    assert [int(mask[3:].sum()) for mask in out] == [4] * FOLDS


def test_a_photograph_can_be_right_among_the_left_out_and_wrong_among_all():
    prompts = torch.eye(3)
    seen = torch.tensor([[0.6, 0.5, 0.1]])
    found = answer(seen, torch.tensor([1]), prompts, torch.tensor([False, True, True]))
    assert (found.right.tolist(), found.right_among.tolist()) == ([False], [True])


def test_angles_are_to_the_own_prompt_and_to_the_others_alone():
    prompts = normalize(torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]), dim=1)
    found = answer(torch.tensor([[3.0, 0.0]]), torch.tensor([0]), prompts, torch.ones(3).bool())
    assert float(found.own_deg) == pytest.approx(0, abs=1e-3)
    assert float(found.other_deg) == pytest.approx(45, abs=1e-3)  # of 45 and 90, the lower


def test_a_turn_keeps_all_neighbours_and_other_texts_keep_few():
    generator = torch.Generator().manual_seed(0)
    texts = torch.randn(120, 16, generator=generator)
    turn = torch.linalg.qr(torch.randn(16, 16, generator=generator)).Q
    assert neighbour_overlap(texts, 3 * texts @ turn) == 1
    others = torch.randn(120, 16, generator=generator)
    assert neighbour_overlap(texts, others) == pytest.approx(10 / 119, abs=0.05)
