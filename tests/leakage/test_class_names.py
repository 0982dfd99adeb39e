"""A class's verdict is about its name: what any name has is not called the class's own."""

import numpy as np
import pytest
import torch
from scipy import stats

from sing_core.errors import ShapeError
from sing_core.leakage.scoring import (
    FOREIGN_NAMES,
    Controls,
    Pairs,
    concept_scores,
    foreign_names,
    image_scores,
)
from sing_core.maths.controls import RandomSubspaces
from sing_core.maths.draws import among_names, interval_among_names
from sing_core.maths.statistics import adjusted, student
from tests.leakage.test_planted_truths import CLASSES, DIM, FEATURES, World

PHOTOS = 8
PLANTED = tuple(range(5, 100, 10))


def scores(seed, planted=(), strength=20.0):
    """Return labels and columns of images whose null parts point somewhere, class by class.

    Each class has a place of its own inside the null space, and all lean to one side: none of that
    knows of a name. The images of ``planted`` classes lean towards their own name beside that.
    """
    world = World(seed)
    labels = torch.arange(CLASSES).repeat_interleave(PHOTOS)
    names = world.normal(CLASSES, DIM) + world.normal(DIM)
    places = world.normal(CLASSES, FEATURES)[labels] + 0.5 * world.normal(FEATURES)
    inside = world.linear.head.null_part(places + world.normal(len(labels), FEATURES))
    seen = world.linear.head.principal_part(3 * world.normal(len(labels), FEATURES))
    lean = world.linear.head.null_part(names[labels] @ world.translator.weight)
    lean = strength * torch.nn.functional.normalize(lean, dim=1)
    own = torch.isin(labels, torch.tensor(planted, dtype=torch.long))[:, None]
    features = (seen + inside + lean * own).float()
    pairs = Pairs.of(features, world.linear, world.translator)
    few = RandomSubspaces.draw(world.translator, 3, (0,), 2)
    return labels.numpy(), image_scores(features, pairs, labels, names, Controls(few, few)), (
        pairs, names
    )  # fmt: skip


def verdicts(seed, planted=()):
    """Return own p values, corrected, and those of foreign names: raw, and corrected by name."""
    labels, found, _ = scores(seed, planted)
    among = among_names(found["contrast_deg"], found["foreign_contrasts_deg"], labels)
    foreign = among.foreign_p
    return adjusted(among.p), foreign, np.column_stack([adjusted(p) for p in foreign.T])


def test_a_foreign_name_in_place_of_the_own_is_rarely_decided_and_was_often():
    raw, decided, own, former = [], [], [], []
    for seed in range(4):
        p, foreign, corrected = verdicts(seed)
        raw.append(foreign <= 0.05)
        decided.append(corrected <= 0.05)
        own.append(p <= 0.05)
        _, _, (pairs, names) = scores(seed)
        towards = concept_scores(pairs, names)[2].reshape(CLASSES, PHOTOS, CLASSES).numpy()
        other = (np.arange(CLASSES) + 17) % CLASSES
        one = towards[np.arange(CLASSES), :, other]
        former.append(adjusted(student(one.mean(1), one.std(1, ddof=1), PHOTOS)[2]) <= 0.05)
    assert np.mean(raw) <= 0.06
    assert np.mean(decided) <= 0.06
    assert np.mean(own) <= 0.06, "nothing is planted"
    assert np.mean(former) > 0.3, "the directed part alone calls most names decided"


def test_classes_whose_images_lean_to_their_own_name_are_found_and_hardly_others():
    found = false = 0
    for seed in range(2):
        flagged = set(np.flatnonzero(verdicts(seed, PLANTED)[0] <= 0.05).tolist())
        found += len(flagged & set(PLANTED))
        false += len(flagged - set(PLANTED))
    assert found >= 0.9 * 2 * len(PLANTED)
    assert false <= 0.1 * found


def test_the_contrast_is_the_directed_part_less_its_mean_over_all_names():
    labels, found, (pairs, names) = scores(3)
    towards = concept_scores(pairs, names)[2]
    own = towards[torch.arange(len(labels)), torch.as_tensor(labels)]
    assert torch.allclose(found["directed_score_deg"], own, atol=1e-6)
    assert torch.allclose(found["contrast_deg"], own - towards.mean(dim=1), atol=1e-6)
    others = foreign_names(torch.as_tensor(labels), CLASSES)
    foreign = towards.gather(1, others) - towards.mean(dim=1, keepdim=True)
    assert torch.allclose(found["foreign_contrasts_deg"], foreign, atol=1e-6)


def test_foreign_names_are_other_classes_each_as_often_and_the_same_for_all_images():
    own = torch.arange(1000)
    others = foreign_names(own, 1000)
    assert others.shape == (1000, FOREIGN_NAMES)
    assert not (others == own[:, None]).any()
    assert all(len(set(row)) == FOREIGN_NAMES for row in others.tolist())
    assert (torch.bincount(others.flatten()) == FOREIGN_NAMES).all()
    assert torch.equal(foreign_names(torch.tensor([7, 7]), 1000)[0], others[7])
    assert foreign_names(torch.tensor([2]), 3).sort().values.tolist() == [[0, 1]]
    assert foreign_names(torch.tensor([0]), 1).shape == (1, 0)


def test_the_larger_of_two_p_values_counts_and_one_image_decides_nothing():
    rng = np.random.default_rng(0)
    own = np.concatenate([rng.normal(0.4, 1, 9), [5.0]])
    foreign = rng.normal(0, 0.2, (10, 6))
    found = among_names(own, foreign, [1] * 9 + [0])
    assert found.mean == pytest.approx([5.0, own[:9].mean()])
    agree = stats.ttest_1samp(own[:9], 0).pvalue
    means = foreign[:9].mean(axis=0)
    out = 2 * stats.t.sf(abs(own[:9].mean()) / np.sqrt((means**2).mean()), 6)
    assert agree > out
    assert found.p[1] == pytest.approx(agree)
    left = 2 * stats.t.sf(abs(means[2]) / np.sqrt((np.delete(means, 2) ** 2).mean()), 5)
    third = max(left, stats.ttest_1samp(foreign[:9, 2], 0).pvalue)
    assert found.foreign_p[1, 2] == pytest.approx(third)
    assert np.isnan(found.p[0])
    assert np.isnan(found.foreign_p[0]).all()


def test_without_a_null_space_or_other_names_nothing_is_tested():
    assert np.isnan(among_names([0.0] * 4, np.zeros((4, 5)), [0, 0, 1, 1]).p).all()
    assert np.isnan(among_names([0.1, 0.2], np.zeros((2, 0)), [0, 0]).p).all()
    with pytest.raises(ShapeError):
        among_names([1.0], np.zeros((2, 3)), [0, 0])


def test_what_could_be_seen_is_half_the_interval_of_a_group_at_the_corrected_level():
    generator = np.random.default_rng(3)
    groups = np.repeat([4, 1, 2, 7], [5, 1, 16, 2])
    own, foreign = generator.normal(size=24), generator.normal(size=(24, 9))
    found = among_names(own, foreign, groups).detectable
    for place, group in enumerate(sorted(set(groups))):
        part = groups == group
        one = interval_among_names(own[part], foreign[part], 1 - 0.05 / 3)
        if part.sum() == 1:
            assert np.isnan(found[place])
        else:
            assert found[place] == pytest.approx(one.high - one.estimate, rel=1e-12)
    assert np.isnan(among_names(own, foreign[:, :0], groups).detectable).all()
