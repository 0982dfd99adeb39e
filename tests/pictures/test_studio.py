"""The studio: who draws, and what finished pictures are read as."""

import numpy as np
import pytest

from sing_core.errors import SingError, UnknownNameError
from sing_core.pictures.inversion.renderer import InversionRenderer
from sing_core.pictures.studio import Studio
from sing_core.studies.question import Question
from sing_core.studies.subject import Subject

PROMPT = "an image of a jellyfish"


@pytest.fixture(scope="module")
def studio(real_bench):
    return Studio(real_bench)


@pytest.mark.slow
def test_the_photo_itself_is_read_as_what_it_is(real_bench, chelsea, studio):
    subject = Subject.of(real_bench, chelsea, Question("lite0", PROMPT))
    pixels = np.asarray(chelsea.image)[None]
    (audit,) = studio.audit(subject, pixels, subject.features[None])
    assert audit.agrees
    assert audit.angle_deg < 0.1
    assert audit.max_logit_drift < 1e-3


@pytest.mark.slow
def test_a_renderer_that_is_not_known_or_not_here_is_said_in_words(studio):
    with pytest.raises(UnknownNameError, match="inversion, drawn, neighbours, karlo"):
        studio.renderer("dream", "lite0")
    with pytest.raises(SingError, match="Karlo"):
        studio.renderer("karlo", "lite0")
    usual = studio.renderer("inversion", "lite0")
    assert isinstance(usual, InversionRenderer)
    assert studio.identity("inversion", "lite0") == usual.identity
    scale = studio.renderer("inversion", "lite0", in_proportion=True)
    assert scale.recipe.fade > usual.recipe.fade
    assert scale.identity != usual.identity, "their pictures would be taken for each other's"
