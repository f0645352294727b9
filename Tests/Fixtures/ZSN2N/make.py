#!/usr/bin/env python3
"""Write zsn2n.safetensors, the numerical oracle of ZS-N2N's network and losses.

    pip install torch safetensors numpy && python3 make.py

For colour and grey, in double precision and rounded once:
    KIND.weight.KEY    every parameter
    KIND.input         (1, C, 14, 18) in [0, 1]
    KIND.denoised      input - network(input)
    KIND.losses        (2): residual and consistency loss
    KIND.gradient.KEY  of the losses' sum
"""
import pathlib

import torch
from safetensors.torch import save_file

import zsn2n

tensors = {}
for kind, channels in (("colour", 3), ("grey", 1)):
    torch.manual_seed(11 + channels)
    network = zsn2n.Network(channels).double()
    noisy = torch.rand(1, channels, 14, 18).double().float().double()
    for parameter in network.parameters():
        parameter.data = parameter.data.float().double()
    residual, consistency = zsn2n.losses(network, noisy)
    (residual + consistency).backward()
    tensors[f"{kind}.input"] = noisy
    tensors[f"{kind}.denoised"] = (noisy - network(noisy)).detach()
    tensors[f"{kind}.losses"] = torch.stack([residual, consistency]).detach()
    for key, parameter in network.named_parameters():
        tensors[f"{kind}.weight.{key}"] = parameter.detach()
        tensors[f"{kind}.gradient.{key}"] = parameter.grad
save_file({key: value.float().contiguous() for key, value in tensors.items()},
          pathlib.Path(__file__).parent / "zsn2n.safetensors")
