"""WordNet: its lines are read as they are, and kin share the narrowest kind that both are of."""

import math

import pytest

from sing_core.errors import WeightsUnavailableError
from sing_core.making.wordnet import WordNet

# As in data.noun: an instance of a star (@i), a class with two kinds above it, a class whose words
# are counted in hexadecimal (0a), and what ImageNet does not know but lies above what it knows.
LINES = (
    "  1 This software and database is being provided to you, the LICENSEE, by  ",
    "00001740 03 n 01 entity 0 001 ~ 00001930 n 0000 | that which is perceived or known  ",
    "00015388 03 n 06 animal 0 animate_being 0 beast 0 brute 0 creature 0 fauna 0 002 "
    "@ 00001740 n 0000 + 01617192 v 0502 | a living organism  ",
    "01439121 05 n 01 cyprinid 0 001 @ 00015388 n 0000 | soft-finned fishes  ",
    "01317541 05 n 02 domestic_animal 0 domesticated_animal 0 001 @ 00015388 n 0000 | tamed  ",
    "01443537 05 n 02 goldfish 0 Carassius_auratus 0 004 @ 01439121 n 0000 @ 01317541 n 0000 "
    "#m 01443398 n 0000 ~ 01443736 n 0000 | small golden or orange-red freshwater fishes  ",
    "02747177 06 n 0a ashcan 0 trash_can 0 garbage_can 0 wastebin 0 ash_bin 0 ash-bin 0 ashbin 0 "
    "dustbin 0 trash_barrel 0 trash_bin 0 001 @ 00001740 n 0000 | a bin | that holds rubbish  ",
    "09444100 17 n 01 star 0 001 @ 00001740 n 0000 | a celestial body of hot gases  ",
    "09450163 17 n 02 sun 0 Sun 2 002 @i 09444100 n 0000 #m 09439433 n 0000 | the star that is "
    'the source of light and heat; "the Earth revolves around the Sun"  ',
)
SMALL = WordNet(
    ("thing", "animal", "dog", "poodle", "cat", "cup"),
    ("thing", "animal", "dog", "poodle", "cat", "cup"),
    ("",) * 6,
    {
        "thing": (),
        "animal": ("thing",),
        "dog": ("animal",),
        "poodle": ("dog",),
        "cat": ("animal",),
        "cup": ("thing",),
    },
)


@pytest.fixture(scope="module")
def read():
    return WordNet.from_lines(LINES)


def test_the_licence_is_skipped_and_every_kind_and_instance_is_followed(read):
    assert read.parents == {
        "n00001740": (),
        "n00015388": ("n00001740",),
        "n01439121": ("n00015388",),
        "n01317541": ("n00015388",),
        "n01443537": ("n01439121", "n01317541"),
        "n02747177": ("n00001740",),
        "n09444100": ("n00001740",),
        "n09450163": ("n09444100",),
    }


def test_the_classes_come_first_and_each_synset_has_its_word_and_definition(read):
    assert read.wnids[:2] == ("n01443537", "n02747177")
    assert len(read.wnids) == len(set(read.wnids)) == len(read.words) == len(read.definitions)
    found = dict(zip(read.wnids, zip(read.words, read.definitions, strict=True), strict=True))
    assert found["n01443537"][0] == "goldfish"
    assert found["n01443537"][1].startswith("small golden or orange-red freshwater fishes")
    assert found["n09450163"][0] == "sun"


def test_what_lies_above_is_found_by_every_way_up(read):
    goldfish = {"n01443537", "n01439121", "n01317541", "n00015388", "n00001740"}
    assert read.ancestors("n01443537") == goldfish
    assert read.ancestors("n09450163") == {"n09450163", "n09444100", "n00001740"}


def test_another_file_and_no_file_are_one_sentence(tmp_path):
    other = tmp_path / "data.noun"
    other.write_text("\n".join(LINES), encoding="latin-1")
    for path in (other, tmp_path / "nowhere"):
        with pytest.raises(WeightsUnavailableError, match=r"is not the file data\.noun.*WNdb") as e:
            WordNet.read(path)
        assert str(e.value).startswith(str(path))
        assert str(e.value).endswith(".")


def test_kinship_is_the_content_of_the_narrowest_shared_kind():
    kinship = SMALL.kinship(["dog", "cup"])
    assert kinship.shape == (6, 2)
    assert kinship[:, 1].tolist() == pytest.approx([0, 0, 0, 0, 0, math.log(6)])
    animal, dog = math.log(6 / 4), math.log(6 / 2)
    assert kinship[:, 0].tolist() == pytest.approx([0, animal, dog, dog, animal, 0])
