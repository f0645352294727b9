#!/usr/bin/env python3
"""Write awgn.safetensors, heteroscedastic.safetensors and multivariate.safetensors, the oracles of D-BSN.

    pip install torch safetensors numpy && python3 make.py

A backbone of 6 channels and 2 blocks with both heads (Wu et al., ECCV 2020), in double precision and rounded once:
    weight.KEY                   every parameter; none is at its initial value
    noisy                        (2, 3, 11, 13) in [0, 1]
    mean, uncertainty, noise     what the network says
    posterior                    of mean and noisy pixel
    LOSS.value, LOSS.gradient.KEY    mean over the pixels of half of
        evidence      r' S^-1 r + ln det S with S = S_mu + S_n, r = noisy - mean
        constrained   ln det S_n + tr(S_n^-1 S_mu) + r' S^-1 r
Variances get 1e-6 added before they are divided by. S_mu belongs to each pixel; S_n is the mean over the image except for
heteroscedastic noise.

And authors.pth, the weights of awgn.safetensors as the authors save them: three dictionaries of a wrapped network, an
optimiser's state and the command's options.
"""
import argparse
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

WIDTH, BLOCKS, HIDDEN = 6, 2, 32


class Masked(nn.Conv2d):
    def forward(self, x):
        mask = torch.ones_like(self.weight)
        mask[:, :, self.kernel_size[0] // 2, self.kernel_size[1] // 2] = 0
        return F.conv2d(x, self.weight * mask, self.bias, padding=self.padding)


def one(inputs, outputs=WIDTH):
    return nn.Conv2d(inputs, outputs, 1)


class Block(nn.Module):
    def __init__(self, d):
        super().__init__()

        def spread(k):
            return nn.Conv2d(WIDTH, WIDTH, k, padding=d * (k // 2), dilation=d)

        self.inception_br1 = nn.Sequential(one(WIDTH), nn.ReLU(), spread(5), nn.ReLU())
        self.inception_br2 = nn.Sequential(one(WIDTH), nn.ReLU(), spread(3), nn.ReLU())
        self.inception_br3 = nn.Sequential(one(WIDTH), nn.ReLU())
        self.concat = one(3 * WIDTH)
        self.middle_1x1_convs = nn.Sequential(one(WIDTH), nn.ReLU(), one(WIDTH), nn.ReLU())

    def forward(self, x):
        paths = [self.inception_br1(x), self.inception_br2(x), self.inception_br3(x)]
        return self.middle_1x1_convs(F.relu(self.concat(torch.cat(paths, 1))) + x)


class Branch(nn.Module):
    def __init__(self, k, d):
        super().__init__()
        self.branch = nn.Sequential(
            Masked(WIDTH, WIDTH, k, padding=k // 2), nn.ReLU(), one(WIDTH), nn.ReLU(), one(WIDTH), nn.ReLU(),
            *(Block(d) for _ in range(BLOCKS)), one(WIDTH))

    def forward(self, x):
        return self.branch(x)


class Backbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.dbsn_head = nn.Sequential(one(3), nn.ReLU())
        self.br1, self.br2 = Branch(3, 2), Branch(5, 3)
        self.concat = one(2 * WIDTH)
        self.dbsn_tail = nn.Sequential(one(WIDTH), nn.ReLU(), one(WIDTH), nn.ReLU(), one(WIDTH, 3))

    def forward(self, x):
        x = self.dbsn_head(x)
        features = self.concat(torch.cat([self.br1(x), self.br2(x)], 1))
        return self.dbsn_tail(features), features


class SigmaMu(nn.Module):
    def __init__(self, outputs):
        super().__init__()
        self.conv = nn.Sequential(one(WIDTH, HIDDEN), nn.ReLU(), one(HIDDEN, HIDDEN), nn.ReLU(), one(HIDDEN, outputs))

    def forward(self, x):
        return self.conv(x)


class SigmaN(nn.Module):
    def __init__(self, outputs):
        super().__init__()
        self.conv = nn.Sequential(one(3, HIDDEN), nn.ReLU(), one(HIDDEN, HIDDEN), nn.ReLU(), one(HIDDEN, HIDDEN),
                                  nn.ReLU(), one(HIDDEN, HIDDEN), nn.ReLU())
        self.conv_final = one(HIDDEN, outputs)

    def forward(self, x):
        return self.conv_final(self.conv(x))


def covariances(kind, uncertainty, noise):
    """S_mu and S_n of every pixel, (B, H, W, 3, 3)."""
    def channels_last(x):
        return x.permute(0, 2, 3, 1)

    if kind == "multivariate":
        def squared(x):
            upper = torch.zeros(*x.shape[:-1], 9, dtype=x.dtype)
            upper[..., [0, 1, 2, 4, 5, 8]] = x
            upper = upper.unflatten(-1, (3, 3))
            return upper @ upper.transpose(-1, -2)

        of_noise = squared(channels_last(noise)).mean((0, 1, 2), keepdim=True)
        return squared(channels_last(uncertainty)), of_noise
    if kind == "awgn":
        noise = noise.mean((0, 2, 3), keepdim=True).expand_as(uncertainty)
    deviation = F.softplus(noise - 4) + 1e-3
    return torch.diag_embed(channels_last(uncertainty) ** 2), torch.diag_embed(channels_last(deviation) ** 2)


def run(kind):
    torch.manual_seed(5)
    outputs = 6 if kind == "multivariate" else 3
    net = nn.ModuleDict({"dbsn": Backbone(), "sigma_mu": SigmaMu(outputs), "sigma_n": SigmaN(outputs)}).double()
    for name, parameter in net.named_parameters():
        # Larger than at the start, so that neither variance is negligible and no bias is 0.
        parameter.data = (parameter.data * 1.3 + 0.02 * torch.randn_like(parameter)).float().double()
    net["sigma_n"].conv_final.bias.data += 0.5 if kind == "multivariate" else 3
    net["sigma_n"].conv_final.bias.data = net["sigma_n"].conv_final.bias.data.float().double()
    noisy = torch.rand(2, 3, 11, 13).double()
    mean, features = net["dbsn"](noisy)
    uncertainty = net["sigma_mu"](features)
    noise = net["sigma_n"](mean if kind == "heteroscedastic" else noisy)
    of_mean, of_noise = covariances(kind, uncertainty, noise)
    of_noise = of_noise + 1e-6 * torch.eye(3).double()
    whole = of_mean + of_noise
    r = (noisy - mean).permute(0, 2, 3, 1)[..., None]
    solved = torch.linalg.solve(whole, r)
    quadratic = (r * solved).sum((-1, -2))
    bound = torch.logdet(of_noise) + torch.diagonal(torch.linalg.solve(of_noise, of_mean), dim1=-2, dim2=-1).sum(-1)
    losses = {"evidence": quadratic + torch.logdet(whole), "constrained": quadratic + bound}
    tensors = {"noisy": noisy, "mean": mean, "uncertainty": uncertainty, "noise": noise,
               "posterior": mean + (of_mean @ solved)[..., 0].permute(0, 3, 1, 2)}
    tensors |= {f"weight.{key}": value for key, value in net.named_parameters()}
    for name, loss in losses.items():
        value = loss.mean() / 2
        tensors[f"{name}.value"] = value.reshape(1)
        gradients = torch.autograd.grad(value, list(net.parameters()), retain_graph=True, allow_unused=True)
        for (key, parameter), gradient in zip(net.named_parameters(), gradients):
            tensors[f"{name}.gradient.{key}"] = torch.zeros_like(parameter) if gradient is None else gradient
    save_file({key: value.detach().float().contiguous() for key, value in tensors.items()},
              pathlib.Path(__file__).parent / f"{kind}.safetensors")
    return net.float()


def save_as_authors(net):
    # A step of rate 0: the optimiser has a state, and the weights stay.
    optimizer = torch.optim.Adam(net["sigma_n"].parameters(), 0)
    net["sigma_n"](torch.ones(1, 3, 2, 2)).sum().backward()
    optimizer.step()
    parts = {f"state_dict_{name}": {f"module.{key}": value for key, value in part.state_dict().items()}
             for name, part in net.items()}
    torch.save({**parts, "optimizer_state": optimizer.state_dict(), "training_params": {"start_epoch": 3, "best": 28.9},
                "args": argparse.Namespace(lr=3e-4, mid_ch=WIDTH, mask_type=None, gpus=[0], noise=("gaussian", 25.0))},
               pathlib.Path(__file__).parent / "authors.pth")


nets = {kind: run(kind) for kind in ("awgn", "heteroscedastic", "multivariate")}
save_as_authors(nets["awgn"])
