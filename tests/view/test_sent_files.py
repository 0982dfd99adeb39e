"""What visitors send: on the disk until it is read, bounded a session, gone with the session."""

import pytest
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from pages._view import sent_files

MB = 2**20


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(sent_files.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(sent_files.tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def manager(place):
    made = MemoryUploadedFileManager("/upload")
    sent_files.bound(made, 10 * MB, 90 * MB)
    sent_files.bound(made, 1, 1)  # only the first counts
    return made


def send(manager, count, session="anna", size=MB):
    for turn in range(count):
        payload = bytes([turn]) * size
        manager.add_file(
            session, UploadedFileRec(f"id{turn}", f"{turn}.jpg", "image/jpeg", payload)
        )


def on_disk(place):
    return [path for path in place.rglob("*") if path.is_file()]


def test_a_file_reads_as_it_was_sent_and_takes_no_memory(manager, place):
    send(manager, 3)
    found = manager.get_files("anna", ["id2", "id0"])
    assert [(one.name, one.data) for one in found] == [
        ("2.jpg", b"\x02" * MB),
        ("0.jpg", b"\x00" * MB),
    ]
    assert not [part for one in found for part in one if isinstance(part, bytes)]
    assert len(on_disk(place)) == 3


def test_forty_files_that_no_page_takes_do_not_pile_up_and_others_keep_theirs(manager, place):
    send(manager, 2, "berta")
    send(manager, 40)
    kept = list(manager.file_storage["anna"])
    assert kept == [f"id{turn}" for turn in range(30, 40)]
    assert len(manager.get_files("berta", ["id0", "id1"])) == 2
    assert len(on_disk(place)) == 12


def test_one_file_larger_than_the_room_is_taken_all_the_same(manager):
    send(manager, 2, size=11 * MB)
    assert list(manager.file_storage["anna"]) == ["id1"]


def test_what_is_taken_out_or_left_behind_is_gone_from_the_disk(manager, place):
    send(manager, 3)
    manager.remove_file("anna", "id1")
    assert len(on_disk(place)) == 2
    manager.remove_session_files("anna")
    assert on_disk(place) == []
    assert manager._total_bytes == 0


def test_a_disk_that_refuses_costs_no_file_and_the_bound_holds(place, monkeypatch):
    def refuse(**_):
        raise PermissionError

    monkeypatch.setattr(sent_files.tempfile, "mkdtemp", refuse)
    made = MemoryUploadedFileManager("/upload")
    sent_files.bound(made, 10 * MB, 90 * MB)
    send(made, 12)
    assert len(made.file_storage["anna"]) == 10
    assert made.get_files("anna", ["id11"])[0].data == b"\x0b" * MB


def test_what_a_killed_process_left_is_taken_away(place):
    dead, living = place / "sing-sent-999999999-x", place / f"sing-sent-{sent_files.os.getpid()}-x"
    for folder in (dead, living):
        folder.mkdir()
        (folder / "file").write_bytes(b"photo")
    sent_files.bound(MemoryUploadedFileManager("/upload"), MB, MB)
    assert not dead.exists()
    assert living.exists()


def test_all_sessions_together_keep_so_much_and_who_has_most_lets_go(place):
    made = MemoryUploadedFileManager("/upload")
    sent_files.bound(made, 10 * MB, 20 * MB)
    send(made, 3, "berta")
    for number in range(4):
        send(made, 9, f"bot{number}")
    assert len(on_disk(place)) == 20
    assert len(made.get_files("berta", ["id0", "id1", "id2"])) == 3
    assert all("id8" in made.file_storage[f"bot{number}"] for number in range(4))


def test_sessions_that_left_make_room_for_others(place):
    made = MemoryUploadedFileManager("/upload")
    sent_files.bound(made, 10 * MB, 20 * MB)
    for number in range(5):
        send(made, 9, f"guest{number}")
        if number < 4:
            made.remove_session_files(f"guest{number}")
    assert len(made.file_storage["guest4"]) == 9
