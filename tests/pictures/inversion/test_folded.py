"""A folded network is the same function, has no batch norm left to pay for, and shares weights."""

import threading

import pytest
import timm
import torch
from torch import nn

from sing_core.pictures.inversion.folded import fold_batch_norms


# In float64: near a kink of an activation, rounding alone would change a gradient.
def network(name, seed=0):
    torch.manual_seed(seed)
    made = timm.create_model(name, num_classes=7).double().eval().requires_grad_(False)
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 2)
            module.weight.uniform_(0.5, 2)
            module.bias.normal_(0, 0.2)
    return made


def alike(found, wanted):
    """Whether both are the same but for rounding, beside the largest of all."""
    size = wanted.abs().max()
    torch.testing.assert_close(found / size, wanted / size, rtol=0, atol=1e-9)


def norms(module):
    return sum(isinstance(part, nn.BatchNorm2d) for part in module.modules())


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["tf_efficientnet_lite0", "resnet10t", "mobilenetv3_small_050", "vgg11_bn"]
)
def test_the_folded_network_is_the_same_function_with_the_same_gradient(name):
    own = network(name)
    batch = torch.rand(2, 3, 64, 64, dtype=torch.float64, requires_grad=True)
    folded = fold_batch_norms(own, batch.detach()[:1])
    assert norms(own) > 0 == norms(folded)
    alike(folded(batch), own(batch))
    goal = torch.randn(2, 7, dtype=torch.float64)
    slopes = [torch.autograd.grad((each(batch) * goal).sum(), batch)[0] for each in (own, folded)]
    alike(slopes[1], slopes[0])


@pytest.mark.slow
def test_a_norm_before_its_convolution_stays_and_the_others_go():
    own = network("densenet121")
    folded = fold_batch_norms(own, torch.rand(1, 3, 64, 64, dtype=torch.float64))
    assert 0 < norms(folded) < norms(own)
    batch = torch.rand(2, 3, 64, 64, dtype=torch.float64)
    alike(folded(batch), own(batch))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["test_vit", "convnext_atto"])
def test_a_network_without_batch_norms_is_itself(name):
    own = network(name)
    side = own.default_cfg["input_size"][-1]
    assert fold_batch_norms(own, torch.rand(1, 3, side, side, dtype=torch.float64)) is own


class Shared(nn.Module):
    """Somebody else reads what the convolution gives: folding would change that too."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
        self.norm.running_mean.fill_(1.0)

    def forward(self, batch):
        found = self.conv(batch)
        return self.norm(found) + found


def test_where_folding_would_change_anything_the_network_stays_as_it_is():
    own = Shared().eval()
    assert fold_batch_norms(own, torch.rand(1, 3, 8, 8)) is own


def test_parameters_that_stay_are_shared():
    own = network("resnet10t")
    folded = fold_batch_norms(own, torch.rand(1, 3, 64, 64, dtype=torch.float64))
    assert folded.fc.weight is own.fc.weight
    assert folded.conv1[0].weight is not own.conv1[0].weight


@pytest.mark.slow
def test_others_may_look_through_the_network_while_it_is_folded():
    own, over = network("resnet10t"), threading.Event()
    batch = torch.rand(1, 3, 64, 64, dtype=torch.float64)

    def look():
        while not over.is_set():
            own(batch)

    others = [threading.Thread(target=look) for _ in range(2)]
    for other in others:
        other.start()
    try:
        folded = [fold_batch_norms(own, batch) for _ in range(5)]
    finally:
        over.set()
        for other in others:
            other.join()
    assert [norms(one) for one in folded] == [0] * 5
