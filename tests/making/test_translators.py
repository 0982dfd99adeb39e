"""Translators: a classifier that is the reference's own tower is translated by its head."""

import torch
from torch.nn.functional import cosine_similarity, normalize

from sing_core.files.digests import sha256_of_bytes
from sing_core.making.heads import Head
from sing_core.making.translators import Pairs, fit_translator
from sing_core.maths.unseen import Unseen


def test_a_classifier_that_is_the_references_own_tower_is_translated_by_the_head():
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(600, 16, generator=generator)
    classifier = (torch.randn(40, 16, generator=generator), torch.zeros(40))
    labels = (features @ classifier[0].mT).argmax(1)
    everything = torch.ones(600)
    photographs = tuple(sha256_of_bytes(str(place // 2).encode()) for place in range(600))
    pairs = Pairs(features, features, labels, everything, everything.bool(), photographs)
    head = Head(torch.randn(8, 16, generator=generator), normalize(torch.ones(8), dim=0))
    fitted = fit_translator(pairs, head, (classifier, classifier))
    fresh = torch.randn(100, 16, generator=generator)
    found = cosine_similarity(fitted.apply(fresh).float(), head.embed(fresh))
    assert float(found.min()) > 0.99
    unseen = Unseen.of(fitted, photographs)
    assert bool((unseen.place >= 0).all())
    crossed = cosine_similarity(unseen.apply(features).float(), head.embed(features))
    assert float(crossed.min()) > 0.98
    assert fitted.details["images"] == "300"
