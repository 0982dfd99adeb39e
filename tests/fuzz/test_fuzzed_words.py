"""Lists, links, scenes and names that nobody meant: a ``SingError`` or an answer, nothing else."""

import json
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from pages._view.talk.asked import link_of_scene, scene_of_link
from sing_core.errors import SingError
from sing_core.files.text_lists import decoded, read_list, rows_of
from sing_core.leakage.concept_lists import parse_concepts
from sing_core.maths.head_variants import parse_classes
from sing_core.models.head_classes import parse_mapping
from sing_core.models.imagenet import imagenet_labels
from sing_core.models.names import file_state, parse_name
from sing_core.models.networks import check_known
from sing_core.models.prompts import clean_prompt
from sing_core.models.references import space_id
from sing_core.sets.class_folders import class_of
from sing_core.sets.sources import open_source
from sing_core.sets.stored import StoredImage, digest_of
from sing_core.settings import Settings
from sing_core.talk.scene import Scene, check_name, scene_from_json
from tests.fuzz.mutations import CHANGES, answered, damaged, in_bounds, quickly, words
from tests.models.test_head_classes import classifier
from tests.pages.driver import ROOT

pytestmark = pytest.mark.slow
LABELS = imagenet_labels()[:20]
SETTINGS = Settings(offline=True)
HEAD = classifier(3, ("dog", "cat", "plane"))
LISTS = {
    "plain": "tabby cat\nsports car\nchâteau\n".encode(),
    "western": "château\nnaïve\n".encode("latin-1"),
    "wide": "chat\nchien\n".encode("utf-16"),
    "marked": "chat\n日本\n".encode("utf-8-sig"),
    "table": b'index,name\n0,"tench, Tinca tinca"\n1,goldfish\n',
    "json": b'["tench", "goldfish", "great white shark"]',
    "numbered": b"0 tench, Tinca tinca\n1 goldfish\n2 great white shark, white shark\n",
    "uneven": b"id,label\n0,tench, Tinca tinca\n1,goldfish\n",
    "python": b"{0: 'tench, Tinca tinca',\n 1: 'goldfish'}",
    "dos": b"tench\r\ngoldfish\r\n\x1a",
    "classes": b"n02123045\tcat\n207\tdog\n",
    "mapping": b'{"0": ["n01440764", "tench"], "1": ["n01443537", "goldfish"]}',
}
NAMES = words(
    "resnet18", "lite0", "vit_base_patch16_224", ".a1_in1k", "hf-hub:", "timm/", "@main", ":256@",
    ".safetensors", ".safetensors@", "/dev/zero", "/etc", "local-dir:", "centred:", "mini", "n0144",
    "ViT-B-32", "laion2b_s34b_b79k", "embedded/0/", "0" * 64, "ImageNet", "207", "tench", "~root/",
)  # fmt: skip


@pytest.fixture(autouse=True)
def bounded():
    with in_bounds():
        yield


@pytest.mark.parametrize("name", LISTS)
def test_lists(name, tmp_path):
    path = tmp_path / "list.txt"

    @quickly(80)
    @given(changes=CHANGES, chance=st.binary(max_size=200))
    def check(changes, chance):
        payload = chance if len(chance) % 2 else damaged(LISTS[name], changes)
        path.write_bytes(payload)
        answered(lambda: read_list(path))
        answered(lambda: parse_concepts(decoded(payload, "list.txt")[0]))

    check()


LINES = st.lists(
    words("0", "1", "2", "17", "n01440764", "281", "tabby", "dog", "cat", "-", "\t", ",", ";", ": ",
          ". ", ") ", " ", "'", "label", "id", "9" * 5_000, "x" * 140_000, "\x1a", "\u2028"),
    max_size=6,
).map("\n".join)  # fmt: skip


@quickly(150)
@given(text=LINES)
def test_lines_with_codes_and_mappings_of_classes(text):
    answered(lambda: rows_of(text))
    answered(lambda: parse_mapping(text, "map.txt", HEAD))
    payload = text.encode("utf-16-le", "surrogatepass")
    answered(lambda: decoded(payload, "list.txt"))


