"""Cross-fitted networks: nothing of an image decides how it is translated."""

import pytest
import torch

from sing_core.errors import ShapeError, StaleArtefactError, UnknownNameError
from sing_core.maths.cross_fit import partner_of
from sing_core.maths.cross_networks import CrossNetworks, cross_train
from sing_core.maths.folds import FOLDS
from sing_core.maths.nonlinear import ARCHITECTURES
from sing_core.maths.training import Recipe

RECIPE = Recipe(learning_rate=1e-2, epochs=4, hidden=16, batch=32)


@pytest.fixture(scope="module")
def rows():
    chance = torch.Generator().manual_seed(5)
    features = torch.randn(200, 6, generator=chance)
    mixing = torch.randn(6, 4, generator=chance)
    return features, (features @ mixing).tanh()


FOLDS_OF_ROWS = torch.arange(200) % FOLDS


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_what_a_fold_says_never_changes_how_it_is_translated(rows, architecture):
    features, embeddings = rows
    mine = FOLDS_OF_ROWS == 2
    forged = torch.where(mine[:, None], -embeddings, embeddings)
    told = cross_train(architecture, rows, FOLDS_OF_ROWS, RECIPE)
    other = cross_train(architecture, (features, forged), FOLDS_OF_ROWS, RECIPE)
    one, two = (found.apply(features, FOLDS_OF_ROWS) for found in (told, other))
    assert torch.equal(one[mine], two[mine])
    seen_by = [fold for fold in range(FOLDS) if fold not in (2, partner_of(2, FOLDS))]
    assert all(not torch.equal(one[f == FOLDS_OF_ROWS], two[f == FOLDS_OF_ROWS]) for f in seen_by)


@pytest.mark.slow
def test_networks_translate_what_they_never_saw(rows):
    found = cross_train("mlp3", rows, FOLDS_OF_ROWS, Recipe(learning_rate=1e-2, hidden=64))
    guess = found.apply(rows[0], FOLDS_OF_ROWS)
    assert torch.cosine_similarity(guess, rows[1], dim=-1).mean() > 0.9


def test_what_is_kept_translates_the_same(rows):
    found = cross_train("residual", rows, FOLDS_OF_ROWS, RECIPE)
    again = CrossNetworks.of_tensors("residual", found.tensors())
    assert torch.equal(
        found.apply(rows[0], FOLDS_OF_ROWS), again.apply(rows[0], FOLDS_OF_ROWS)
    )  # fmt: skip


@pytest.mark.slow
def test_progress_counts_the_passes_of_all_networks(rows):
    said = []
    cross_train("mlp3", rows, FOLDS_OF_ROWS, RECIPE, lambda done, whole: said.append((done, whole)))
    assert said == sorted(said)
    assert said[-1] == (FOLDS * RECIPE.epochs, FOLDS * RECIPE.epochs)


@pytest.mark.slow
def test_what_cannot_be_trained_is_refused(rows):
    with pytest.raises(ShapeError, match="add images"):
        cross_train("mlp3", rows, torch.zeros(200, dtype=torch.long), RECIPE)
    with pytest.raises(ShapeError, match="a fold"):
        cross_train("mlp3", rows, FOLDS_OF_ROWS[:5], RECIPE)
    with pytest.raises(UnknownNameError):
        cross_train("mlp9", rows, FOLDS_OF_ROWS, RECIPE)
    found = cross_train("mlp3", rows, FOLDS_OF_ROWS, RECIPE)
    with pytest.raises(ShapeError, match="fold"):
        found.apply(rows[0], FOLDS_OF_ROWS + 1)


@pytest.mark.slow
def test_other_layers_than_those_of_an_architecture_are_damage(rows):
    kept = cross_train("mlp3", rows, FOLDS_OF_ROWS, RECIPE).tensors()
    with pytest.raises(StaleArtefactError):
        CrossNetworks.of_tensors("mlp4", kept)
    with pytest.raises(StaleArtefactError):
        CrossNetworks.of_tensors("mlp3", {n: v for n, v in kept.items() if not n.startswith("3/")})
