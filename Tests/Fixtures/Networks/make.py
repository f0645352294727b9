#!/usr/bin/env python3
"""Write the numerical oracles of the network and training tests.

    pip install torch safetensors numpy && python3 make.py

Everything is computed in double precision and rounded once, so a float32 implementation is compared with the truth
and not with another float32 rounding. Parameter keys are those of the published checkpoints.

restormer.safetensors, nafnet.safetensors
    weight.KEY       every parameter; none is at its initial value, so that each one matters
    input, target    (B, 3, H, W) in [0, 1]
    output           network(input)
    gradient.KEY     of mean|output - target| with respect to every parameter
    gradient.input   the same with respect to the input
    The metadata entry `configuration` holds the constructor's arguments as JSON.

amsnet.safetensors
    downsampling.input  (2, 2, 20, 10); each value is its own flat index, so the outputs are index maps
    downsampling.2, .5  (B·s², C, H/s, W/s): out[b·s² + i·s + j, c, h, w] = in[b, c, s·h + i, s·w + j]
    variation.input     (2, 3, 7, 9)
    variation.value     mean over all B·C·H·W entries of sqrt(down² + right² + ε²), ε = 1e-3; a difference that would
                        cross the border counts as 0, its entry still counts in the mean
    variation.gradient  of that value
    training.input      (4, 3, 18, 21) in [0, 1]
    training.hidden     (10, 4, 1, 18, 21): per step, 1 where the pixel is hidden
    training.loss       (10): per step, before its update, mean|network(input · (1 - hidden)) - input| over the hidden
                        entries of all channels; the network starts from the weights of nafnet.safetensors and is
                        updated by AdamW, lr 1e-3, betas 0.9 and 0.999, eps 1e-8, weight decay 0
    Float32 training follows these losses to within the metadata entry `float32_deviation` (relative), measured here.
"""
import json
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

HERE = pathlib.Path(__file__).parent


class BiasFreeNorm(nn.Module):
    """x / sqrt(var + 1e-5) · w over the channels of a pixel; the mean stays in the numerator."""

    def __init__(self, c):
        super().__init__()
        self.body = nn.Module()
        self.body.weight = nn.Parameter(torch.ones(c))

    def forward(self, x):
        return x / torch.sqrt(x.var(1, unbiased=False, keepdim=True) + 1e-5) * self.body.weight[:, None, None]


