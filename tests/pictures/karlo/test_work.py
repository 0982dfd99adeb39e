"""Karlo as users reach it: from a photo's analysis to a strip, through the jobs of the page."""

import numpy as np
import pytest

from sing_core.errors import TranslatorMismatchError
from sing_core.maths.translator import Translator
from sing_core.models import pool
from sing_core.models.references import OPENAI_VIT_L14, space_id
from sing_core.models.workbench import fitted_path
from sing_core.pictures import jobs
from sing_core.pictures.jobs import PictureJob
from sing_core.pictures.studio import Studio
from sing_core.pictures.work import Commission, strip_work
from sing_core.settings import Settings
from sing_core.studies.photo import analyse_image
from sing_core.studies.question import Question
from sing_core.studies.subject import Subject
from tests import tiny_karlo, toy

PROMPT = "an image of a jellyfish"


@pytest.fixture(scope="module")
def studio(built_karlo, toy_assets, tmp_path_factory):
    """Real lite0, the tiny Karlo from its folder, and a made-up language of Karlo's space."""
    cache = tmp_path_factory.mktemp("karlo-work")
    settings = Settings(assets_dir=toy_assets, cache_dir=cache, karlo_dir=built_karlo, device="cpu")
    name, dim = OPENAI_VIT_L14.name, tiny_karlo.DIM
    stand_ins = {
        name: toy.ToyReference(name, OPENAI_VIT_L14.space_id, [], dim=dim),
        "mini": toy.ToyReference("mini", space_id("mini", settings), []),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "load_reference", lambda asked, settings: stand_ins[asked])
        bench = toy.make_bench(settings)
        entry = bench.entry("lite0")
        Translator(
            toy.seeded("to Karlo", dim, entry.feature_dim) / 30, toy.seeded("bias", dim) / 10,
            "lite0", entry.weights_digest, OPENAI_VIT_L14.space_id,
        ).save(fitted_path(settings, "lite0", name))  # fmt: skip
        yield Studio(bench)


def report_of(studio, photo, reference=OPENAI_VIT_L14.name, **asked):
    return analyse_image(
        studio.bench,
        photo,
        Question(model="lite0", prompt=PROMPT, reference=reference, steps=9, **asked),
    )


def run(studio, photo, report, stop_after=None):
    job = PictureJob(timeout_s=300)
    job.look()
    drawn = Studio.draw

    def draw(*arguments, **options):
        told = options["on_progress"]

        def tell(progress):
            told(progress)
            if stop_after is not None and progress.step >= stop_after:
                job.stop()

        return drawn(*arguments, **options | {"on_progress": tell})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "_FORGOTTEN_AFTER_S", 600.0)
        patch.setattr(Studio, "draw", draw)
        job.run(strip_work(Commission(studio, photo, report, "karlo")))
    assert job.error == ""
    return job


@pytest.mark.slow
def test_a_strip_is_drawn_stopped_resumed_and_recalled(studio, chelsea):
    report = report_of(studio, chelsea)
    assert report.space_id == OPENAI_VIT_L14.space_id
    stopped = run(studio, chelsea, report, stop_after=3)
    assert (stopped.finished, stopped.frames) == (False, {})
    assert stopped.steps >= 3

    job = run(studio, chelsea, report)
    strip, pair = job.strip, {0, job.strip.row_of(report.index)}
    assert job.finished
    assert set(job.frames) == set(job.audits) == set(range(len(strip.indices)))
    sizes = {row: len(frame) for row, frame in job.frames.items()}
    assert {sizes[row] for row in pair} == {tiny_karlo.LARGE_PX}, "the shown pair is enlarged"
    assert {sizes[row] for row in sizes.keys() - pair} == {tiny_karlo.SMALL_PX}

    again = run(studio, chelsea, report)
    assert again.step == 0, "something was drawn again"
    assert all(np.array_equal(again.frames[row], frame) for row, frame in job.frames.items())


@pytest.mark.slow
def test_another_released_step_keeps_the_enlarged_pictures_and_reads_them_all(studio, chelsea):
    first = report_of(studio, chelsea)
    before = run(studio, chelsea, first)
    other = report_of(studio, chelsea, epsilon=first.sweep.epsilon[-1])
    after = run(studio, chelsea, other)
    assert before.strip.row_of(first.index) != after.strip.row_of(other.index)
    assert after.finished
    assert set(after.audits) == set(range(len(after.strip.indices)))
    assert {len(frame) for frame in after.frames.values()} == {16, 32}


@pytest.mark.slow
def test_a_translator_into_another_space_is_refused_with_a_sentence(studio, chelsea):
    drawer = studio.renderer("karlo", "lite0")
    subject = Subject.of(studio.bench, chelsea, Question("lite0", PROMPT))
    features = subject.features[None]
    with pytest.raises(TranslatorMismatchError, match="draws vectors of the space"):
        studio.draw(drawer, studio.request(drawer, subject, features, seed=0, size=16))
