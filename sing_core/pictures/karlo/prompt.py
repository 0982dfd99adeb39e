"""What Karlo's text tower says of an empty prompt: the only thing that it is ever asked."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor

from sing_core.errors import WeightsUnavailableError
from sing_core.pictures.karlo.files import KarloFiles, check_class, unreadable


@dataclass(frozen=True, slots=True, eq=False)
class EmptyPrompt:
    """What the text tower says of "": computed once, as Karlo is driven by embeddings alone.

    Attributes:
        embedding: ``(1, d)`` float32.
        states: ``(1, length, k)`` float32, the hidden state of every token.
        mask: ``(1, length)``, which of them are not padding.
    """

    embedding: Tensor
    states: Tensor
    mask: Tensor


def encode_empty_prompt(files: KarloFiles) -> EmptyPrompt:
    """Run the text tower once, float32 on the CPU, and let it go.

    Raises:
        WeightsUnavailableError: tower or tokenizer are incomplete, damaged or not CLIP's.
    """
    name = files.weights["text_encoder"]
    config = files.read_json("text_encoder/config.json")
    check_class(config, "text_encoder/config.json", "CLIPTextModelWithProjection")
    try:
        tokenise, (tower, report) = _load(files.root, safetensors=name.endswith(".safetensors"))
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise unreadable(name, error) from error
    lacking = sorted(report["missing_keys"])
    if lacking:
        raise WeightsUnavailableError(f"Karlo's {name} lacks {lacking[0]}; fetch it again.")
    length = int(tower.config.max_position_embeddings)
    tokens = tokenise([""], padding="max_length", max_length=length, return_tensors="pt")
    with torch.inference_mode():
        said = tower.eval()(tokens.input_ids)
    # Karlo was trained with the mask that lets begin and end through and nothing after them.
    mask = tokens.attention_mask.bool()
    if int(mask.sum()) != 2:
        raise WeightsUnavailableError(
            f"Karlo's tokenizer makes {int(mask.sum())} tokens of an empty prompt, not 2; fetch "
            "the files under tokenizer/ again."
        )
    return EmptyPrompt(
        said.text_embeds.float().clone(), said.last_hidden_state.float().clone(), mask.clone()
    )


def _load(root: Path, *, safetensors: bool) -> tuple[Any, tuple[Any, dict[str, Any]]]:
    from transformers import CLIPTextModelWithProjection, CLIPTokenizer
    from transformers.utils import logging

    tokenise = CLIPTokenizer.from_pretrained(root / "tokenizer", local_files_only=True)
    drawn = logging.is_progress_bar_enabled()
    # Standard error belongs to the command line's own messages.
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        loaded: Any = CLIPTextModelWithProjection.from_pretrained(
            root / "text_encoder",
            local_files_only=True,
            use_safetensors=safetensors,
            dtype=torch.float32,
            output_loading_info=True,
        )
    finally:
        if drawn:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
    return tokenise, loaded
