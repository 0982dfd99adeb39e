"""The Library page: what there is, what is missing, loading and letting go."""

import io
import zipfile

import pytest
import timm
import torch
from safetensors.torch import save_file

from pages._view import loaders
from pages._view.library import actions
from pages._view.tables import asks, originals
from sing_core.files.samples import sample_bytes
from tests.pages.driver import App

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


def test_a_set_is_prepared_from_a_typed_path_and_offered_to_the_other_pages(library, tmp_path):
    (tmp_path / "images" / "n01443537").mkdir(parents=True)
    for name in ("chelsea", "coffee"):
        (tmp_path / "images" / "n01443537" / name).write_bytes(sample_bytes(name))
    (tmp_path / "images" / "n01443537" / "torn.jpg").write_bytes(sample_bytes("coffee")[:999])
    library.at.text_input(key="library.images").set_value(str(tmp_path / "images"))
    library.at.text_input(key="library.set_name").set_value("typed")
    press_prepare(library)
    told = said(library)[-1]
    assert "typed is prepared under EfficientNet-Lite0: 2 of 3 images have scores" in told
    problems = library.at.dataframe[-1].value
    assert list(problems["image"]) == ["n01443537/torn.jpg"]
    assert "typed" in asks.set_names()
    (row,) = asks.class_rows("lite0", "typed")
    assert (row.label, row.n) == ("goldfish", 2)


def test_a_path_that_is_no_set_is_a_sentence(library, tmp_path):
    press_prepare(library)
    nothing = "To prepare a set, send pictures or say where the images are."
    assert library.at.info[-1].value == nothing
    library.at.text_input(key="library.images").set_value(str(tmp_path / "nothing"))
    press_prepare(library)
    assert f"There is no image set at {tmp_path / 'nothing'}:" in plain(library.at.error[-1].value)


def press_prepare(app):
    (button,) = (b for b in app.at.button if b.label == "Prepare")
    button.click()
    app.run()


def test_how_classes_were_read_is_said_and_a_mapping_is_for_heads_of_their_own(library, tmp_path):
    (tmp_path / "images" / "train" / "1").mkdir(parents=True)
    (tmp_path / "images" / "train" / "1" / "a.jpg").write_bytes(sample_bytes("coffee"))
    library.at.text_input(key="library.images").set_value(str(tmp_path / "images"))
    library.at.text_input(key="library.set_name").set_value("numbered")
    uploader = next(f for f in library.at.get("file_uploader") if "Classes" in f.label)
    uploader.set_value(("map.txt", b"tabby\tcat", "text/plain"))
    press_prepare(library)
    assert "has the classes of ImageNet-1k: it needs no mapping" in library.at.error[-1].value
    uploader = next(f for f in library.at.get("file_uploader") if "Classes" in f.label)
    uploader.set_value(None)
    press_prepare(library)
    assert "The classes of 1 image are numbers" in "".join(c.value for c in library.at.caption)
    (row,) = asks.class_rows("lite0", "numbered")
    assert row.label == "goldfish"


def send(app, *files):
    """Choose files to upload, as ``(name, bytes, type)``."""
    app.at.file_uploader(key="library.files").set_value(list(files))


def test_a_set_is_prepared_from_uploaded_pictures_and_browsed(library):
    send(
        library,
        *((f"{name}.jpg", sample_bytes(name), "image/jpeg") for name in ("chelsea", "coffee")),
    )
    press_prepare(library)
    assert "Of “chelsea.jpg” the class is not known" in plain(library.at.error[-1].value)
    library.at.selectbox(key="library.files_class").set_value("tabby cat")
    library.at.text_input(key="library.set_name").set_value("sent")
    press_prepare(library)
    assert library.errors == []  # what the last job said is gone
    assert said(library) == [
        "sent is prepared under EfficientNet-Lite0: 2 of 2 images have scores; 0 could not be used."
    ]
    (link,) = library.at.get("page_link")
    assert (link.proto.label, link.proto.query_string) == ("See its images in Classes", "set=sent")
    (row,) = asks.class_rows("lite0", "sent")
    assert (row.label, row.n) == ("tabby cat", 2)
    assert originals.are_here("sent")
    library.run()
    assert said(library) == []  # and so is what this one said, once something else is done


def test_a_set_is_prepared_from_an_uploaded_zip(library):
    payload = io.BytesIO()
    with zipfile.ZipFile(payload, "w") as archive:
        archive.writestr("tabby cat\\chelsea.jpg", sample_bytes("chelsea"))
        archive.writestr("../n07920052/coffee.jpg", sample_bytes("coffee"))
    send(library, ("two.zip", payload.getvalue(), "application/zip"))
    library.at.text_input(key="library.set_name").set_value("zipped")
    press_prepare(library)
    told = said(library)[-1]
    assert "zipped is prepared under EfficientNet-Lite0: 2 of 2 images have scores" in told
    assert {row.label for row in asks.class_rows("lite0", "zipped")} == {"tabby cat", "espresso"}


def test_files_and_a_path_at_once_are_asked_about(library, tmp_path):
    send(library, ("chelsea.jpg", sample_bytes("chelsea"), "image/jpeg"))
    library.at.text_input(key="library.images").set_value(str(tmp_path))
    press_prepare(library)
    assert library.at.info[-1].value == "To prepare a set, give pictures or a path, not both."


def test_what_is_not_a_picture_is_a_sentence(library):
    send(library, ("torn.zip", b"PK\x03\x04 and nothing else", "application/zip"))
    press_prepare(library)
    assert "torn.zip cannot be read as a zip." in plain(library.at.error[-1].value)


def test_enter_in_a_box_does_not_begin_a_job(library):
    (form,) = (block for block in forms(library.at.main) if block.form_id == "library.prepare")
    assert not form.enter_to_submit


def test_a_job_that_was_stopped_is_said_once(library):
    library.at.session_state["library.stopped"] = True
    library.run()
    assert [info.value for info in library.at.info if "was stopped" in info.value]
    library.run()
    assert not [info.value for info in library.at.info if "was stopped" in info.value]


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


def plain(text):
    """What a person sees of a text in Markdown."""
    return text.replace("\\", "").replace("\u2060", "")


def forms(block):
    """Yield the forms below a block."""
    for child in block.children.values():
        if child.type == "form":
            yield child.proto.form
        if hasattr(child, "children"):
            yield from forms(child)
