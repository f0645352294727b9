"""ZS-N2N in PyTorch, as its authors define it (Mansour and Heckel, CVPR 2023): the twin that ours is compared with."""
import math

import torch
from torch import nn
from torch.nn import functional as F


class Network(nn.Module):
    """Predicts the noise: 22,275 parameters for three channels, 21,313 for one."""

    def __init__(self, channels, width=48):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.conv3 = nn.Conv2d(width, channels, 1)

    def forward(self, x):
        return self.conv3(F.leaky_relu(self.conv2(F.leaky_relu(self.conv1(x), 0.2)), 0.2))


def pair(x):
    """The means of both diagonals of every block of 2×2 pixels; an odd last row or column is left out."""
    height, width = x.shape[2] // 2 * 2, x.shape[3] // 2 * 2
    a, b = x[..., 0:height:2, 0:width:2], x[..., 0:height:2, 1:width:2]
    c, d = x[..., 1:height:2, 0:width:2], x[..., 1:height:2, 1:width:2]
    return (b + c) / 2, (a + d) / 2


def losses(network, noisy):
    """The residual and the consistency loss."""
    first, second = pair(noisy)
    clean_first, clean_second = first - network(first), second - network(second)
    of_first, of_second = pair(noisy - network(noisy))
    residual = (F.mse_loss(first, clean_second) + F.mse_loss(second, clean_first)) / 2
    consistency = (F.mse_loss(clean_first, of_first) + F.mse_loss(clean_second, of_second)) / 2
    return residual, consistency


def random_words(seed):
    """SplitMix64, as `RandomSource`."""
    word = (1 << 64) - 1
    while True:
        seed = (seed + 0x9E3779B97F4A7C15) & word
        z = ((seed ^ seed >> 30) * 0xBF58476D1CE4E5B9) & word
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) & word
        yield z ^ z >> 31


def start_as_ours(network, seed):
    """Weights that ours begins with under `--seed`: uniform within 1/√fan-in, as PyTorch's own, by our generator."""
    words = random_words(next(random_words(seed ^ 0xD1B54A32D192ED03)))
    for layer in (network.conv1, network.conv2, network.conv3):
        bound = 1 / math.sqrt(layer.weight[0].numel())
        for parameter in (layer.weight, layer.bias):
            values = [(2 * (next(words) >> 40) / (1 << 24) - 1) * bound for _ in range(parameter.numel())]
            parameter.data = torch.tensor(values).reshape(parameter.shape)


def denoise(noisy, steps=2000, seed=0, as_ours=False):
    """Trains on `noisy` (1, C, H, W) and returns it without its noise, clamped.

    `seed` is PyTorch's, or with `as_ours` ours.
    """
    torch.manual_seed(seed)
    network = Network(noisy.shape[1])
    if as_ours:
        start_as_ours(network, seed)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.StepLR(optimiser, step_size=1500, gamma=0.5)
    for _ in range(steps):
        optimiser.zero_grad()
        residual, consistency = losses(network, noisy)
        (residual + consistency).backward()
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        return (noisy - network(noisy)).clamp(0, 1)
