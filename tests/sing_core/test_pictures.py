"""The studio: who draws, and what finished pictures are read as."""

import numpy as np
import pytest

from sing_core.analysis import analyse_image
from sing_core.errors import SingError, UnknownNameError
from sing_core.pictures import Studio
from sing_core.render.inversion import InversionRenderer

PROMPT = "an image of a jellyfish"


@pytest.fixture(scope="module")
def studio(real_bench):
    return Studio(real_bench)


def test_the_photo_itself_is_read_as_what_it_is(real_bench, chelsea, studio):
    report = analyse_image(real_bench, chelsea, model="lite0", prompt=PROMPT)
    feature = real_bench.features("lite0", chelsea)
    text = real_bench.text_embedding("mini", PROMPT, real_bench.vocabulary("mini"))
    (audit,) = studio.audit(chelsea, report, np.asarray(chelsea.image)[None], feature[None], text)
    assert audit.agrees
    assert audit.angle_deg < 0.1
    assert audit.max_logit_drift < 1e-3


def test_a_renderer_that_is_not_known_or_not_here_is_said_in_words(studio):
    with pytest.raises(UnknownNameError, match="inversion, karlo"):
        studio.renderer("dream", "lite0")
    with pytest.raises(SingError, match="Karlo"):
        studio.renderer("karlo", "lite0")
    usual = studio.renderer("inversion", "lite0")
    assert isinstance(usual, InversionRenderer)
    scale = studio.renderer("inversion", "lite0", in_proportion=True)
    assert scale.recipe.fade > usual.recipe.fade
    assert scale.identity != usual.identity, "their pictures would be taken for each other's"
