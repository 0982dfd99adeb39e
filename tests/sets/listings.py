"""What an opened set lists: names, classes, and why an image cannot be used."""

from sing_core.errors import ImageSetError
from sing_core.models.class_names import wnid_of

TABBY, RETRIEVER = "n02123045", "n02099601"


def rows(source):
    return [(item.name, item.wnid) for item in source.items(0, source.total)]


def classes(source):
    found = [item.wnid for item in source.items(0, source.total)]
    assert found == [wnid_of(own) or own for _, own in source.listing()]
    assert [item.name for item in source.items(0, source.total)] == [n for n, _ in source.listing()]
    return found


def reasons(source):
    found = []
    for item in source.items(0, source.total):
        try:
            item.read()
            found.append("")
        except ImageSetError as error:
            found.append(str(error))
    return found
