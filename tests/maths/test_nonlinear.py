"""Non-linear translators: the same contract as the linear one, by autograd, and their training."""

import threading
from dataclasses import astuple, replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from sing_core.errors import ShapeError, StaleArtefactError, UnknownNameError, ZeroVectorError
from sing_core.maths.feature_map import gradient_by_autograd
from sing_core.maths.head import HeadDecomposition
from sing_core.maths.nonlinear import ARCHITECTURES, NonlinearTranslator, TranslatorNetwork
from sing_core.maths.steering import null_direction, similarity_gradient
from sing_core.maths.training import LOSSES, Recipe, train
from sing_core.maths.translator import Translator

QUICK = Recipe(learning_rate=3e-3, batch=32, epochs=12, hidden=24)


def made(architecture, m=6, d=3):
    network = TranslatorNetwork(architecture, m, d, hidden=5)
    network.standardise(torch.randn(20, m) + 2, torch.randn(20, d) - 1)
    return NonlinearTranslator.of(architecture, network)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_it_is_applied_in_float64_to_any_number_of_rows(architecture):
    translator = made(architecture)
    found = translator.apply(torch.randn(4, 2, 6))
    assert found.shape == (4, 2, 3)
    assert found.dtype == torch.float64
    row = torch.randn(6)
    torch.testing.assert_close(translator.apply(row), translator.apply(row[None])[0])
    for wrong in (torch.ones(5), torch.tensor(1.0)):
        with pytest.raises(ShapeError, match="takes 6 features"):
            translator.apply(wrong)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_gradient_is_that_of_central_differences(architecture):
    translator, feature, text = made(architecture), torch.randn(6).double(), torch.randn(3).double()
    found = similarity_gradient(feature, translator, text)
    step = 1e-6 * torch.eye(6, dtype=torch.float64)
    up, down = translator.apply(feature + step), translator.apply(feature - step)
    cosine = torch.cosine_similarity
    expected = (cosine(up, text[None], dim=-1) - cosine(down, text[None], dim=-1)) / 2e-6
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-8)


def test_autograd_agrees_with_the_closed_form_of_a_linear_one():
    linear = Translator(torch.randn(3, 6).double(), torch.randn(3).double())
    features, text = torch.randn(5, 6), torch.randn(3)
    found = gradient_by_autograd(linear, features, text)
    torch.testing.assert_close(found, linear.similarity_gradient(features, text))


def test_a_concept_direction_through_it_stays_inside_the_null_space():
    weight = torch.randn(4, 6, dtype=torch.float64)
    head = HeadDecomposition.from_weight(weight)
    direction = null_direction(torch.randn(6), head, made("mlp3"), torch.randn(3))
    assert float((weight @ direction).abs().max()) < 1e-12
    assert float(torch.linalg.vector_norm(direction)) == pytest.approx(1)


def test_a_zero_text_has_no_gradient_and_an_unknown_architecture_is_named():
    with pytest.raises(ZeroVectorError):
        made("mlp3").similarity_gradient(torch.ones(6), torch.zeros(3))
    with pytest.raises(UnknownNameError, match=r"“mlp9”.*mlp3, mlp4, residual"):
        TranslatorNetwork("mlp9", 6, 3)


def test_depth_is_what_the_name_says():
    def linears(architecture):
        network = TranslatorNetwork(architecture, 6, 3, hidden=5)
        return sum(isinstance(part, torch.nn.Linear) for part in network.modules())

    assert [linears(name) for name in ARCHITECTURES] == [3, 4, 2]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_file_brings_back_the_same_map_and_what_it_is_of(architecture, tmp_path):
    facts = {"model": "lite0", "model_digest": "abc", "space_id": "mini-1"}
    own = replace(made(architecture), **facts, details={"loss": "both"})
    path = tmp_path / "new" / "t.safetensors"
    own.save(path)
    again = NonlinearTranslator.load(path)
    rows = torch.randn(7, 6)
    torch.testing.assert_close(again.apply(rows), own.apply(rows), rtol=1e-5, atol=1e-6)
    for name in (*facts, "details", "architecture"):
        assert getattr(again, name) == getattr(own, name)


