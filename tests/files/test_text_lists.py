"""Lists of names from people's files: encodings, tables, and what is no list."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sing_core.errors import TextListError
from sing_core.files.text_lists import decoded, read_list, rows_of
from tests.shared_data import case

NAMES = ("café", "чай", "red car")


@pytest.fixture(scope="module")
def list_in(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lists")

    def read(payload, name="list.txt"):
        (folder / name).write_bytes(payload)
        return read_list(folder / name)

    return read


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_the_encodings_that_say_what_they_are_are_read_without_a_word(encoding, list_in):
    found = list_in("\r\n".join(NAMES).encode(encoding))
    assert found.lines == NAMES
    assert found.notes == ()


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_two_bytes_a_letter_are_read_without_their_mark_too(encoding, list_in):
    assert list_in("tench\ngoldfish".encode(encoding)).lines == ("tench", "goldfish")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_two_bytes_a_letter_without_their_mark_are_told_by_their_lines(encoding, list_in):
    found = list_in("猫\r\n犬\r\n".encode(encoding))
    assert found.lines == ("猫", "犬")
    assert all("UTF-16" in note for note in found.notes)


def test_marks_that_no_editor_shows_are_no_names_and_begin_no_lines(list_in):
    assert list_in(b"tench\r\ngoldfish\r\n\x1a").lines == ("tench", "goldfish")
    assert list_in(b"tench\ngoldfish\x1a\x1a\n").lines == ("tench", "goldfish")
    for mark in "\u2028\u2029\x85\x0b\x0c":
        text = f"great{mark}white shark\ntench"
        assert list_in(text.encode()).lines == ("great white shark", "tench")


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_what_is_not_utf_8_is_read_as_latin_1_and_said(encoding, list_in):
    found = list_in("café\nsœur".encode(encoding, errors="replace"))
    assert found.lines[0] == "café"
    assert found.notes[0].startswith("list.txt is not UTF-8; it was read as Latin-1")


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"a\0b\nc", "holds zero bytes"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "holds zero bytes"),
        (b"a\x07b", "control characters"),
        (b"\xff\xfea", "does not go on so"),
        (b'["tench", "goldfish"]', "is JSON"),
        (b'{"0": "tench"}', "is JSON"),
        (b'{"text": "tench"}\n{"text": "goldfish"}\n', "is JSON"),
        (b"{0: 'tench, Tinca tinca',\n 1: 'goldfish, Carassius auratus'}", "as Python writes it"),
        (b"{0: 'tench, Tinca tinca',\n 1: 'goldfish',\n}\n", "as Python writes it"),
        (b"['tench',\n 'goldfish',\n]", "as Python writes it"),
        (b"classes = {\n  'tench': 0}", "as Python writes it"),
        (b"a\x1ab\nc", "control characters"),
        ("猫\n犬".encode() + b"\x81", "neither UTF-8 nor Latin-1"),
        (b"dog,cat,mouse", "3 columns, and several hold names"),
        (b"0,1\n1,2", "none holds names"),
    ],
)
def test_what_is_no_list_is_refused_with_a_sentence(payload, words, list_in):
    with pytest.raises(TextListError, match=words) as caught:
        list_in(payload)
    assert str(caught.value).endswith(".")


def test_too_large_a_file_and_names_that_cannot_be_opened_are_sentences(tmp_path):
    with pytest.raises(TextListError, match="larger than 16 MB"):
        decoded(bytes(17 * 2**20), "list.txt")
    for name in ("none.txt", "a\0b.txt", "."):
        with pytest.raises(TextListError, match="cannot be read"):
            read_list(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("0,tench\n1,goldfish", 2),
        ("1, tench\n0, goldfish", 2),
        ("id,label\n0,tench\n1,goldfish", 2),
        ("n01440764,tench\nn01443537,goldfish", 2),
        ("n01440764 tench\nn01443537 goldfish", 2),
        ("index;wnid;name\n0;n01440764;tench\n1;n01443537;goldfish", 3),
        ("tench\t0\ngoldfish\t1", 1),
        ('"0","tench"\n"1","goldfish"', 2),
        ("code,label,more\n5,tench,a\n9,goldfish,b", 2),
        ("0 tench\n1 goldfish", 2),
        ("0: tench\n1: goldfish", 2),
        ("1. tench\n2. goldfish", 2),
        ("1) tench\n2) goldfish", 2),
        ("0 - tench\n1 - goldfish", 2),
        ("0: 'tench',\n1: 'goldfish',", 2),
        ("names:\n  0: tench\n  1: goldfish", 2),
        ("id name\n0 tench\n1 goldfish", 2),
        ("n01440764 1 tench\nn01443537 2 goldfish", 3),
    ],
)
def test_of_a_table_the_column_of_names_is_taken_and_said(text, column, list_in):
    found = list_in(text.encode(), "list.csv")
    assert sorted(found.lines) == ["goldfish", "tench"]
    assert found.lines[0] == ("goldfish" if text.startswith("1, ") else "tench")
    assert f"the names were taken from column {column}" in found.notes[0]


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("0,tench, Tinca tinca\n1,goldfish\n2,great white shark, white shark", 2),
        ("id,label\n0,tench, Tinca tinca\n1,goldfish\n2,great white shark, white shark", 2),
        ("0: tench, Tinca tinca\n1: goldfish\n2: great white shark, white shark", 2),
        ("0 tench, Tinca tinca\n1 goldfish\n2 great white shark, white shark", 2),
        ("0\ttench, Tinca tinca\n1\tgoldfish\n2\tgreat white shark, white shark", 2),
        ("tench, Tinca tinca,0\ngoldfish,1\ngreat white shark, white shark,2", 1),
    ],
)
def test_a_code_is_taken_off_names_that_have_commas_of_their_own(text, column):
    found = rows_of(text)
    names = ("tench, Tinca tinca", "goldfish", "great white shark, white shark")
    assert found.lines == names
    assert f"taken from column {column}" in found.notes[0]
    assert ("“id,label” is their title" in found.notes[0]) == text.startswith("id")


@pytest.mark.parametrize(
    "text",
    [
        "class 0\nclass 1\nclass 2",
        "2 cats\n3 dogs",
        "12:30 clock\n11:15 clock",
        "Boeing 747\nAirbus 320",
        "3D printer\n4K screen",
        "{unclear}",
        "tench, Tinca tinca\ngoldfish, Carassius auratus",
        "tench, Tinca tinca\ngreat white shark, white shark, man-eater",
        "1,000 dogs\n2,000 cats",
        "a red car\n7 dwarfs",
        "[unclear",
    ],
)
def test_commas_of_names_are_left_alone(text):
    found = rows_of(text)
    assert found.lines == tuple(text.splitlines())
    assert found.notes == ()


@given(
    payload=st.one_of(
        st.binary(max_size=300),
        st.text(alphabet='01n,;\t"\n a{[]}é', max_size=60).map(str.encode),
        st.text(max_size=60).map(lambda text: text.encode("utf-16", "surrogatepass")),
    )
)
@example(payload=b"[" * 100_000)
def test_any_bytes_are_a_list_or_one_sentence(payload, list_in):
    try:
        found = list_in(payload)
    except TextListError as error:
        message = str(error)
    else:
        message = "Read."
        assert all(line == line.strip() and line for line in found.lines)
    assert message.endswith(".")


@pytest.mark.parametrize("name", ["lab_bom", "lab_u16", "lab_ok"])
def test_the_labels_of_the_shared_cases_are_read(name):
    folder = case("labels-beside-weights")
    expected = tuple((folder / "lab_ok.txt").read_text("utf-8").split())
    found = read_list(folder / f"{name}.txt")
    assert len(found.lines) == len(expected)
    assert found.lines[0].isprintable()
    assert found.notes == ()
