"""A folder like ../shared/data, small and free to keep: Parquet files of scikit-image's photos."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from timm.data import ImageNetInfo

from sing_core.files.images import decode_image
from sing_core.files.samples import SAMPLES, sample_bytes
from sing_core.making.data import FILES

# Class indices: each photograph's own row first, then those of the small pictures.
PHOTO_CLASSES = (281, 967, 665, 657, 980)
TINY_CLASSES = (999, 3)
TINY_PER_CLASS = 70


def jpeg(image):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def write_table(path, images, labels):
    names = ImageNetInfo().label_names()
    columns = {"jpeg": [jpeg(i) for i in images], "wnid": [names[label] for label in labels]}
    pq.write_table(pa.table(columns), path)


def tiny_pictures(photos, count):
    """``count`` different 64 x 64 windows."""
    for place in range(count):
        photo, shift = photos[place % len(photos)], 2 * (place // len(photos))
        yield photo.crop((shift, shift, shift + 64, shift + 64))


@pytest.fixture(scope="session")
def small_data(tmp_path_factory):
    """Five photographs of five classes, and seventy small pictures of each of two others."""
    folder = tmp_path_factory.mktemp("data")
    photos = [
        decode_image(sample_bytes(sample.name)).image.resize((120, 96)) for sample in SAMPLES[:5]
    ]
    write_table(folder / FILES["sample"], photos, PHOTO_CLASSES)
    labels = [label for label in TINY_CLASSES for _ in range(TINY_PER_CLASS)]
    write_table(folder / FILES["tiny"], tiny_pictures(photos, len(labels)), labels)
    write_table(folder / FILES["tiny_val"], tiny_pictures(photos[::-1], 4), TINY_CLASSES * 2)
    return folder
