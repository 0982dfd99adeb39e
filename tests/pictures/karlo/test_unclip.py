"""Our sampling arithmetic against diffusers' scheduler, step by step."""

import math
import threading

import pytest
import torch
from diffusers import UnCLIPScheduler

from sing_core.errors import RenderError
from sing_core.pictures.karlo.unclip import SharedNoise, UnclipSchedule

KINDS = {"learned_range": True, "fixed_small_log": False}


@pytest.mark.parametrize("count", [2, 7, 25, 1000])
@pytest.mark.parametrize("kind", KINDS)
def test_every_step_is_the_schedulers_to_the_last_bit(kind, count):
    stock = UnCLIPScheduler(variance_type=kind, prediction_type="epsilon")
    stock.set_timesteps(count)
    own = UnclipSchedule.cosine(learned_variance=KINDS[kind])
    assert torch.equal(own.betas, stock.betas)
    steps = own.steps(count)
    assert [step.timestep for step in steps] == stock.timesteps.tolist()
    sample = torch.randn(2, 3, 4, 4)
    for i in {0, 1, count // 2, count - 1}:
        step, last = steps[i], i == count - 1
        output = torch.randn(2, 6 if KINDS[kind] else 3, 4, 4)
        noise = (
            None if last else torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(i))
        )
        found, picture = own.advance(step, output, sample, noise)
        expected = stock.step(
            output,
            stock.timesteps[i],
            sample,
            prev_timestep=None if last else stock.timesteps[i + 1],
            generator=torch.Generator().manual_seed(i),
        )
        assert torch.equal(picture, expected.pred_original_sample)
        torch.testing.assert_close(found, expected.prev_sample, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("count", [-1, 0, 1, 1001])
def test_a_stage_that_cannot_reach_both_ends_is_refused(count):
    with pytest.raises(RenderError, match=f"between 2 and 1000 steps, got {count}"):
        UnclipSchedule.cosine(learned_variance=True).steps(count)


def test_the_predicted_picture_is_clipped_only_where_the_schedule_says_so():
    output, sample = torch.zeros(1, 3, 2, 2), torch.full((1, 3, 2, 2), 0.5)
    for clip, largest in ((1.0, 1.0), (math.inf, 1e4)):
        own = UnclipSchedule.cosine(learned_variance=False, clip=clip)
        _, picture = own.advance(own.steps(2)[0], output, sample, torch.zeros_like(sample))
        assert (picture.max() <= 1.0) == (largest == 1.0)


def test_shared_noise_is_what_equally_seeded_generators_give():
    one, other = SharedNoise(7), torch.Generator().manual_seed(7)
    for side in (4, 4, 8):
        assert torch.equal(one.draw(side, "cpu"), torch.randn((1, 3, side, side), generator=other))
    assert not torch.equal(SharedNoise(8).draw(4, "cpu"), SharedNoise(7).draw(4, "cpu"))


def test_shared_noise_goes_on_from_a_state():
    first = SharedNoise(7)
    first.draw(4, "cpu")
    state = first.state
    expected = first.draw(8, "cpu")
    assert torch.equal(SharedNoise(7, state=state).draw(8, "cpu"), expected)
    assert torch.equal(SharedNoise(7, state=state).draw(8, "cpu"), expected)  # it was not moved on


def test_threads_do_not_disturb_each_others_schedule():
    own = UnclipSchedule.cosine(learned_variance=True)
    alone = {count: own.steps(count) for count in (5, 9)}
    wrong = []

    def check(count):
        wrong.extend(count for _ in range(20) if own.steps(count) != alone[count])

    threads = [threading.Thread(target=check, args=(count,)) for count in (5, 9, 5, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