@pytest.mark.parametrize("name", LISTS)
def test_mappings_of_classes_from_damaged_files(name):
    @quickly(30)
    @given(changes=CHANGES)
    def check(changes):
        payload = damaged(LISTS[name], changes)
        answered(lambda: parse_mapping(decoded(payload, "map.txt")[0], "map.txt", HEAD))

    check()


@quickly(200)
@given(
    text=words("tench", "\n", ",", "{", "}", "{}", '["', '"]', "\t", "n01440764"),
    template=words("{}", "a "),
)
def test_lists_and_templates_as_text(text, template):
    answered(lambda: rows_of(text))
    answered(lambda: parse_concepts(text, template=template))
    answered(lambda: parse_concepts(text))


@quickly(100)
@given(name=NAMES)
def test_names(name, tmp_path_factory):
    answered(lambda: parse_name(name))
    answered(lambda: file_state(name))
    answered(lambda: check_known(name, SETTINGS))
    answered(lambda: StoredImage.find(name, SETTINGS))
    answered(lambda: digest_of(name))
    answered(lambda: check_name(name))
    answered(lambda: clean_prompt(name))
    answered(lambda: class_of(name))
    answered(lambda: parse_classes(name, LABELS))


@quickly(60)
@given(name=NAMES, kind=st.sampled_from(["", "local-dir:", "hf-hub:", "centred:", "ViT-B-32/"]))
def test_names_of_references(name, kind):
    answered(lambda: space_id(kind + name, SETTINGS))


@quickly(80)
@given(name=words("set", ".parquet", ".zip", ".tar", "n01440764", "../", "*", "a" * 300))
def test_names_of_sets(name, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp() / "nothing"
    answered(lambda: open_source(Path(f"{folder}/{name}")))


VALUES = st.one_of(
    words(
        "lite0", "whole", "classes", "0-15", "207", "steer", "remove", "mini", "feasible", "coffee"
    ),
    st.floats().map(str),
    st.integers().map(str),
)
LINKS = st.dictionaries(
    st.sampled_from(
        ["photo", "model", "prompt", "mode", "reference", "eps", "head", "classes", "share",
         "drawn", "is", "renderer", "x"]
    ),
    VALUES,
    max_size=6,
)  # fmt: skip


@quickly(200)
@given(query=LINKS, name=words("scene"), caption=words(), notes=words())
def test_links_become_scenes_or_a_sentence_and_scenes_links(query, name, caption, notes):
    found = answered(lambda: scene_of_link(query, name, caption, notes))
    if isinstance(found, Scene):
        again = dict(parse_qsl(link_of_scene(found).partition("?")[2]))
        assert scene_of_link(again, name, caption, notes) == found


@quickly(200)
@given(
    fields=st.dictionaries(
        st.sampled_from([*Scene.__dataclass_fields__, "x"]),
        st.one_of(
            VALUES, st.none(), st.booleans(), st.floats(), st.integers(),
            st.lists(st.integers(), max_size=3),
        ),
    ),
    rest=st.binary(max_size=6),
)  # fmt: skip
def test_scenes(fields, rest):
    text = json.dumps({"name": "a", "photo": "coffee", "model": "lite0", "prompt": "cat"} | fields)
    answered(lambda: scene_from_json(text))
    answered(lambda: scene_from_json(text.encode() + rest))
    answered(lambda: scene_from_json(rest))


def opens(query):
    """Open the app by a link, as a browser carries it; what no page of ours has said is a bug."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
    for name, value in parse_qsl(urlencode(query, errors="replace")):
        app.query_params[name] = value
    app.run()
    assert [error.message for error in app.exception] == []
    return app


@quickly(6)
@given(query=LINKS)
def test_explore_opens_by_any_link(query):
    assert opens(query).get("selectbox")


@quickly(5)
@given(stage=words("1", "notes", "question"), scene=words("camera-strawberry-sixteen"), query=LINKS)
def test_the_stage_opens_by_any_link(stage, scene, query):
    opens({**query, "stage": stage, "scene": scene})


def test_what_is_good_is_still_understood():
    assert read_list.__doc__
    with pytest.raises(SingError):
        parse_name("a\0b")
    query = {"photo": "coffee", "eps": "3", "prompt": "a red dog"}
    assert scene_of_link(query, "good", "", "").epsilon == 3
