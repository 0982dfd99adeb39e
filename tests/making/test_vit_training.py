"""Restoring the ViT: the plan's rates, the dropping of patches, and a run that goes on."""

import os
import signal
import threading

import numpy as np
import pytest
import timm
import torch

from sing_core.making import vit_reference
from sing_core.making.vit_reference import run
from sing_core.making.vit_training import Batch, Plan, Teacher, Training, drop_patches, places
from sing_core.making.vit_workers import Workers, together
from sing_core.models.focus_vit import ARCHITECTURE, SIZE

PLAN = Plan(small=2, photos=1, keep=3, warm_up=2)
STEPS = 6


@pytest.fixture(scope="module")
def weights():
    torch.manual_seed(0)
    return timm.create_model(ARCHITECTURE, img_size=SIZE).state_dict()


class TinyBench:
    """Batches of noise that follow from the step's number; nothing is measured."""

    def steps_per_pass(self, plan):
        return STEPS

    def batch(self, step, plan):
        generator = torch.Generator().manual_seed(step)
        tokens = torch.randn(3, 8, 384, generator=generator)
        teacher = torch.randn(3, 1280, generator=generator)
        return Batch(tokens, torch.tensor([1, 2, 3]), teacher)


@pytest.fixture
def start(weights, monkeypatch):
    monkeypatch.setattr(vit_reference, "_measure_pass", lambda *_: None)
    teacher = Teacher(torch.zeros(1000, 1280), torch.zeros(1000), torch.zeros(1280))
    return lambda: Training(weights, teacher, PLAN, Workers())


def test_the_rate_rises_then_falls_to_its_floor():
    rates = [Plan().rate_at(step, 1000) for step in range(1000)]
    assert rates[0] < rates[299] == pytest.approx(1.0)
    assert rates[300:] == sorted(rates[300:], reverse=True)
    assert Plan().rate_at(1000, 1000) == pytest.approx(Plan().floor)


def test_more_passes_stretch_the_cosine():
    assert Plan().rate_at(900, 2000) > Plan().rate_at(900, 1000)


def test_every_patch_is_seen_at_the_end():
    assert PLAN.keep_at(0, 100, 64) == 3
    assert PLAN.keep_at(90, 100, 64) == 64


def test_dropping_patches_keeps_the_class_token_and_whole_patches():
    tokens = torch.arange(2 * 9).reshape(2, 9, 1).expand(-1, -1, 4).float()
    kept = drop_patches(tokens, 3, torch.Generator().manual_seed(0))
    assert kept.shape == (2, 4, 4)
    assert torch.equal(kept[:, 0], tokens[:, 0])
    assert len(set(kept[0, 1:, 0].tolist())) == 3
    assert set(kept[0, 1:, 0].tolist()) <= set(tokens[0, 1:, 0].tolist())


def test_a_round_of_places_has_each_once():
    found = np.concatenate([places(10, 5, turn, (1,)) for turn in (0, 1)])
    assert sorted(found.tolist()) == list(range(10))
    assert not np.array_equal(places(10, 5, 0, (1,)), places(10, 5, 2, (1,)))


@pytest.mark.slow
def test_a_run_that_was_ended_goes_on_as_if_it_had_not_been(start, tmp_path):
    whole = start()
    run(TinyBench(), whole, Workers(), tmp_path / "a", lambda _: None, STEPS)

    class Ending(TinyBench):
        def batch(self, step, plan):
            if step == 2:
                os.kill(os.getpid(), signal.SIGTERM)
            return super().batch(step, plan)

    first = start()
    run(Ending(), first, Workers(), tmp_path / "b", lambda _: None, STEPS)
    assert first.step == 3
    second = start()
    second.load(tmp_path / "b" / "last.pt")
    assert second.step == 3
    run(TinyBench(), second, Workers(), tmp_path / "b", lambda _: None, STEPS)
    for (name, ours), theirs in zip(
        whole.student.state_dict().items(), second.student.state_dict().values(), strict=True
    ):
        assert torch.equal(ours, theirs), name
    for ours, theirs in zip(
        whole.average.state_dict().values(), second.average.state_dict().values(), strict=True
    ):
        assert torch.equal(ours, theirs)


@pytest.mark.slow
def test_a_finished_run_has_nothing_left_to_do(start, tmp_path):
    training = start()
    training.step = STEPS
    run(TinyBench(), training, Workers(), tmp_path, lambda _: None, STEPS)
    assert training.step == STEPS


def draw_meanwhile(over):
    while not over.is_set():
        torch.rand(1)


def learn_together(workers, weights, path):
    over = threading.Event()
    other = threading.Thread(target=draw_meanwhile, args=(over,))
    if workers.place:  # as a thread that loads a network does: from the same generator
        other.start()
    try:
        learn_two_steps(workers, weights, path)
    finally:
        over.set()
        if workers.place:
            other.join()


def learn_two_steps(workers, weights, path):
    teacher = Teacher(torch.zeros(1000, 1280), torch.zeros(1000), torch.zeros(1280))
    training = Training(weights, teacher, PLAN, workers)
    for step in range(2):
        batch = TinyBench().batch(step, PLAN)
        training.learn(Batch(batch.tokens[:2], batch.labels[:2], batch.teacher[:2]), STEPS)
    torch.save(training.student.state_dict(), path / f"{workers.count}-{workers.place}.pt")


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
def test_two_processes_keep_the_same_weights(weights, tmp_path, threads):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        keep_the_same_weights(weights, tmp_path)
    finally:
        torch.set_num_threads(before)


def keep_the_same_weights(weights, tmp_path):
    together(2, tmp_path / "meeting", learn_together, weights, tmp_path)
    first, second = (torch.load(tmp_path / f"2-{place}.pt", weights_only=True) for place in (0, 1))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["head.weight"], weights["norm.weight"].new_zeros(1000, 384))
