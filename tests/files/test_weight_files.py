"""Weight files before they are opened: whatever their first bytes are, a good file is taken."""

import json
import pickle

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from safetensors.torch import save_file

from sing_core.errors import SingError, WeightsUnavailableError
from sing_core.files.weight_files import read_head, shapes_in

HEADER = {"fc.weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}


def of_length(length):
    """A good safetensors file whose header takes ``length`` bytes (blanks may follow the JSON)."""
    header = json.dumps(HEADER).encode().ljust(length)
    assert len(header) == length
    return length.to_bytes(8, "little") + header + bytes(24)


@given(length=st.integers(len(json.dumps(HEADER)), 70_000))
@example(length=0x80)  # a pickle's first byte
@example(length=0x4B50)  # “PK”
@example(length=0x0480)  # a pickle of protocol 4
def test_a_good_file_is_taken_whatever_the_length_of_its_header(length, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "good.safetensors"
    path.write_bytes(of_length(length))
    assert shapes_in(path) == {"fc.weight": (2, 3)}


@given(
    payload=st.one_of(
        st.binary(max_size=200),
        st.tuples(st.integers(0, 300), st.binary(max_size=200)).map(
            lambda pair: pair[0].to_bytes(8, "little") + b"{" + pair[1]
        ),
        st.tuples(st.integers(0, 200), st.integers(0, 255)).map(
            lambda pair: (
                of_length(150)[: pair[0]] + bytes([pair[1]]) + of_length(150)[pair[0] + 1 :]
            )
        ),
    )
)
def test_what_is_no_whole_file_is_a_sentence_and_nothing_else(payload, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    path.write_bytes(payload)
    try:
        read_head(path)
    except SingError as error:
        if not str(error).endswith("."):
            raise


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_every_protocol_are_never_opened(protocol, tmp_path):
    path = tmp_path / "any.safetensors"
    path.write_bytes(pickle.dumps({"fc.weight": list(range(1000))}, protocol=protocol))
    with pytest.raises(WeightsUnavailableError, match="is a pickle" if protocol > 1 else "damaged"):
        shapes_in(path)
    torch.save({"fc.weight": torch.zeros(2, 3)}, path)
    with pytest.raises(WeightsUnavailableError, match="is a pickle"):
        shapes_in(path)


def test_a_name_with_a_zero_byte_is_a_sentence(tmp_path):
    with pytest.raises(WeightsUnavailableError, match="cannot be read: no file has such a name"):
        shapes_in(tmp_path / "a\0b.safetensors")


@pytest.mark.parametrize("shape", [(), (3,), (0, 3), (1_000_000, 0), (2, 3, 1)])
def test_a_head_of_no_possible_shape_is_refused_from_its_header(shape, tmp_path):
    path = tmp_path / "head.safetensors"
    save_file({"fc.weight": torch.zeros(shape)}, path)
    with pytest.raises(WeightsUnavailableError, match="holds no head"):
        read_head(path)


def test_a_head_may_have_stood_in_a_row_of_layers_and_its_bias_must_be_its_own(tmp_path):
    path = tmp_path / "head.safetensors"
    weight = torch.randn(4, 3)
    save_file({"module.head.1.weight": weight, "module.head.1.bias": torch.ones(4)}, path)
    found, bias = read_head(path)
    assert torch.equal(found, weight)
    assert torch.equal(bias, torch.ones(4))
    save_file({"fc.weight": weight}, path)
    assert torch.equal(read_head(path)[1], torch.zeros(4))
    save_file({"fc.weight": weight, "fc.bias": torch.ones(5)}, path)
    with pytest.raises(WeightsUnavailableError, match=r"for 4 classes and fc\.bias in the shape"):
        read_head(path)


@pytest.mark.parametrize(
    ("kind", "word"), [(torch.int8, "I8"), (torch.uint8, "U8"), (torch.complex64, "C64")]
)
def test_a_head_of_other_numbers_than_floats_is_refused_from_its_header(kind, word, tmp_path):
    path = tmp_path / "head.safetensors"
    save_file({"fc.weight": torch.ones(4, 3, dtype=kind)}, path)
    with pytest.raises(
        WeightsUnavailableError, match=rf"fc\.weight as {word} numbers.*its scale\."
    ):
        read_head(path)
    save_file({"fc.weight": torch.ones(4, 3), "fc.bias": torch.ones(4, dtype=kind)}, path)
    with pytest.raises(WeightsUnavailableError, match=rf"fc\.bias as {word} numbers"):
        read_head(path)
    for kept in (torch.float16, torch.bfloat16, torch.float64):
        save_file({"fc.weight": torch.ones(4, 3, dtype=kept)}, path)
        assert read_head(path)[0].dtype == torch.float32


@pytest.mark.parametrize("name", ["a." * 100_000 + "weight", "a" * 501, "a." * 41])
def test_a_name_that_is_none_of_weights_is_a_short_sentence(name, tmp_path):
    path = tmp_path / "odd.safetensors"
    save_file({name: torch.ones(1), "fc.weight": torch.ones(4, 3)}, path)
    with pytest.raises(WeightsUnavailableError, match="that is no name of weights") as caught:
        shapes_in(path)
    assert len(str(caught.value)) < 300
