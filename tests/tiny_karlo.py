"""A tiny random Karlo in the hub's folder layout, the old ``model_index.json`` included.

The architecture is Karlo's with fewer and narrower blocks: 16 px pictures from 32-d embeddings,
enlarged to 32 px. Loading it is the very code path that loads the real one.
"""

import json

import torch
from diffusers import UnCLIPScheduler, UNet2DConditionModel, UNet2DModel
from diffusers.pipelines.deprecated.unclip.text_proj import UnCLIPTextProjModel
from safetensors.torch import load_file, save_file
from transformers import (
    CLIPTextConfig,
    CLIPTextModelWithProjection,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
)

DIM, SMALL_PX, LARGE_PX, TOKENS = 32, 16, 32, 10
_WORDS = ("!", "a", "c", "t", "a</w>", "t</w>", "<|startoftext|>", "<|endoftext|>")
# As the hub has it: written by diffusers 0.11, when `diffusers.pipelines.unclip` existed.
MODEL_INDEX = {
    "_class_name": "UnCLIPImageVariationPipeline",
    "_diffusers_version": "0.13.0.dev0",
    "decoder": ["diffusers", "UNet2DConditionModel"],
    "decoder_scheduler": ["diffusers", "UnCLIPScheduler"],
    "feature_extractor": ["transformers", "CLIPImageProcessor"],
    "image_encoder": ["transformers", "CLIPVisionModelWithProjection"],
    "super_res_first": ["diffusers", "UNet2DModel"],
    "super_res_last": ["diffusers", "UNet2DModel"],
    "super_res_scheduler": ["diffusers", "UnCLIPScheduler"],
    "text_encoder": ["transformers", "CLIPTextModelWithProjection"],
    "text_proj": ["unclip", "UnCLIPTextProjModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
}


def embeddings(count, *, seed=0):
    """Raw ones: of a length that no normalised vector has."""
    return 3 * torch.randn(count, DIM, generator=torch.Generator().manual_seed(seed))


def decoder():
    return UNet2DConditionModel(
        sample_size=SMALL_PX,
        layers_per_block=1,
        down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
        up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
        mid_block_type="UNetMidBlock2DSimpleCrossAttn",
        block_out_channels=(32, 64),
        in_channels=3,
        out_channels=6,
        cross_attention_dim=40,
        class_embed_type="identity",
        attention_head_dim=16,
        resnet_time_scale_shift="scale_shift",
    )


def super_res():
    return UNet2DModel(
        sample_size=LARGE_PX,
        layers_per_block=1,
        down_block_types=("ResnetDownsampleBlock2D",) * 2,
        up_block_types=("ResnetUpsampleBlock2D",) * 2,
        block_out_channels=(32, 64),
        in_channels=6,
        out_channels=3,
        add_attention=False,
    )


def text_proj():
    module = UnCLIPTextProjModel(
        clip_embeddings_dim=DIM, time_embed_dim=128, cross_attention_dim=40
    )
    torch.nn.init.normal_(module.learned_classifier_free_guidance_embeddings)
    return module


def text_encoder():
    return CLIPTextModelWithProjection(
        CLIPTextConfig(
            vocab_size=len(_WORDS),
            hidden_size=DIM,
            intermediate_size=37,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=TOKENS,
            projection_dim=DIM,
            pad_token_id=0,
            bos_token_id=6,
            eos_token_id=7,
        )
    )


def image_encoder():
    return CLIPVisionModelWithProjection(
        CLIPVisionConfig(
            hidden_size=DIM,
            intermediate_size=37,
            num_hidden_layers=1,
            num_attention_heads=4,
            image_size=32,
            patch_size=16,
            projection_dim=DIM,
        )
    )


def schedulers():
    learned = {"variance_type": "learned_range", "prediction_type": "epsilon"}
    fixed = {"variance_type": "fixed_small_log", "prediction_type": "epsilon"}
    return UnCLIPScheduler(**learned), UnCLIPScheduler(**fixed)


def build(folder, *, seed=0, pickles=False):
    """Write a tiny Karlo with random weights; return ``folder``."""
    torch.manual_seed(seed)
    parts = {
        "text_proj": text_proj(),
        "decoder": decoder(),
        "super_res_first": super_res(),
        "super_res_last": super_res(),
        "text_encoder": text_encoder(),
        "image_encoder": image_encoder(),
    }
    for name, part in parts.items():
        part.save_pretrained(folder / name)
    _age(folder / "text_encoder" / "model.safetensors")
    for name, scheduler in zip(("decoder", "super_res"), schedulers(), strict=True):
        scheduler.save_pretrained(folder / f"{name}_scheduler")
    write_tokenizer(folder / "tokenizer")
    (folder / "feature_extractor").mkdir()
    (folder / "feature_extractor" / "preprocessor_config.json").write_text("{}", "utf-8")
    (folder / "model_index.json").write_text(json.dumps(MODEL_INDEX, indent=2), "utf-8")
    if pickles:
        replace_by_pickles(folder)
    return folder


def _age(path):
    """Add the buffer that text towers of early 2023 were saved with and today's do not have."""
    tensors = load_file(path)
    tensors["text_model.embeddings.position_ids"] = torch.arange(TOKENS)[None]
    save_file(tensors, path, {"format": "pt"})


def write_tokenizer(folder):
    """Write CLIP's slow tokenizer files with eight words; Karlo pads with "!", id 0."""
    folder.mkdir()
    special = {"bos_token": _WORDS[6], "eos_token": _WORDS[7], "unk_token": _WORDS[7]}
    special["pad_token"] = "!"
    vocabulary = {word: i for i, word in enumerate(_WORDS)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), "utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n", "utf-8")
    (folder / "special_tokens_map.json").write_text(json.dumps(special), "utf-8")
    config = {**special, "model_max_length": TOKENS, "tokenizer_class": "CLIPTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")


def replace_by_pickles(folder):
    """Turn every safetensors file into the pickle that the hub's main branch has."""
    for path in folder.glob("*/*.safetensors"):
        name = "pytorch_model" if path.stem == "model" else path.stem
        torch.save(load_file(path), path.with_name(f"{name}.bin"))
        path.unlink()
