"""The groups of classes: every class is in one, and where a person would look for it."""

import pytest

from sing_core.leakage.superclasses import OTHER, superclasses
from sing_core.models.imagenet import imagenet_labels


def test_every_class_is_in_exactly_one_group():
    assert sorted(index for group in superclasses().values() for index in group) == [*range(1000)]


@pytest.mark.parametrize(
    ("group", "labels"),
    [
        ("Fish", ["goldfish", "pufferfish"]),
        ("Birds", ["ostrich", "black swan", "albatross"]),
        ("Dogs", ["Chihuahua", "Siberian Husky"]),
        ("Cats", ["Egyptian Mau", "tiger", "cheetah"]),
        ("Other mammals", ["koala", "grey wolf", "giant panda", "sea lion"]),
        ("Vehicles", ["sports car", "trolleybus", "canoe", "airliner"]),
        ("Musical instruments", ["violin", "steel drum", "grand piano"]),
        ("Clothing", ["jeans", "kimono", "sandal"]),
        ("Buildings", ["church", "lighthouse", "yurt"]),
        ("Food", ["lemon", "pizza", "mushroom"]),
        ("Plants and fungi", ["daisy", "hay", "bolete"]),
        (OTHER, ["tennis ball", "toilet paper", "bubble", "abacus"]),
    ],
)
def test_a_class_is_where_a_person_would_look(group, labels):
    known = imagenet_labels()
    assert {known.index(label) for label in labels} <= superclasses()[group]
