"""What the restored ViT sees: by its own head, by neighbours, by a fresh linear layer."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize

from sing_core.making.vit_tower import Student

_BATCH = 100
_NEIGHBOURS = 20
_TEMPERATURE = 0.07


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Features ``(n, 384)``, the own head's logits ``(n, 1000)`` and labels ``(n,)`` of a pile."""

    features: Tensor
    logits: Tensor
    labels: Tensor

    def top1(self, among: Tensor | None = None) -> float:
        """Return the own head's accuracy over 1,000 classes, or over the classes ``among``."""
        if among is None:
            return _share(self.logits.argmax(1) == self.labels)
        return _share(among[self.logits[:, among].argmax(1)] == self.labels)


def see(student: Student, tokens: Tensor, labels: Tensor) -> Seen:
    """Run ``student`` over frozen tokens ``(n, 1 + patches, 384)``; bfloat16 inside."""
    features = []
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        features = [student.features(part.float()).float() for part in torch.split(tokens, _BATCH)]
    joined = torch.cat(features).clone()
    with torch.inference_mode():
        logits = student.head(joined)
    return Seen(joined, logits.clone(), labels)


def neighbours_top1(bank: Seen, test: Seen) -> float:
    """Return the accuracy of the weighted vote of the 20 nearest of ``bank`` by cosine."""
    votes = torch.zeros(len(test.labels), int(bank.labels.max()) + 1)
    ours = normalize(bank.features, dim=1)
    for rows in torch.split(torch.arange(len(test.labels)), 500):
        cosines = normalize(test.features[rows], dim=1) @ ours.mT
        near = cosines.topk(_NEIGHBOURS, dim=1)
        votes[rows] = votes[rows].scatter_add_(
            1, bank.labels[near.indices], (near.values / _TEMPERATURE).exp()
        )
    return _share(votes.argmax(1) == test.labels)


def linear_top1(bank: Seen, test: Seen, passes: int = 30, decay: float = 1e-4) -> float:
    """Return the accuracy of a linear layer trained on the features of ``bank`` alone.

    Adam with a cosine on standardised features; nothing is chosen on ``test``.
    """
    classes, targets = torch.unique(bank.labels, return_inverse=True)
    mean, spread = bank.features.mean(0), bank.features.std(0)
    inputs = (bank.features - mean) / spread
    torch.manual_seed(0)
    layer = torch.nn.Linear(inputs.shape[1], len(classes))
    optimiser = torch.optim.AdamW(layer.parameters(), lr=2e-3, weight_decay=decay)
    steps = passes * -(-len(targets) // 512)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(passes):
        for rows in torch.split(torch.randperm(len(targets)), 512):
            optimiser.zero_grad()
            loss = cross_entropy(layer(inputs[rows]), targets[rows], label_smoothing=0.1)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    with torch.inference_mode():
        guess = layer((test.features - mean) / spread).argmax(1)
    return _share(classes[guess] == test.labels)


def _share(hits: Tensor) -> float:
    return float(hits.float().mean())
