"""What a job draws and in which order, on real lite0, shortened; and what the cache saves."""

import pytest

from sing_core.pictures import jobs
from sing_core.pictures.inversion.eye import Eye
from sing_core.pictures.inversion.recipe import InversionRecipe, Stage
from sing_core.pictures.inversion.renderer import InversionRenderer
from sing_core.pictures.jobs import PictureJob
from sing_core.pictures.protocol import picture_key
from sing_core.pictures.studio import Studio
from sing_core.pictures.work import (
    Commission,
    controls_work,
    scale_work,
    seeds_beside,
    strip_work,
)
from sing_core.studies.photo import analyse_image
from sing_core.studies.question import Question

SHORT = InversionRecipe(first=Stage(64, 2, 3 / 7), stages=(Stage(128, 1, 3 / 7),), preview_every=1)


class ShortStudio(Studio):
    """Draws with the real renderer, but in three steps."""

    def renderer(self, name, model, reference="mini", *, in_proportion=False):
        eye = Eye.of(self.bench.pool.backbone(model), fast=False)
        return InversionRenderer(eye, model, SHORT)


@pytest.fixture(scope="module")
def asked(real_bench, chelsea):
    report = analyse_image(
        real_bench, chelsea, Question(model="lite0", prompt="an image of a jellyfish", steps=5)
    )
    return Commission(ShortStudio(real_bench), chelsea, report)


class Diary(dict):
    """Frames that remember in which order they came."""

    def __init__(self):
        super().__init__()
        self.entries = []

    def __setitem__(self, row, frame):
        self.entries.append((row, len(frame)))
        super().__setitem__(row, frame)


def run(work):
    job = PictureJob(timeout_s=300)
    job.frames = Diary()
    job.look()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "_FORGOTTEN_AFTER_S", 600.0)  # nobody looks again here
        job.run(work)
    assert (job.error, job.finished) == ("", True)
    return job


@pytest.fixture(scope="module")
def strip_job(asked):
    return run(strip_work(asked))


@pytest.mark.slow
def test_the_pair_comes_first_then_the_rest(asked, strip_job):
    strip, entries = strip_job.strip, strip_job.frames.entries
    pair = {0, strip.row_of(asked.report.index)}
    first_of_rest = next(i for i, (row, _) in enumerate(entries) if row not in pair)
    assert {row for row, _ in entries[:first_of_rest]} == pair
    assert {row for row, _ in entries[first_of_rest:]}.isdisjoint(pair)
    assert set(strip_job.frames) == set(strip_job.audits) == set(range(len(strip.indices)))
    assert {len(frame) for frame in strip_job.frames.values()} == {128}


@pytest.mark.slow
def test_what_was_drawn_once_is_recalled(asked, strip_job):
    again = run(strip_work(asked))
    assert {size for _, size in again.frames.entries} == {128}
    assert again.step == 0, "something was drawn again"
    for row, frame in strip_job.frames.items():
        assert (again.frames[row] == frame).all()


@pytest.mark.slow
def test_a_picture_that_is_lost_is_drawn_again(asked, strip_job):
    renderer = asked.studio.renderer("inversion", "lite0")
    features = strip_job.strip.features[:1]
    request = asked.studio.request(renderer, asked.subject(), features, seed=0, size=128)
    key = picture_key(renderer, request, 0)
    asked.studio.bench.store.path("frames", key).unlink()
    again = run(strip_work(asked))
    assert again.step > 0, "nothing was drawn"
    assert (again.frames[0] == strip_job.frames[0]).all()


@pytest.mark.slow
def test_the_scale_and_the_controls_are_drawn_and_read(asked):
    scale = run(scale_work(asked))
    assert set(scale.audits) == set(range(len(scale.strip.indices)))
    grid = run(controls_work(asked))
    assert set(grid.audits) == set(range(16))
    for row in range(4):  # one column: one feature, four drawings
        drawn = [grid.frames[turn + row].tobytes() for turn in range(0, 16, 4)]
        assert len(set(drawn)) == 4, "the seed changes nothing"
        assert len({grid.strip.features[t + row].numpy().tobytes() for t in range(0, 16, 4)}) == 1


def test_neighbours_which_draw_nothing_have_one_row_of_controls():
    assert seeds_beside("inversion", 5) == (5, 6, 7, 8)
    assert seeds_beside("neighbours", 5) == (5,)


def test_a_stopped_job_keeps_what_it_has(asked):
    job = PictureJob(timeout_s=300)
    job.stop()
    job.run(strip_work(asked))
    assert (job.done, job.finished, job.error) == (True, False, "")