def test_damaged_changed_and_foreign_files_are_refused(tmp_path):
    path = tmp_path / "t.safetensors"
    made("mlp3").save(path)
    good = path.read_bytes()
    path.write_bytes(good[:-5])
    with pytest.raises(StaleArtefactError, match="cannot be read"):
        NonlinearTranslator.load(path)
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    with pytest.raises(StaleArtefactError, match="not those that were saved"):
        NonlinearTranslator.load(path)
    path.write_bytes(good)
    save_file(load_file(path), path)
    with pytest.raises(StaleArtefactError, match="not a translator"):
        NonlinearTranslator.load(path)


def rows_of(n=400, seed=0):
    rng = np.random.default_rng(seed)
    matrix = np.random.default_rng(9).standard_normal((8, 4))
    x = rng.standard_normal((n, 8))
    z = np.logaddexp(0, x @ matrix)
    return torch.from_numpy(x).float(), torch.from_numpy(z).float()


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("loss", LOSSES)
def test_training_brings_the_held_out_cosine_up_and_keeps_the_best_pass(architecture, loss):
    held_out = rows_of(100, seed=1)
    done = train(architecture, loss, rows_of(), held_out, QUICK)
    cosines = [epoch.cosine for epoch in done.epochs]
    assert done.best == int(np.argmax(cosines))
    found = torch.cosine_similarity(
        done.translator.apply(held_out[0]), held_out[1].double(), dim=-1
    ).mean()
    assert float(found) == pytest.approx(cosines[done.best], abs=1e-5)
    mean = rows_of()[1].mean(0).expand_as(held_out[1])
    assert float(found) > float(torch.cosine_similarity(mean, held_out[1], dim=-1).mean()) + 0.02


def test_training_leaves_the_random_state_alone():
    for _ in range(5):  # another thread of this process may draw meanwhile, but hardly each time
        torch.manual_seed(3)
        train("mlp3", "mse", rows_of(), rows_of(50, 1), replace(QUICK, epochs=1))
        after = torch.rand(1)
        torch.manual_seed(3)
        if torch.equal(after, torch.rand(1)):
            return
    pytest.fail("training draws from torch's own generator")


def test_training_is_the_same_twice():
    first = train("mlp3", "mse", rows_of(), rows_of(50, 1), replace(QUICK, epochs=2))
    again = train("mlp3", "mse", rows_of(), rows_of(50, 1), replace(QUICK, epochs=2))
    # Where in memory a matrix begins decides the order of its sums: the last digits may differ.
    assert measured(first) == pytest.approx(measured(again), rel=1e-4)
    other = train("mlp3", "mse", rows_of(), rows_of(50, 1), replace(QUICK, epochs=2, seed=1))
    assert measured(first) != pytest.approx(measured(other), rel=1e-3)


@pytest.mark.slow
def test_what_other_threads_draw_meanwhile_changes_nothing():
    ended = threading.Event()

    def draw():
        while not ended.is_set():
            torch.rand(1)

    quiet = train("mlp4", "mse", rows_of(), rows_of(50, 1), replace(QUICK, epochs=2))
    other = threading.Thread(target=draw)
    other.start()
    try:
        beside = train("mlp4", "mse", rows_of(), rows_of(50, 1), replace(QUICK, epochs=2))
    finally:
        ended.set()
        other.join()
    assert measured(beside) == pytest.approx(measured(quiet), rel=1e-4)


def measured(done):
    return [value for epoch in done.epochs for value in astuple(epoch)]


def test_training_ends_when_held_out_rows_gain_nothing():
    noise = (torch.randn(50, 8), torch.randn(50, 4))
    seen = []
    recipe = replace(QUICK, epochs=50, patience=2)
    done = train("mlp3", "mse", rows_of(), noise, recipe, lambda n, most, e: seen.append((n, most)))
    assert len(done.epochs) < 50
    assert len(done.epochs) == done.best + 3
    assert seen == [(i + 1, 50) for i in range(len(done.epochs))]


def test_what_cannot_be_trained_is_refused():
    good = rows_of(20)
    with pytest.raises(ValueError, match="mse, cosine, both"):
        train("mlp3", "hinge", good, good)
    for bad in ((good[0][:3], good[1]), (good[0][:0], good[1][:0]), (good[0][0], good[1])):
        with pytest.raises(ShapeError, match="Training needs"):
            train("mlp3", "mse", bad, good)
        with pytest.raises(ShapeError, match="Training needs"):
            train("mlp3", "mse", good, bad)
