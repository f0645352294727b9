"""ZS-N2N in PyTorch, as its authors define it (Mansour and Heckel, CVPR 2023): the twin that ours is compared with."""
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


def denoise(noisy, steps=2000, seed=0):
    """Trains on `noisy` (1, C, H, W) and returns it without its noise, clamped."""
    torch.manual_seed(seed)
    network = Network(noisy.shape[1])
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
