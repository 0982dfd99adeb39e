"""What the Renders panel sends to the browser, and what one downloads from it."""

import base64
import io
import json

import numpy as np
from PIL import Image

from pages._view.explore import picture_views
from sing_core.pictures.frame_cache import decode_webp
from sing_core.pictures.jobs import PictureJob


def frame(value, side=8):
    return np.full((side, side, 3), value, np.uint8)


def test_a_sheet_holds_its_rows_and_the_manifest():
    facts = {"prompt": "<b>cat</b> 😀", "frames": [{"epsilon": 1.5}]}
    payload = picture_views.sheet_png([[frame(10), frame(20)], [frame(30, 4)]], facts)
    with Image.open(io.BytesIO(payload)) as picture:
        assert picture.size == (24, 24)
        assert picture.getpixel((3, 3)) == (10, 10, 10)
        assert picture.getpixel((20, 3)) == (20, 20, 20)
        assert picture.getpixel((3, 20)) == (30, 30, 30)
        assert picture.getpixel((20, 20)) == (255, 255, 255)
        assert json.loads(picture.text["sing"]) == facts


def test_a_picture_comes_as_a_data_url_of_its_own_pixels():
    job = PictureJob(timeout_s=1)
    job.frames = {0: frame(1), 4: frame(3)}
    found = picture_views.sources(job)
    assert list(found) == [0, 4]
    assert found[4].startswith("data:image/webp;base64,")
    assert (decode_webp(base64.b64decode(found[4].partition(",")[2])) == 3).all()


def test_the_sheet_is_made_when_somebody_asks_for_it(monkeypatch):
    made, shown, real = [], [], picture_views.sheet_png
    monkeypatch.setattr(picture_views, "sheet_png", lambda *sheet: made.append(1) or real(*sheet))
    monkeypatch.setattr("streamlit.download_button", lambda *button, **_: shown.append(button))
    facts = {"model": "lite0", "image": "0123456789"}
    picture_views._offer([[frame(10)]], facts, "renders")
    ((_, make, name, mime),) = shown
    assert (made, name, mime) == ([], "sing-lite0-01234567-renders.png", "image/png")
    with Image.open(io.BytesIO(make())) as picture:
        assert json.loads(picture.text["sing"]) == facts
    assert made == [1]
