"""The Library page: what there is, what is missing, loading and letting go."""

import pytest
import timm
import torch
from safetensors.torch import save_file

from pages._view import loaders
from pages._view.library import actions
from tests.pages.driver import App
from tests.pages.library_page import plain, said

pytestmark = pytest.mark.slow  # whole pages


@pytest.fixture
def library():
    return App().open("library")


def table(app):
    return app.at.dataframe[0].value.set_index("name")  # AppTest 1.67 knows no keys of tables


def choose(app, name):
    return app._set(app.at.selectbox(key="library.name"), name)


def press(app, button):
    app.at.button(key=f"library.{button}").click()
    return app.run()


def test_everything_of_the_table_is_listed_with_its_state_and_licence(library):
    found = table(library)
    assert list(found.index[:3]) == ["lite0", "lite1", "lite2"]
    assert len(found) >= 17
    assert set(found["state"][:3]) == {"ships with the app"}
    assert found.loc["vgg16.tv_in1k", "state"] == "not here"
    assert found.loc["vgg16.tv_in1k", "null space"] == 3096
    free = found.loc["resnext101_32x8d.fb_wsl_ig1b_ft_in1k", "licence"]
    assert free == "CC-BY-NC-4.0 · non-commercial"
    assert (library.errors, library.warnings) == ([], [])


def test_what_is_here_is_ready_and_load_stands_out_for_what_is_not(library):
    rows = table(library)
    here = int(((rows["state"] != "not here") & (rows["translator"] == "yes")).sum())
    first = library.at.markdown[0].value
    assert first.startswith(f"**{here} classifiers are ready: choose one on Explore; nothing has")
    assert len(first.split("**")[1].split()) <= 25

    def look(name):
        choose(library, name)
        return library.at.button(key="library.load").proto.type

    assert [look("lite0"), look("vgg16.tv_in1k"), look("lite1")] == [
        "secondary", "primary", "secondary",
    ]  # fmt: skip


def test_a_classifier_is_loaded_measured_and_let_go(library):
    choose(library, "lite1")
    press(library, "load")
    assert said(library) == [
        "EfficientNet-Lite1 is loaded: 280 of its 1280 feature directions (22 %) move none of its "
        "1000 logits."
    ]
    assert table(library).loc["lite1", "in memory MB"] > 15
    press(library, "unload")
    assert "lite1" not in loaders.bench().pool.loaded
    assert table(library)["in memory MB"].isna()["lite1"]


def test_a_licence_that_forbids_commercial_use_is_said_before_loading(library):
    choose(library, "resnext101_32x8d.fb_wsl_ig1b_ft_in1k")
    assert "may not be used commercially" in library.warnings[0]


def test_that_dinovit_has_the_supervised_weights_stands_in_its_title_and_in_a_note(library):
    name = "vit_large_patch16_224.augreg_in21k_ft_in1k"
    assert table(library).loc[name, "classifier"] == "DinoViT (supervised ViT-L)"
    (note,) = (said for said in library.captions if "DinoViT" in said)
    assert "not DINO’s self-supervised ones" in note
    choose(library, name)
    assert note in [found.value for found in library.at.info]


def test_a_local_file_is_loaded_by_its_typed_name_and_offered_by_explore(library, tmp_path):
    torch.manual_seed(0)
    network = timm.create_model("resnet18", num_classes=600)  # more classes than features
    torch.nn.init.normal_(network.fc.weight)
    save_file(network.state_dict(), tmp_path / "mine.safetensors")
    name = f"resnet18@{tmp_path / 'mine.safetensors'}"
    choose(library, name)
    press(library, "load")
    assert "0 of its 512 feature directions" in said(library)[0]
    assert "Three ways forward" in library.warnings[0]
    assert table(library).loc[name, "state"] == "typed by its name"
    explore = App()
    explore.choose_model(name)
    assert "Three ways forward" in "".join(explore.errors)  # a translator would not help
    explore.choose_model("lite0")
    assert explore.errors == []


def test_a_classifier_whose_file_is_gone_is_no_longer_offered_and_no_page_fails(library, tmp_path):
    """Of a file that one visitor has loaded and somebody has deleted, others know nothing."""
    weights = tmp_path / "gone.safetensors"
    save_file(timm.create_model("test_resnet", num_classes=10).state_dict(), weights)
    name = f"test_resnet@{weights}"
    choose(library, name)
    press(library, "load")
    own = App().choose_model(name)
    weights.unlink()
    assert own.run().errors == []
    assert own.at.selectbox(key="explore.model").value == "lite0"
    other = App()
    assert (other.errors, other.warnings) == ([], [])
    assert name not in other.at.selectbox(key="explore.model").options
    again = other.open("library")
    assert again.errors == []
    assert name not in table(again).index
    linked = App(model=name)
    assert (linked.errors, len(linked.warnings)) == ([], 1)


def test_what_is_not_plain_in_a_file_is_said_beside_its_head(library, tmp_path):
    weights = timm.create_model("test_resnet", num_classes=10).state_dict()
    del weights["fc.bias"]
    save_file(
        {f"module.{name}": value for name, value in weights.items()}, tmp_path / "x.safetensors"
    )
    choose(library, f"test_resnet@{tmp_path / 'x.safetensors'}")
    press(library, "load")
    assert "86 of its 96 feature directions" in said(library)[0]
    note = "The head module.fc has no bias; zeros stand for it."
    assert note in [element.value for element in library.at.info]
    explore = App().choose_model(f"test_resnet@{tmp_path / 'x.safetensors'}")
    assert note in explore.captions
    assert note not in explore.choose_model("lite0").captions


def test_what_cannot_be_loaded_is_a_sentence_and_the_table_stays(library, tmp_path):
    (tmp_path / "bad.safetensors").write_bytes(b"\x80pickle")
    for name, words in (
        (f"resnet18@{tmp_path / 'bad.safetensors'}", "is a pickle"),
        ("no such thing", "No classifier is called"),
    ):
        choose(library, name)
        press(library, "load")
        assert words in library.errors[0]
        assert len(table(library)) >= 17


def test_typed_names_can_be_switched_off(monkeypatch):
    from sing_core.errors import UnknownNameError
    from sing_core.settings import Settings

    monkeypatch.setattr(loaders, "settings", lambda: Settings(typed_models=False))
    with pytest.raises(UnknownNameError, match="Only the classifiers of the list"):
        actions.load("resnet18")


def test_a_classifier_that_is_not_here_says_how_to_get_it(library):
    choose(library, "vgg16.tv_in1k")
    (how,) = (info.value for info in library.at.info if "is not on this machine" in info.value)
    assert "`python -m sing_core fetch vgg16.tv_in1k`" in how
    assert "timm/vgg16.tv_in1k" in plain(how)
    assert "`vgg16.tv_in1k@/path/to/model.safetensors`" in how
    choose(library, "lite0")
    assert not [info for info in library.at.info if "is not on this machine" in info.value]


def test_a_reference_that_is_not_here_says_how_to_get_it(library):
    library._set(library.at.selectbox(key="library.reference"), "ViT-B-32/laion2b_s34b_b79k")
    (how,) = (info.value for info in library.at.info if "is not on this machine" in info.value)
    assert "`python -m sing_core fetch-reference ViT-B-32/laion2b_s34b_b79k`" in how
    assert "local-dir:" in how
