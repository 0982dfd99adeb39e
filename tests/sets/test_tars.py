"""Tars as they arrive: damaged, cut off, joined, linked; never a shorter set than was packed."""

import io
import struct
import tarfile

import pytest

from sing_core.errors import ImageSetError
from sing_core.sets.archives import members_of
from sing_core.sets.sources import open_source
from tests.prepared_sets import WNIDS, jpeg

BLOCK = tarfile.BLOCKSIZE


def tarred(path, count=5, extra=()):
    """Write ``count`` images, then the headers ``extra``."""
    with tarfile.open(path, "w") as archive:
        for number in range(count):
            info = tarfile.TarInfo(f"{WNIDS[0]}/{number}.jpg")
            info.size = len(jpeg(number))
            archive.addfile(info, io.BytesIO(jpeg(number)))
        for info in extra:
            archive.addfile(info)
    return path


def headers(path):
    with tarfile.open(path) as archive:
        return [info.offset for info in archive]


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("byte", [0, 100, 124, 150, 257])
def test_a_byte_of_any_header_is_missed(tmp_path, number, byte):
    path = tarred(tmp_path / "shard.tar")
    payload = bytearray(path.read_bytes())
    payload[headers(path)[number] + byte] ^= 1
    path.write_bytes(payload)
    with pytest.raises(ImageSetError) as refused:
        members_of(path)
    words = f"shard.tar is damaged after {number} entr" if number else "cannot be read as a zip"
    assert words in str(refused.value)
    assert open_source_fails(path)


def open_source_fails(path):
    with pytest.raises(ImageSetError, match=r"\.$"):
        open_source(path)
    return True


@pytest.mark.parametrize("cut", [700, 3 * BLOCK, 4 * BLOCK + 9, -1, -BLOCK])
def test_a_tar_that_was_cut_off_is_refused(tmp_path, cut):
    path = tarred(tmp_path / "shard.tar")
    whole = path.read_bytes()
    end = len(whole.rstrip(b"\0")) if cut < 0 else cut
    path.write_bytes(whole[: end + (cut + 1 if cut < 0 else 0)])
    with pytest.raises(ImageSetError, match=r"shard\.tar was cut off: it ends after \d entr"):
        members_of(path)


def test_cut_off_between_two_files_is_cut_off(tmp_path):
    path = tarred(tmp_path / "shard.tar")
    path.write_bytes(path.read_bytes()[: headers(path)[3]])
    with pytest.raises(ImageSetError, match=r"was cut off: it ends after 3 entries without"):
        members_of(path)


def test_two_tars_one_behind_the_other_are_not_one_of_them(tmp_path):
    both = tarred(tmp_path / "a.tar").read_bytes() + tarred(tmp_path / "b.tar", 2).read_bytes()
    (tmp_path / "both.tar").write_bytes(both)
    with pytest.raises(ImageSetError, match="goes on behind the mark that ends it, after 5 ent"):
        open_source(tmp_path / "both.tar")


def test_a_tar_with_a_zip_at_its_end_is_a_tar(tmp_path):
    import zipfile

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as inner:
        inner.writestr(f"{WNIDS[1]}/x.jpg", jpeg(9))
    path = tarred(tmp_path / "set.tar", 2)
    with tarfile.open(path, "a") as archive:
        info = tarfile.TarInfo("more.zip")
        info.size = len(packed.getvalue())
        archive.addfile(info, io.BytesIO(packed.getvalue()))
    names = [member.name for member in members_of(path)]
    assert names == ["more.zip", f"{WNIDS[0]}/0.jpg", f"{WNIDS[0]}/1.jpg"]


def link(kind, target):
    info = tarfile.TarInfo(f"{WNIDS[0]}/link-{target.replace('/', '-')}")
    info.type, info.linkname = kind, target
    return info


def test_hard_links_are_the_files_that_they_stand_for(tmp_path):
    first = link(tarfile.LNKTYPE, f"{WNIDS[0]}/0.jpg")
    extra = (first, link(tarfile.LNKTYPE, first.name), link(tarfile.LNKTYPE, "gone.jpg"))
    source = open_source(tarred(tmp_path / "set.tar", 1, extra))
    found = {item.name.partition("/")[2]: item for item in source.items(0, 9)}
    assert len(found) == 4
    assert found[first.name.partition("/")[2]].read() == jpeg(0)
    assert found[extra[1].name.partition("/")[2]].read() == jpeg(0)
    with pytest.raises(ImageSetError, match="holds a link or a device there, no file"):
        found["link-gone.jpg"].read()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_named_and_not_followed(tmp_path, kind):
    plain = open_source(tarred(tmp_path / "plain.tar", 1))
    source = open_source(tarred(tmp_path / "set.tar", 1, (link(kind, "/etc/passwd"),)))
    assert source.total == 2
    (_, odd) = source.items(0, 2)
    with pytest.raises(ImageSetError, match="The tar holds a link or a device there, no file"):
        odd.read()
    assert plain.total == 1


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", [b"x", b"g", b"L", b"K"])
@pytest.mark.parametrize("place", [0, 2])
def test_a_header_of_gigabytes_is_not_taken_in(tmp_path, kind, place):
    path = tarred(tmp_path / "set.tar")
    info = tarfile.TarInfo("name")
    info.type, info.size = kind, 5 * 2**30
    start = headers(path)[place]
    with path.open("r+b") as file:
        file.seek(start)
        file.write(info.tobuf(tarfile.GNU_FORMAT))
        file.truncate(6 * 2**30)  # takes no room
    with pytest.raises(ImageSetError, match="A header in the tar is larger than any header needs"):
        open_source(path)


def test_a_long_name_is_a_name(tmp_path):
    name = f"{WNIDS[0]}/{'a' * 180}.jpg"
    with tarfile.open(tmp_path / "set.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo(name)
        info.size = len(jpeg(0))
        archive.addfile(info, io.BytesIO(jpeg(0)))
    assert [member.name for member in members_of(tmp_path / "set.tar")] == [name]


def test_what_is_compressed_says_so_without_being_unpacked(tmp_path):
    for magic in (b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0", struct.pack("<I", 0xFD2FB528)):
        (tmp_path / "set.tar.z").write_bytes(magic + bytes(90))
        with pytest.raises(ImageSetError, match="is compressed as a whole: unpack it to a plain"):
            open_source(tmp_path / "set.tar.z")


@pytest.mark.timeout(20)
@pytest.mark.parametrize("size", [-BLOCK, -4 * BLOCK, -(2**40), 2**40, 2**80])
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, b"x", b"L"])
def test_a_size_that_no_file_has_ends_in_a_sentence(tmp_path, size, kind):
    path = tarred(tmp_path / "set.tar")
    info = tarfile.TarInfo(f"{WNIDS[0]}/odd.jpg")
    info.size, info.type = size, kind
    payload = bytearray(path.read_bytes())
    start = headers(path)[2]
    payload[start : start + BLOCK] = info.tobuf(tarfile.GNU_FORMAT)
    path.write_bytes(payload)
    assert open_source_fails(path)
