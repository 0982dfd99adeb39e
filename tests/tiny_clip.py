"""Image-text references of random weights and the hub's own layouts, smaller in every direction."""

import json

import torch
from safetensors.torch import save_file

TINY = {
    "model_cfg": {
        "embed_dim": 16,
        "vision_cfg": {
            "image_size": 32, "layers": 1, "width": 32, "patch_size": 16, "head_width": 8,
        },
        "text_cfg": {
            "context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1,
        },
    },
    "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.5] * 3},
}  # fmt: skip


def tiny_clip(folder, seed):
    """Write a real open_clip model of random weights in the hub's own layout."""
    import open_clip

    folder.mkdir(exist_ok=True)
    torch.manual_seed(seed)
    cfg = TINY["model_cfg"]
    model = open_clip.CLIP(cfg["embed_dim"], cfg["vision_cfg"], cfg["text_cfg"])
    (folder / "open_clip_config.json").write_text(json.dumps(TINY))
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return model.eval()


# As open_clip writes them: EVA02-B-16 and ViT-B-16-SigLIP, each smaller in every direction.
EVA02 = {
    "embed_dim": 16,
    "vision_cfg": {
        "image_size": 224, "timm_model_name": "eva02_tiny_patch14_224",
        "timm_model_pretrained": False, "timm_pool": "token", "timm_proj": None,
    },
    "text_cfg": TINY["model_cfg"]["text_cfg"],
    "custom_text": True,
}  # fmt: skip
SIGLIP = {
    "embed_dim": 64,
    "init_logit_bias": -10,
    "custom_text": True,
    "vision_cfg": {
        "image_size": 160, "timm_model_name": "test_vit", "timm_model_pretrained": False,
        "timm_pool": "map", "timm_proj": "none",
    },
    "text_cfg": {
        "context_length": 64, "vocab_size": 40, "hf_tokenizer_name": "timm/ViT-B-16-SigLIP",
        "tokenizer_kwargs": {"clean": "canonicalize"}, "width": 64, "heads": 2, "layers": 1,
        "no_causal_mask": True, "proj_bias": True, "pool_type": "last",
        "norm_kwargs": {"eps": 1e-06},
    },
}  # fmt: skip


def small_tokeniser(folder):
    """Write a tokeniser as a hub repository holds it: a word is a token."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    words = ["<pad>", "</s>", "<unk>", "a", "red", "blue", "dog", "cat"]
    tokens = {word: place for place, word in enumerate(words)}
    tokeniser = Tokenizer(models.WordLevel(tokens, unk_token="<unk>"))
    tokeniser.pre_tokenizer = pre_tokenizers.Whitespace()
    tokeniser.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", tokens["</s>"])]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokeniser, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(folder)
