"""Another reference on the pages: loaded in the Library, fitted to, and then measured in."""

import pytest
from PIL import Image

from pages._view import loaders
from pages._view.library import actions
from pages._view.words.phrases import NOTHING
from sing_core.files.images import decode_image
from sing_core.files.samples import SAMPLES, sample_bytes
from tests.pages.driver import App
from tests.tiny_clip import tiny_clip

CROPS = 4


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    tiny_clip(folder, 0)
    return f"local-dir:{folder}"


@pytest.fixture(scope="module")
def crops(tmp_path_factory):
    """24 photographs of two classes, cut from the samples: enough for a fit."""
    root = tmp_path_factory.mktemp("crops")
    for place, sample in enumerate(SAMPLES):
        photo = decode_image(sample_bytes(sample.name)).image
        side = min(photo.size)
        folder = root / ("n02123045" if place % 2 else "n01443537")
        folder.mkdir(exist_ok=True)
        for turn in range(CROPS):
            cut = photo.crop((0, 0, side, side)).rotate(90 * turn).resize((160, 160), Image.LANCZOS)
            cut.save(folder / f"{sample.name}-{turn}.jpg", quality=92)
    return root


@pytest.fixture
def unload(tiny):
    yield
    loaders.bench().pool.unload(tiny)


def load(name):
    app = App().open("library")
    app._set(app.at.selectbox(key="library.reference"), name)
    app.at.button(key="library.load_reference").click()
    return app.run()


def choose(app, name):
    return app._set(app.at.selectbox(key=loaders.REFERENCE), name)


def has_picker(app):
    return any(box.key == loaders.REFERENCE for box in app.at.selectbox)


@pytest.mark.slow
def test_what_ships_can_be_picked_and_the_table_lists_those_that_can_be_had():
    assert has_picker(App())
    app = App().open("library")
    listed = app.at.dataframe[1].value.set_index("name")
    assert set(listed.loc[["mini", "mini-vit"], "state"]) == {"ships with the app"}
    assert listed.loc["ViT-L-14-quickgelu/openai", "state"] == "not here"
    assert len(listed) == 6
    tables = [table.proto for table in app.at.dataframe[:2]]
    assert [table.placeholder for table in tables] == ["–", "–"], "no “None” where nothing is"


@pytest.mark.slow
def test_a_typed_reference_is_loaded_fitted_to_and_measured_in_on_all_pages(tiny, crops, unload):
    app = load(tiny)
    assert app.errors == []
    assert "is loaded. Angles can be measured in it" in app.at.success[0].value
    assert app.at.dataframe[1].value.set_index("name").loc[tiny, "state"] == "typed by its name"

    explore = App()
    choose(explore, tiny)
    assert "There is no translator from lite0" in "".join(explore.errors)

    choose(app, tiny)
    assert app.at.dataframe[0].value.set_index("name").loc["lite0", "translator"] == NOTHING
    app.at.text_input(key="library.images").set_value(str(crops))
    app.at.text_input(key="library.set_name").set_value("crops")
    app.at.checkbox(key="library.fit").set_value(True)
    next(b for b in app.at.button if b.label == "Prepare").click()
    app.run()
    told = app.at.success[-1].value
    assert "crops is prepared under EfficientNet-Lite0: 24 of 24 images have scores" in told
    said = "measured by a fit that did not see it, its cosine to the reference’s own embedding"
    assert any(said in caption for caption in app.captions)
    assert app.at.dataframe[0].value.set_index("name").loc["lite0", "translator"] == "yes"

    explore.run()
    assert explore.errors == []
    assert explore.query["reference"] == tiny
    assert any("a reference that was loaded on this machine" in c for c in explore.captions)
    assert any("fitted or imported on this machine" in c for c in explore.captions)
    explore.at.session_state["explore.command"] = True
    explore.run()
    assert f"--reference {tiny}" in "".join(code.value for code in explore.at.code)
    linked = App(reference=tiny)
    assert linked.at.selectbox(key=loaders.REFERENCE).value == tiny

    validate = explore.open("validate")
    assert validate.at.selectbox(key=loaders.REFERENCE).value == tiny, "one choice for all pages"
    words = " ".join(element.value for element in validate.at.markdown)
    assert "On these 6 images" in words

    for page in ("classes", "concepts", "compare"):
        browse = explore.open(page)
        browse._set(browse.at.selectbox(key=f"{page}.set"), "embedded")
        told = browse.errors + [element.value for element in browse.at.info]
        assert "local" in told[0], "the embedded set is in mini alone"
        browse._set(browse.at.selectbox(key=f"{page}.set"), "crops")
        assert browse.errors == [], page
    choose(browse, "mini")
    assert "reference" not in browse.query

    app.at.button(key="library.unload_reference").click()
    app.run()
    assert "is unloaded" in app.at.success[0].value
    explore = App()
    assert tiny not in explore.at.selectbox(key=loaders.REFERENCE).options
    choose_nothing = App(reference=tiny)
    assert "is not loaded on this server" in choose_nothing.warnings[0]
    assert actions.library()[0].has_translator


@pytest.mark.slow
def test_a_link_to_a_reference_that_is_not_here_is_said_and_the_default_used():
    app = App(reference="ViT-B-32/laion2b_s34b_b79k")
    assert "is not loaded on this server" in app.warnings[0]
    assert "laion2b" in app.warnings[0]
    assert any("in **mini" in caption for caption in app.captions)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no such thing", "No image-text reference is called"),
        ("local-dir:/nowhere/at/all", "is not an open_clip model"),
        ("ViT-L-14/openai", "every embedding would be wrong"),
    ],
)
def test_what_cannot_be_loaded_is_a_sentence_and_mini_stays(name, words):
    app = load(name)
    assert words in app.errors[0].replace("\\", "")  # what was typed is text, not Markdown
    assert "mini" in list(app.at.dataframe[1].value["name"])
