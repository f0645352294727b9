#!/usr/bin/env python3
"""Write the numerical oracles of the denoisers that make.py does not have.

    pip install torch safetensors numpy && python3 denoisers.py [NAME...]
    python3 denoisers.py checkpoint NAME FILE    a checkpoint of the published size, laid out as AMSNet's

Computed in double precision and rounded once, as in make.py. Parameter keys are those of the published checkpoints.

unet, student, dncnn, nafnet-simplegate, d-a, d-as, deamnet, mwcnn.safetensors
    weight.KEY       the state dict; none is at its initial value, so that each one matters. Running statistics are
                     those before the pass, masks and int64 counters are as PyTorch stores them
    input, target    (B, 3, H, W) in [0, 1]
    output           network(input) in training mode
    gradient.KEY     of mean|output - target| with respect to every parameter that the output depends on
    gradient.input   the same with respect to the input
dncnn.safetensors also has
    inference        network(input) with the running statistics
    statistic.KEY    running statistics after the training pass
The metadata entry `configuration` holds the constructor's arguments as JSON.
"""
import json
import pathlib
import sys

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

from make import ChannelNorm

HERE = pathlib.Path(__file__).parent


def conv(inputs, outputs, k=3, **options):
    return nn.Conv2d(inputs, outputs, k, padding=k // 2, **options)


class Scope(nn.Module):
    """A level of the tree of names."""

    def __init__(self, **children):
        super().__init__()
        for name, child in children.items():
            setattr(self, name, child)


class UNet(nn.Module):
    """Max-pooling encoder, transposed convolutions, the noisy image as the last skip; LeakyReLU 0.2."""

    def __init__(self, width, head):
        super().__init__()
        n, image = width, 3
        self.enc_conv0 = conv(image, n)
        for index in range(1, 7):
            setattr(self, f"enc_conv{index}", conv(n, n))
        for level in range(5, 0, -1):
            below, skip, out = (n if level == 5 else 2 * n), (n if level > 1 else image), (2 * n if level > 1 else head)
            setattr(self, f"up{level}", Scope(deconv=nn.ConvTranspose2d(below, below, 2, 2)))
            setattr(self, f"dec_conv{level}a", conv(below + skip, out))
            setattr(self, f"dec_conv{level}b", conv(out, out))
        self.nin_a, self.nin_b, self.nin_c = conv(head, head, 1), conv(head, head, 1), conv(head, image, 1)

    def forward(self, image):
        def layer(name, x):
            return F.leaky_relu(self.get_submodule(name)(x), 0.2)

        x, skips = layer("enc_conv0", image), [image]
        for index in range(1, 6):
            x = F.max_pool2d(layer(f"enc_conv{index}", x), 2)
            skips.append(x)
        x = layer("enc_conv6", skips.pop())
        for level in range(5, 0, -1):
            x = torch.cat([self.get_submodule(f"up{level}.deconv")(x), skips.pop()], 1)
            x = layer(f"dec_conv{level}b", layer(f"dec_conv{level}a", x))
        return self.nin_c(layer("nin_b", layer("nin_a", x)))


class Student(nn.Module):
    """Max-pooling encoder, nearest upsampling; LeakyReLU 0.1."""

    def __init__(self, width, decoder):
        super().__init__()
        for level in range(1, 7):
            setattr(self, f"enc{level}", Scope(conv=conv(3 if level == 1 else width, width)))
        for level in range(5, 0, -1):
            below = width if level == 5 else decoder
            setattr(self, f"dec{level}_2", Scope(conv=conv(below + width, decoder)))
            if level > 1:
                setattr(self, f"dec{level}_1", Scope(conv=conv(decoder, decoder)))
        self.dec1_1 = conv(decoder, 3)

    def forward(self, image):
        def layer(name, x):
            return F.leaky_relu(self.get_submodule(f"{name}.conv")(x), 0.1)

        x, skips = layer("enc1", image), []
        for level in range(2, 7):
            skips.append(x)
            x = layer(f"enc{level}", F.max_pool2d(x, 2))
        for level in range(5, 0, -1):
            x = layer(f"dec{level}_2", torch.cat([F.interpolate(x, scale_factor=2), skips.pop()], 1))
            x = layer(f"dec{level}_1", x) if level > 1 else self.dec1_1(x)
        return x


class DnCNN(nn.Module):
    def __init__(self, width, convolutions):
        super().__init__()
        layers = [conv(3, width), nn.ReLU()]
        for _ in range(convolutions - 2):
            layers += [conv(width, width), nn.BatchNorm2d(width, eps=1e-4, momentum=0.9), nn.ReLU()]
        self.model = nn.Sequential(*layers, conv(width, 3))

    def forward(self, image):
        return image - self.model(image)


class GateBlock(nn.Module):
    def __init__(self, c, depthwise, feed):
        super().__init__()
        wide, hidden = depthwise * c, feed * c
        self.beta, self.gamma = (nn.Parameter(torch.zeros(1, c, 1, 1)) for _ in range(2))
        self.conv1, self.conv2 = conv(c, wide, 1), conv(wide, wide, groups=wide)
        self.sca = nn.Sequential(nn.AdaptiveAvgPool2d(1), conv(wide // 2, wide // 2, 1))
        self.conv3, self.conv4, self.conv5 = conv(wide // 2, c, 1), conv(c, hidden, 1), conv(hidden // 2, c, 1)
        self.norm1, self.norm2 = ChannelNorm(c), ChannelNorm(c)

    def forward(self, x):
        def gate(t):
            first, second = t.chunk(2, 1)
            return first * second

        t = gate(self.conv2(self.conv1(self.norm1(x))))
        x = x + self.conv3(t * self.sca(t)) * self.beta
        return x + self.conv5(gate(self.conv4(self.norm2(x)))) * self.gamma


class NAFNet(nn.Module):
    def __init__(self, width, encoder, middle, decoder, depthwise, feed):
        super().__init__()

        def stage(c, count):
            return nn.Sequential(*(GateBlock(c, depthwise, feed) for _ in range(count)))

        self.intro, self.ending = conv(3, width), conv(width, 3)
        widths = [width << level for level in range(len(encoder) + 1)]
        self.encoders = nn.ModuleList(stage(c, count) for c, count in zip(widths, encoder))
        self.downs = nn.ModuleList(nn.Conv2d(c, 2 * c, 2, 2) for c in widths[:-1])
        self.middle_blks = stage(widths[-1], middle)
        self.ups = nn.ModuleList(
            nn.Sequential(nn.Conv2d(c, 2 * c, 1, bias=False), nn.PixelShuffle(2)) for c in widths[:0:-1])
        self.decoders = nn.ModuleList(stage(c, count) for c, count in zip(widths[-2::-1], decoder))

    def forward(self, image):
        x, skips = self.intro(image), []
        for blocks, down in zip(self.encoders, self.downs):
            x = blocks(x)
            skips.append(x)
            x = down(x)
        x = self.middle_blks(x)
        for blocks, up in zip(self.decoders, self.ups):
            x = blocks(up(x) + skips.pop())
        return self.ending(x) + image


class CentreMasked(nn.Conv2d):
    def __init__(self, inputs, outputs, k):
        super().__init__(inputs, outputs, k, padding=k // 2)
        mask = torch.ones_like(self.weight)
        mask[..., k // 2, k // 2] = 0
        self.register_buffer("mask", mask)

    def forward(self, x):
        return F.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)


class DilatedModule(nn.Module):
    def __init__(self, c, dilation):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(c, c, 3, padding=dilation, dilation=dilation), nn.ReLU(), conv(c, c, 1))

    def forward(self, x):
        return x + self.body(x)


class DBSN(nn.Module):
    """Two branches behind convolutions that do not see their own pixel; D_AS has no dilation behind them."""

    def __init__(self, width, modules, dilated):
        super().__init__()

        def one(inputs, outputs):
            return [conv(inputs, outputs, 1), nn.ReLU()]

        def branch(d):
            first = [CentreMasked(width, width, 2 * d - 1), nn.ReLU(), *one(width, width), *one(width, width)]
            inner = [DilatedModule(width, d if dilated else 1) for _ in range(modules)]
            return Scope(body=nn.Sequential(*first, *inner, *one(width, width)))

        self.head = nn.Sequential(*one(3, width))
        self.branch1, self.branch2 = branch(2), branch(3)
        half = width // 2
        self.tail = nn.Sequential(*one(2 * width, width), *one(width, half), *one(half, half), conv(half, 3, 1))

    def forward(self, image):
        x = self.head(image)
        return self.tail(torch.cat([self.branch1.body(x), self.branch2.body(x)], 1))


class DeamNet(nn.Module):
    """Four rounds of one U-shaped network, each mixed with the first features by a learned map."""

    def __init__(self, width, reduced):
        super().__init__()

        def named(inputs, outputs, k=3):
            return Scope(conv2d=conv(inputs, outputs, k))

        def rectified(stride=1):
            return Scope(block=nn.Sequential(conv(width, width, stride=stride), nn.ReLU()))

        def residual():
            return nn.Sequential(named(width, width), nn.ReLU(), named(width, width))

        def squeeze():
            return nn.Sequential(named(width, reduced), nn.ReLU(), named(reduced, width))

        self.transform_function = Scope(ext=named(3, width), pre=residual())
        self.inverse_transform_function = Scope(pre=residual(), ext=named(width, 3))
        for index in range(1, 5):
            setattr(self, f"line{index}{index}", Scope(
                C=named(width, width), cat=named(2 * width, width, 1), weight=Scope(conv_du=squeeze())))
        self.net2 = Scope(
            mid=nn.Sequential(rectified(), rectified()), final=named(width, width), conv_dila1=named(width, width),
            conv_dila2=named(width, width, 5), conv_dila3=named(width, width, 7), cat1=conv(3 * width, width, 1))
        for level in range(4):
            setattr(self.net2, f"e{level}", Scope(body=nn.Sequential(rectified(), rectified(), rectified(2))))
            setattr(self.net2, f"attention{level}", Scope(
                conv_du=squeeze(), cat=named(2 * width, width, 1), C=named(width, width),
                ConvTranspose=Scope(conv2d=rectified())))
            setattr(self.net2, f"de{level}", Scope(
                upsample=Scope(conv1=rectified(), ConvTranspose=Scope(conv2d=rectified()),
                               cat=named(2 * width, width, 1)),
                body=nn.Sequential(rectified(), rectified())))

    def run(self, path, x):
        """A convolution, or one with ReLU behind it, or a sequence of both."""
        module = self.get_submodule(path)
        if isinstance(module, nn.Sequential):
            for index, child in enumerate(module):
                x = F.relu(x) if isinstance(child, nn.ReLU) else self.run(f"{path}.{index}", x)
            return x
        return module.conv2d(x) if hasattr(module, "conv2d") else module.block(x)

    def map(self, path, squeeze, masked, other):
        joined = torch.cat([self.run(f"{path}.C", masked), other], 1)
        return torch.sigmoid(self.run(f"{path}.{squeeze}", self.run(f"{path}.cat", joined)))

    def operator(self, image):
        x, skips = image, []
        for level in range(4):
            x = self.run(f"net2.e{level}.body.1", self.run(f"net2.e{level}.body.0", x))
            skips.append(x)
            x = self.run(f"net2.e{level}.body.2", x)
        x = self.run("net2.mid", x)
        for level in range(3, -1, -1):
            fine, skip = F.interpolate(x, scale_factor=2), skips.pop()
            up = self.run(f"net2.attention{level}.ConvTranspose.conv2d", fine)
            w = self.map(f"net2.attention{level}", "conv_du", skip, up)
            a = self.run(f"net2.de{level}.upsample.conv1", (1 - w) * up + w * skip)
            b = self.run(f"net2.de{level}.upsample.ConvTranspose.conv2d", fine)
            x = self.run(f"net2.de{level}.body", self.run(f"net2.de{level}.upsample.cat", torch.cat([a, b], 1)))
        return image + self.run("net2.final", x)

    def forward(self, image):
        features = self.run("transform_function.ext", image)
        features = features + self.run("transform_function.pre", features)
        x = features
        for index in range(1, 5):
            x = self.operator(x)
            w = self.map(f"line{index}{index}", "weight.conv_du", features, x)
            x = (1 - w) * x + w * features
        x = x + self.run("inverse_transform_function.pre", x)
        return self.run("inverse_transform_function.ext", x)


class MWCNN(nn.Module):
    """Convolutions on Haar bands; the bands of a channel follow each other."""

    def __init__(self, widths, channels=3):
        super().__init__()
        bands = [4 * c for c in [channels, *widths[:-1]]]

        def block(sizes, linear=False):
            layers = [layer for a, b in zip(sizes, sizes[1:]) for layer in (conv(a, b), nn.ReLU())]
            return Scope(block=nn.Sequential(*(layers[:-1] if linear else layers)))

        self.depth = len(widths)
        for level, (width, outer) in enumerate(zip(widths, bands)):
            setattr(self, f"level{level + 1}_prev", block([outer, width, width, width, width]))
            setattr(self, f"level{level + 1}_next", block([width, width, width, width, outer], linear=level == 0))

    @staticmethod
    def bands(x):
        a, b, c, d = x[..., ::2, ::2], x[..., ::2, 1::2], x[..., 1::2, ::2], x[..., 1::2, 1::2]
        return torch.stack([a + b + c + d, a + b - c - d, a - b + c - d, a - b - c + d], 2).flatten(1, 2) / 2

    @staticmethod
    def image(x):
        ll, lh, hl, hh = x.unflatten(1, (-1, 4)).unbind(2)
        blocks = [ll + lh + hl + hh, ll + lh - hl - hh, ll - lh + hl - hh, ll - lh - hl + hh]
        return F.pixel_shuffle(torch.stack(blocks, 2).flatten(1, 2) / 2, 2)

    def forward(self, x, level=1):
        bands = self.bands(x)
        y = getattr(self, f"level{level}_prev").block(bands)
        if level < self.depth:
            y = self.forward(y, level + 1)
        return self.image(getattr(self, f"level{level}_next").block(y) + bands)


# Smallest sizes at which every layer sees more than one pixel.
CASES = {
    "unet": (UNet, dict(width=4, head=6), 64, 32),
    "student": (Student, dict(width=4, decoder=6), 64, 32),
    "dncnn": (DnCNN, dict(width=6, convolutions=4), 15, 18),
    "nafnet-simplegate": (NAFNet, dict(width=4, encoder=(1, 1), middle=1, decoder=(1, 1), depthwise=2, feed=2), 16, 20),
    "d-a": (DBSN, dict(width=6, modules=2, dilated=True), 17, 20),
    "d-as": (DBSN, dict(width=6, modules=2, dilated=False), 13, 16),
    "deamnet": (DeamNet, dict(width=4, reduced=2), 32, 48),
    "mwcnn": (MWCNN, dict(widths=(5, 6, 4)), 16, 24),
}
# The parameters that the published sizes have (DeamNet's include those that no pass reads).
PUBLISHED = {
    "unet": (dict(width=128, head=96), 7_935_555), "student": (dict(width=48, decoder=96), 1_021_107),
    "dncnn": (dict(width=64, convolutions=17), 559_363),
    "nafnet-simplegate": (
        dict(width=32, encoder=(2, 2, 4, 8), middle=12, decoder=(2, 2, 2, 2), depthwise=1, feed=2), 20_226_659),
    "d-a": (dict(width=128, modules=9, dilated=True), 3_656_131),
    "d-as": (dict(width=128, modules=9, dilated=False), 3_656_131),
    "deamnet": (dict(width=64, reduced=4), 2_228_131),
    "mwcnn": (dict(widths=(160, 256, 256)), 16_168_940),
}


def seeded(network):
    """Double precision; scales and statistics away from their initial values."""
    for name, parameter in network.named_parameters():
        leaf = name.rsplit(".", 1)[-1]
        if parameter.dim() == 4 and leaf == "weight":
            # Products of activations would grow without bound.
            if not isinstance(network, NAFNet):
                nn.init.kaiming_normal_(parameter)
        elif "norm" in name or (leaf == "weight" and parameter.dim() == 1):
            nn.init.normal_(parameter, mean=0 if leaf == "bias" else 1, std=0.25)
        else:
            nn.init.normal_(parameter, std=0.5 if leaf in ("beta", "gamma") else 0.1)
    for name, buffer in network.named_buffers():
        if name.endswith("running_mean"):
            nn.init.normal_(buffer, std=0.1)
        elif name.endswith("running_var"):
            nn.init.uniform_(buffer, 0.5, 1.5)
    return network.double()


def rounded(tensors):
    return {key: (value.detach().float() if value.is_floating_point() else value).contiguous().clone()
            for key, value in tensors.items()}


def write(name):
    kind, configuration, height, width = CASES[name]
    large, count = PUBLISHED[name]
    with torch.device("meta"):
        assert sum(p.numel() for p in kind(**large).parameters()) == count, name
    torch.manual_seed(7)
    network = seeded(kind(**configuration))
    image = torch.rand(2, 3, height, width).double().requires_grad_()
    target = torch.rand(2, 3, height, width).double()
    tensors = {f"weight.{key}": value.clone() for key, value in network.state_dict().items()}
    with torch.no_grad():
        inference = network.eval()(image)
    output = network.train()(image)
    (output - target).abs().mean().backward()
    tensors |= {"input": image, "target": target, "output": output, "gradient.input": image.grad}
    tensors |= {f"gradient.{key}": value.grad for key, value in network.named_parameters() if value.grad is not None}
    if name == "dncnn":
        tensors["inference"] = inference
        tensors |= {f"statistic.{key}": value for key, value in network.named_buffers() if "running" in key}
    metadata = {"network": name, "configuration": json.dumps(configuration)}
    save_file(rounded(tensors), HERE / f"{name}.safetensors", metadata)
    print(f"{name}: output deviates by {output.std():.3f}, {(HERE / f'{name}.safetensors').stat().st_size // 1024} KiB")


def write_checkpoint(name, path):
    torch.manual_seed(7)
    network = seeded(CASES[name][0](**PUBLISHED[name][0])).float()
    state = {f"net.dn.branches.0.{key}": value for key, value in network.state_dict().items()}
    torch.save({"epoch": 0, "global_step": 0, "pytorch-lightning_version": "2.4.0", "state_dict": state}, path)


if __name__ == "__main__":
    if sys.argv[1:2] == ["checkpoint"]:
        write_checkpoint(*sys.argv[2:])
    else:
        for case in sys.argv[1:] or CASES:
            write(case)
