"""The Library page: what there is, what is missing, loading and letting go."""

import pytest
import timm
import torch
from safetensors.torch import save_file

from pages._view import loaders
from pages._view.library import actions
from pages._view.tables import asks
from sing_core.files.samples import sample_bytes
from tests.pages.driver import App


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


def said(app):
    return [element.value for element in app.at.success]


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


@pytest.mark.slow
def test_a_classifier_is_loaded_measured_and_let_go(library):
    choose(library, "lite1")
    press(library, "load")
    assert said(library) == [
        "EfficientNet-Lite1 is loaded: 280 of its 1280 feature directions (22%) move none of its "
        "1000 logits."
    ]
    assert table(library).loc["lite1", "in memory MB"] > 15
    press(library, "unload")
    assert "lite1" not in loaders.bench().pool.loaded
    assert table(library)["in memory MB"].isna()["lite1"]


def test_a_licence_that_forbids_commercial_use_is_said_before_loading(library):
    choose(library, "resnext101_32x8d.fb_wsl_ig1b_ft_in1k")
    assert "may not be used commercially" in library.warnings[0]


@pytest.mark.slow
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


def test_what_is_not_plain_in_a_file_is_said_beside_its_head(library, tmp_path):
    weights = timm.create_model("test_resnet", num_classes=10).state_dict()
    del weights["fc.bias"]
    save_file(
        {f"module.{name}": value for name, value in weights.items()}, tmp_path / "x.safetensors"
    )
    choose(library, f"test_resnet@{tmp_path / 'x.safetensors'}")
    press(library, "load")
    assert "86 of its 96 feature directions" in said(library)[0]
    assert "The head module.fc has no bias; zeros stand for it." in [
        element.value for element in library.at.info
    ]


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


@pytest.mark.slow
def test_a_set_is_prepared_from_a_typed_path_and_offered_to_the_other_pages(library, tmp_path):
    (tmp_path / "images" / "n01443537").mkdir(parents=True)
    for name in ("chelsea", "coffee"):
        (tmp_path / "images" / "n01443537" / name).write_bytes(sample_bytes(name))
    (tmp_path / "images" / "n01443537" / "torn.jpg").write_bytes(sample_bytes("coffee")[:999])
    library.at.text_input(key="library.images").set_value(str(tmp_path / "images"))
    library.at.text_input(key="library.set_name").set_value("typed")
    press_prepare(library)
    assert "typed is prepared under lite0: 2 of 3 images have scores" in said(library)[-1]
    problems = library.at.dataframe[-1].value
    assert list(problems["image"]) == ["n01443537/torn.jpg"]
    assert "typed" in asks.set_names()
    (row,) = asks.class_rows("lite0", "typed")
    assert (row.label, row.n) == ("goldfish", 2)


def test_a_path_that_is_no_set_is_a_sentence(library, tmp_path):
    press_prepare(library)
    assert library.at.info[-1].value == "To prepare a set, say where the images are."
    library.at.text_input(key="library.images").set_value(str(tmp_path / "nothing"))
    press_prepare(library)
    assert f"There is no image set at {tmp_path / 'nothing'}:" in library.at.error[-1].value


def press_prepare(app):
    (button,) = (b for b in app.at.button if b.label == "Prepare")
    button.click()
    app.run()
