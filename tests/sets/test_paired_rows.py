"""Photos of a fit are held one at a time: sixteen of 50 megapixels would take gigabytes."""

import gc
import weakref

import pytest

from sing_core.sets import image_sets, paired_rows
from sing_core.sets.image_sets import open_image_set
from tests.prepared_sets import WNIDS, class_folders


@pytest.mark.slow
def test_one_photo_is_held_decoded_at_a_time(toy_bench, tmp_path, monkeypatch):
    pictures, most = [], []
    decode = image_sets.decode_image

    def watched(payload, **options):
        photo = decode(payload, **options)
        pictures.append(weakref.ref(photo.image))
        gc.collect()
        most.append(sum(one() is not None for one in pictures))
        return photo

    monkeypatch.setattr(image_sets, "decode_image", watched)
    images = open_image_set(class_folders(tmp_path / "set", 20, WNIDS[:1]))
    rows = paired_rows.see(toy_bench, images, model="lite0", reference="mini", problems=[])
    assert len(rows.digests) == 20
    assert max(most) <= 2  # the last, and the one that takes its place
