"""What networks can produce of the steps of a set: collected, solved at once, in their order."""

import torch

from sing_core.leakage.null_lines import stepped
from sing_core.leakage.produced import ProducedSteps, spaced
from sing_core.maths.feasible_removal import FeasibleRemoval
from sing_core.maths.linear_head import LinearHead
from sing_core.maths.scores import attribute_score_deg, image_score_deg
from sing_core.maths.translator import Translator

C, M, D = 12, 40, 9


def world():
    generator = torch.Generator().manual_seed(2)
    linear = LinearHead.from_weight(torch.randn(C, M, generator=generator))
    features = torch.randn(7, M, generator=generator).clamp_min(0)
    matrices = torch.randn(2, D, M, generator=generator)
    text = torch.randn(D, generator=generator)
    return linear, features, [Translator(matrix, torch.zeros(D)) for matrix in matrices], text


def test_scores_are_those_of_the_nearest_features_each_by_its_own_translator():
    linear, features, translators, text = world()
    features[2, 5] = -0.1  # of this one nothing is known
    steps, expected = ProducedSteps(), []
    for rows, translator in zip(([0, 1, 2], [3, 4, 5, 6]), translators, strict=True):
        own = features[rows]
        moved = stepped(own, linear.head, translator, text, 20.0)
        steps.add(own, moved, translator, text)
        for feature, goal in zip(own, moved, strict=True):
            found = FeasibleRemoval(linear).nearest(feature[None], goal[None])[0]
            z, after = translator.apply(feature), translator.apply(found.nan_to_num(1.0))
            turned, nearer = image_score_deg(z, after), attribute_score_deg(z, after, text)
            expected.append([float(turned), float(nearer)])
    turned, nearer = steps.scores(linear)
    assert turned.isnan().tolist() == nearer.isnan().tolist() == [False] * 2 + [True] + [False] * 4
    known = torch.tensor(expected, dtype=torch.float64)[turned.isfinite()]
    found = torch.stack([turned, nearer], dim=1)[turned.isfinite()]
    torch.testing.assert_close(found, known, rtol=0, atol=1e-2)
    assert float(turned[turned.isfinite()].max()) < 20, "nothing was lost"


def test_without_steps_there_are_no_scores():
    assert [len(part) for part in ProducedSteps().scores(world()[0])] == [0, 0]


def test_rows_are_spread_evenly():
    assert spaced(list(range(100)), 4) == [0, 25, 50, 75]
    assert spaced([3, 1, 2], 5) == [3, 1, 2]
    assert spaced([], 5) == []
