"""What a folder of Karlo is refused for, in words."""

import pytest

from sing_core.errors import WeightsUnavailableError
from sing_core.pictures.karlo.weights import load_karlo

DECODER = "decoder/diffusion_pytorch_model.safetensors"


def refusal(settings):
    """Load, be refused, and return the sentence."""
    with pytest.raises(WeightsUnavailableError) as caught:
        load_karlo(settings)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message
