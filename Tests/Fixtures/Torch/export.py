#!/usr/bin/env python3
"""Writes a model file as a checkpoint laid out as AMSNet's published ones: export.py MODEL.safetensors OUT.ckpt

What `denoised train` made can so take the way of other people's weights through `denoised model import` (with
`--hidden-pixels neighbours`, as it trains) or be loaded by AMSNet's own code.
"""
import sys

import torch
from safetensors.torch import load_file

source, target = sys.argv[1:]
state = {f"net.dn.branches.0.{key}": value for key, value in load_file(source).items()}
torch.save({"epoch": 0, "global_step": 0, "pytorch-lightning_version": "2.4.0", "state_dict": state}, target)
