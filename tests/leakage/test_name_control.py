"""What random parts do to own names: against scores computed image by image, and on a set."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sing_core.files.store import Store
from sing_core.leakage import concepts_answer
from sing_core.leakage.classes import class_table
from sing_core.leakage.concepts import ConceptRow
from sing_core.leakage.name_control import MOST_IMAGES, contrasts, evenly, name_control
from sing_core.leakage.scored_sets import open_set
from sing_core.leakage.scoring import directed_table
from sing_core.leakage.vocabulary_scale import VocabularyScale, decided_of
from sing_core.maths.controls import RandomSubspaces, random_basis
from sing_core.maths.translator import Translator
from sing_core.models.pool import ModelPool
from sing_core.models.workbench import Workbench
from sing_core.settings import Settings


def test_a_random_part_is_scored_as_a_null_part_is():
    m, d, n = 12, 6, 5
    torch.manual_seed(0)
    translator = Translator(torch.randn(d, m).double(), torch.randn(d).double(), "a", "b")
    features, names = torch.randn(n, m), torch.randn(7, d).double()
    own, length = torch.arange(n), torch.linspace(0, 1, n).double()
    basis = random_basis(m, 4, 3)
    z = translator.apply(features)
    unit = torch.nn.functional.normalize(names).float()
    random = RandomSubspaces.of([basis], translator)
    found = contrasts(random, features, z, length, unit, own)
    inside = features.double() @ basis @ basis.mT
    inside *= (length / torch.linalg.vector_norm(inside, dim=1))[:, None]
    towards = directed_table(z, translator.apply(features.double() - inside), names)
    expected = towards[torch.arange(n), own] - towards.mean(dim=1)
    assert found.shape == (n, 1)
    assert torch.allclose(found[:, 0], expected, atol=2e-3)
    assert found[0, 0] == 0, "nothing is removed from it"


def test_classes_give_as_many_images_each_as_the_limit_allows():
    labels = np.repeat([0, 1, 2], [6, 1, 3])
    assert labels[evenly(labels, 7)].tolist() == [0, 0, 0, 1, 2, 2, 2]
    assert evenly(labels, 99).all()
    assert labels[evenly(labels, 1)].tolist() == [0, 1, 2]


def test_the_vocabulary_is_tested_as_the_list_is():
    rng = np.random.default_rng(0)
    directed = rng.normal(0, 1, (30, 200))
    directed[:, :50] += 3
    assert 50 <= decided_of(directed) <= 60
    assert decided_of(directed[:1]) is None
    scale = VocabularyScale(4, 1, 1, 1, 1, 1, None, 0, 2, torch.tensor([0.1, -0.2, 0.3, -0.4]))
    assert (scale.beyond(-0.35), scale.beyond(0.05)) == (0.75, 0)


def test_the_share_of_the_vocabulary_stands_beside_that_of_the_list():
    values = dict.fromkeys(ConceptRow.__slots__, 0.0) | {"stratum": "", "by_kind": (), "n": 9}
    values |= {"vocabulary": 1268, "vocabulary_decided": 0.4, "beyond": 0.25, "prompt": "a"}
    values |= {"concept": "lemon", "p_adjusted": 0.01, "directed_mean": 0.3}
    row = ConceptRow(**values)
    said = concepts_answer.summary([row, replace(row, p_adjusted=0.5, beyond=0.1)], whole=False)
    assert "Of the 1,268 words of the fixed vocabulary 40 % are decided likewise" in said
    assert "of those asked 50 %" in said
    assert "(lemon moves further than 25 % of them)" in said
    assert "Classes tests the own name beside the names of all classes" in said
    assert row.as_row()["vocabulary_decided"] == 0.4
    silent = concepts_answer.summary([replace(row, vocabulary_decided=None)] * 2, whole=False)
    assert "fixed vocabulary" not in silent


@pytest.mark.slow
def test_the_null_space_takes_less_of_the_own_name_than_random_parts(tmp_path):
    settings = Settings(cache_dir=tmp_path)
    bench = Workbench(settings, ModelPool(settings), Store(settings.cache_dir))
    scored = open_set(bench, "lite0", images="embedded")
    found = name_control(scored)
    assert found.beside.draws >= 8
    assert found.random.clusters == 1000 <= MOST_IMAGES
    assert found.random.high < -0.5
    assert found.beside.difference.low > 0
    assert 0.1 < found.share < 0.4
    rows = class_table(scored)
    assert all(0.1 < row.detectable < 5 for row in rows if row.n > 1)
    assert all(row.detectable is None for row in rows if row.n == 1)
