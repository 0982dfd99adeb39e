"""The Library page prepares sets: from a path, from pictures, from a zip; and says what it did."""

import io
import zipfile

import pytest

from pages._view.tables import asks, originals
from sing_core.files.samples import sample_bytes
from tests.pages.driver import App
from tests.pages.library_page import plain, said

pytestmark = pytest.mark.slow  # whole pages


@pytest.fixture
def library():
    return App().open("library")


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


def forms(block):
    """Yield the forms below a block."""
    for child in block.children.values():
        if child.type == "form":
            yield child.proto.form
        if hasattr(child, "children"):
            yield from forms(child)
