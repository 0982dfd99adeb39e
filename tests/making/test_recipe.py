"""Words without a class: neither its prompts nor kin of it alone."""

import torch

from tests.making.small_world import CLASSES, World


def test_words_without_some_classes_say_nothing_of_them():
    words = World().words
    out = torch.arange(CLASSES) % 3 == 0
    left = words.without(out)
    assert left.texts.classes.equal(words.texts.classes[:, ~out])
    assert left.texts.values is words.texts.values
    assert left.kin.kinship.shape == (len(left.kin.texts), CLASSES - int(out.sum()))
    assert len(left.kin.texts) <= len(words.kin.texts)
    assert bool((left.kin.kinship.amax(1) > 1).all())
    assert left.sentences is words.sentences
    assert words.texts.classes.shape[1] == CLASSES