class TransposedAttention(nn.Module):
    """Attention between channels: the softmax is taken over a (C/heads)² matrix."""

    def __init__(self, c, heads):
        super().__init__()
        self.heads = heads
        self.temperature = nn.Parameter(torch.ones(heads, 1, 1))
        self.qkv = nn.Conv2d(c, 3 * c, 1, bias=False)
        self.qkv_dwconv = nn.Conv2d(3 * c, 3 * c, 3, padding=1, groups=3 * c, bias=False)
        self.project_out = nn.Conv2d(c, c, 1, bias=False)

    def forward(self, x):
        b, c, h, w = x.shape
        q, k, v = (t.reshape(b, self.heads, c // self.heads, h * w) for t in self.qkv_dwconv(self.qkv(x)).chunk(3, 1))
        mixing = (F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(2, 3) * self.temperature).softmax(-1)
        return self.project_out((mixing @ v).reshape(b, c, h, w))


class GatedFeedForward(nn.Module):
    def __init__(self, c):
        super().__init__()
        hidden = int(2.66 * c)
        self.project_in = nn.Conv2d(c, 2 * hidden, 1, bias=False)
        self.dwconv = nn.Conv2d(2 * hidden, 2 * hidden, 3, padding=1, groups=2 * hidden, bias=False)
        self.project_out = nn.Conv2d(hidden, c, 1, bias=False)

    def forward(self, x):
        gate, value = self.dwconv(self.project_in(x)).chunk(2, 1)
        return self.project_out(F.gelu(gate) * value)


class TransformerBlock(nn.Module):
    def __init__(self, c, heads):
        super().__init__()
        self.norm1, self.attn = BiasFreeNorm(c), TransposedAttention(c, heads)
        self.norm2, self.ffn = BiasFreeNorm(c), GatedFeedForward(c)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.ffn(self.norm2(x))


class Resampling(nn.Module):
    def __init__(self, c, out, shuffle):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(c, out, 3, padding=1, bias=False), shuffle)

    def forward(self, x):
        return self.body(x)


class Restormer(nn.Module):
    def __init__(self, dim, blocks, refinement, heads):
        super().__init__()

        def stage(c, level, count):
            return nn.Sequential(*(TransformerBlock(c, heads[level]) for _ in range(count)))

        def down(c):
            return Resampling(c, c // 2, nn.PixelUnshuffle(2))

        def up(c):
            return Resampling(c, 2 * c, nn.PixelShuffle(2))

        self.patch_embed = nn.Module()
        self.patch_embed.proj = nn.Conv2d(3, dim, 3, padding=1, bias=False)
        self.encoder_level1, self.down1_2 = stage(dim, 0, blocks[0]), down(dim)
        self.encoder_level2, self.down2_3 = stage(2 * dim, 1, blocks[1]), down(2 * dim)
        self.encoder_level3, self.down3_4 = stage(4 * dim, 2, blocks[2]), down(4 * dim)
        self.latent, self.up4_3 = stage(8 * dim, 3, blocks[3]), up(8 * dim)
        self.reduce_chan_level3 = nn.Conv2d(8 * dim, 4 * dim, 1, bias=False)
        self.decoder_level3, self.up3_2 = stage(4 * dim, 2, blocks[2]), up(4 * dim)
        self.reduce_chan_level2 = nn.Conv2d(4 * dim, 2 * dim, 1, bias=False)
        self.decoder_level2, self.up2_1 = stage(2 * dim, 1, blocks[1]), up(2 * dim)
        self.decoder_level1 = stage(2 * dim, 0, blocks[0])
        self.refinement = stage(2 * dim, 0, refinement)
        self.output = nn.Conv2d(2 * dim, 3, 3, padding=1, bias=False)

    def forward(self, image):
        skip1 = self.encoder_level1(self.patch_embed.proj(image))
        skip2 = self.encoder_level2(self.down1_2(skip1))
        skip3 = self.encoder_level3(self.down2_3(skip2))
        x = self.latent(self.down3_4(skip3))
        x = self.decoder_level3(self.reduce_chan_level3(torch.cat([self.up4_3(x), skip3], 1)))
        x = self.decoder_level2(self.reduce_chan_level2(torch.cat([self.up3_2(x), skip2], 1)))
        x = self.refinement(self.decoder_level1(torch.cat([self.up2_1(x), skip1], 1)))
        return self.output(x) + image


class ChannelNorm(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(c)), nn.Parameter(torch.zeros(c))

    def forward(self, x):
        centred = x - x.mean(1, keepdim=True)
        scale = torch.rsqrt(centred.square().mean(1, keepdim=True) + 1e-6)
        return centred * scale * self.weight[:, None, None] + self.bias[:, None, None]


class BaselineBlock(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.beta, self.gamma = (nn.Parameter(torch.zeros(1, c, 1, 1)) for _ in range(2))
        self.conv1, self.conv3 = nn.Conv2d(c, c, 1), nn.Conv2d(c, c, 1)
        self.conv2 = nn.Conv2d(c, c, 3, padding=1, groups=c)
        self.se = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(c, c // 2, 1), nn.ReLU(), nn.Conv2d(c // 2, c, 1), nn.Sigmoid())
        self.conv4, self.conv5 = nn.Conv2d(c, 2 * c, 1), nn.Conv2d(2 * c, c, 1)
        self.norm1, self.norm2 = ChannelNorm(c), ChannelNorm(c)

    def forward(self, x):
        t = F.gelu(self.conv2(self.conv1(self.norm1(x))))
        x = x + self.conv3(t * self.se(t)) * self.beta
        return x + self.conv5(F.gelu(self.conv4(self.norm2(x)))) * self.gamma


class NAFNetBase(nn.Module):
    def __init__(self, width, encoder, middle, decoder):
        super().__init__()

        def stage(c, count):
            return nn.Sequential(*(BaselineBlock(c) for _ in range(count)))

        self.multiple = 2 ** len(encoder)
        self.intro, self.ending = nn.Conv2d(3, width, 3, padding=1), nn.Conv2d(width, 3, 3, padding=1)
        widths = [width << level for level in range(len(encoder) + 1)]
        self.encoders = nn.ModuleList(stage(c, count) for c, count in zip(widths, encoder))
        self.downs = nn.ModuleList(nn.Conv2d(c, 2 * c, 2, 2) for c in widths[:-1])
        self.middle_blks = stage(widths[-1], middle)
        self.ups = nn.ModuleList(
            nn.Sequential(nn.Conv2d(c, 2 * c, 1, bias=False), nn.PixelShuffle(2)) for c in widths[:0:-1])
        self.decoders = nn.ModuleList(stage(c, count) for c, count in zip(widths[-2::-1], decoder))

    def forward(self, image):
        h, w = image.shape[-2:]
        padded = F.pad(image, (0, -w % self.multiple, 0, -h % self.multiple))
        x, skips = self.intro(padded), []
        for blocks, down in zip(self.encoders, self.downs):
            x = blocks(x)
            skips.append(x)
            x = down(x)
        x = self.middle_blks(x)
        for blocks, up in zip(self.decoders, self.ups):
            x = blocks(up(x) + skips.pop())
        return (self.ending(x) + padded)[..., :h, :w]


def seeded(network):
    """Double precision, weights that float32 holds exactly, scales and temperatures away from 0 and 1."""
    for name, parameter in network.named_parameters():
        leaf = name.rsplit(".", 1)[-1]
        if "norm" in name or leaf == "temperature":
            nn.init.normal_(parameter, mean=0 if leaf == "bias" else 1, std=0.25)
        elif leaf in ("beta", "gamma"):
            nn.init.normal_(parameter, std=0.5)
    return network.double()


def rounded(tensors):
    return {key: value.detach().float().contiguous() for key, value in tensors.items()}


def write_network(name, kind, configuration, height, width):
    torch.manual_seed(7)
    network = seeded(kind(**configuration))
    image = torch.rand(2, 3, height, width).double().requires_grad_()
    target = torch.rand(2, 3, height, width).double()
    output = network(image)
    (output - target).abs().mean().backward()
    tensors = {"input": image, "target": target, "output": output, "gradient.input": image.grad}
    tensors |= {f"weight.{key}": value for key, value in network.named_parameters()}
    tensors |= {f"gradient.{key}": value.grad for key, value in network.named_parameters()}
    metadata = {"network": name, "configuration": json.dumps(configuration)}
    save_file(rounded(tensors), HERE / f"{name}.safetensors", metadata)
    return network


def pixel_downsampling(x, s):
    b, c, h, w = x.shape
    return x.reshape(b, c, h // s, s, w // s, s).permute(0, 3, 5, 1, 2, 4).reshape(b * s * s, c, h // s, w // s)


def total_variation(x):
    down, right = torch.zeros_like(x), torch.zeros_like(x)
    down[..., :-1, :] = x[..., 1:, :] - x[..., :-1, :]
    right[..., :-1] = x[..., 1:] - x[..., :-1]
    return torch.sqrt(down**2 + right**2 + 1e-3**2).mean()


def training_losses(network, image, hidden):
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0)
    losses = []
    for mask in hidden:
        error = (network(image * (1 - mask)) - image).abs()
        loss = (error * mask).sum() / (3 * mask.sum())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return torch.tensor(losses, dtype=torch.float64)


def write_amsnet(network, configuration):
    torch.manual_seed(11)
    indices = torch.arange(2 * 2 * 20 * 10, dtype=torch.float64).reshape(2, 2, 20, 10)
    picture = torch.rand(2, 3, 7, 9).double().requires_grad_()
    variation = total_variation(picture)
    variation.backward()
    image = torch.rand(4, 3, 18, 21).double()
    hidden = (torch.rand(10, 4, 1, 18, 21) < 0.5).double()
    single = NAFNetBase(**configuration)
    single.load_state_dict(network.state_dict())
    losses = training_losses(network, image, hidden)
    deviation = (training_losses(single, image.float(), hidden.float()) / losses - 1).abs().max().item()
    tensors = {"downsampling.input": indices, "variation.input": picture, "variation.value": variation.reshape(1),
               "variation.gradient": picture.grad, "training.input": image, "training.hidden": hidden,
               "training.loss": losses}
    tensors |= {f"downsampling.{s}": pixel_downsampling(indices, s) for s in (2, 5)}
    save_file(rounded(tensors), HERE / "amsnet.safetensors", {"float32_deviation": f"{deviation:.1e}"})
    print("losses", losses.tolist(), "float32 deviation", deviation)


def main():
    write_network("restormer", Restormer, dict(dim=8, blocks=(1, 1, 1, 1), refinement=1, heads=(1, 2, 2, 4)), 16, 24)
    configuration = dict(width=8, encoder=(1, 1), middle=1, decoder=(1, 1))
    write_amsnet(write_network("nafnet", NAFNetBase, configuration, 18, 21), configuration)


if __name__ == "__main__":
    main()
