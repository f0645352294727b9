#!/usr/bin/env python3
"""Writes the checkpoints that the tests of the torch reader read, and what they hold as safetensors.

    python3 -m venv venv && venv/bin/pip install torch numpy safetensors
    venv/bin/python make.py

Seeded: a second run gives the same tensors (torch puts numbers of its own into the archives).
"""
import collections
import os
import pathlib

import torch
from safetensors.torch import save_file

FOLDER = pathlib.Path(__file__).parent


def kinds():
    """Every type of element, and every way in which a tensor can lie in a storage."""
    base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4) / 7
    numbers = torch.tensor([0.0, -0.0, 1.0, -2.5, 1e-3, 1000.0, 3e-8])
    return collections.OrderedDict(
        float32=base.clone(),
        float16=numbers.half(),
        bfloat16=numbers.bfloat16(),
        float64=numbers.double() / 3,
        int64=torch.tensor(1234567),
        int32=torch.tensor([-5, 2**20], dtype=torch.int32),
        int16=torch.tensor([-300, 300], dtype=torch.int16),
        int8=torch.tensor([-128, 127], dtype=torch.int8),
        uint8=torch.tensor([0, 255], dtype=torch.uint8),
        bool=torch.tensor([True, False]),
        transposed=base.permute(2, 0, 1),
        every_second=torch.arange(10.0)[1::2],
        channels_last=torch.arange(48.0).reshape(1, 3, 4, 4).contiguous(memory_format=torch.channels_last),
        shared_first=base[0],
        shared_last=base[1, 1:],
        shared_again=base[0],
        empty=torch.zeros(3, 0),
        parameter=torch.nn.Parameter(torch.tensor([1.5, 2.5])),
    )


def nafnet():
    """The state dictionary of a NAFNetBase of width 4, one level, one block each."""
    torch.manual_seed(5)
    state = collections.OrderedDict()

    def layer(name, *shape):
        state[f"{name}.weight"] = torch.randn(shape) * 0.2
        state[f"{name}.bias"] = torch.randn(shape[0]) * 0.1

    def block(name, c):
        state[f"{name}.beta"] = torch.randn(1, c, 1, 1) * 0.3
        state[f"{name}.gamma"] = torch.randn(1, c, 1, 1) * 0.3
        layer(f"{name}.conv1", c, c, 1, 1)
        layer(f"{name}.conv2", c, 1, 3, 3)
        layer(f"{name}.conv3", c, c, 1, 1)
        layer(f"{name}.conv4", 2 * c, c, 1, 1)
        layer(f"{name}.conv5", c, 2 * c, 1, 1)
        layer(f"{name}.se.1", c // 2, c, 1, 1)
        layer(f"{name}.se.3", c, c // 2, 1, 1)
        layer(f"{name}.norm1", c)
        layer(f"{name}.norm2", c)

    layer("intro", 4, 3, 3, 3)
    layer("ending", 3, 4, 3, 3)
    block("encoders.0.0", 4)
    layer("downs.0", 8, 4, 2, 2)
    block("middle_blks.0", 8)
    state["ups.0.0.weight"] = torch.randn(16, 8, 1, 1) * 0.2
    block("decoders.0.0", 4)
    state._metadata = collections.OrderedDict({"": {"version": 1}})
    return state


def lightning(state):
    """As the published AMSNet checkpoints are laid out."""
    return {
        "epoch": 3, "global_step": 2**40, "pytorch-lightning_version": "2.4.0", "hparams_name": None,
        "state_dict": collections.OrderedDict((f"net.dn.branches.0.{k}", v) for k, v in state.items()),
        "loops": {"fit_loop": {"state_dict": {}, "progress": [1, 2.5, True, -7], "pair": (1, ("two", []))}},
        "callbacks": {"best": torch.tensor(38.5)}, "lr_schedulers": [],
    }


class Call:
    """Loading this with Python's pickle makes a file."""

    def __reduce__(self):
        return os.system, ("touch denoised-pickle-ran",)


def main():
    save_file({k: v.detach().float().clone(memory_format=torch.contiguous_format) for k, v in kinds().items()},
              FOLDER / "kinds.safetensors")
    save_file({k: v.detach().clone(memory_format=torch.contiguous_format) for k, v in kinds().items()},
              FOLDER / "kinds-as-they-are.safetensors")
    torch.save(kinds(), FOLDER / "kinds.pth")
    for protocol in (3, 4, 5):
        side = {"bytes": b"x" * 300, "text": "y" * 300} | ({"set": {1, 2}} if protocol > 3 else {})
        torch.save({"state_dict": {"a": torch.ones(2), "b": torch.zeros(1, 2)}, **side},
                   FOLDER / f"protocol{protocol}.pth", pickle_protocol=protocol)
    state = nafnet()
    save_file(dict(state), FOLDER / "nafnet.safetensors")
    torch.save(lightning(state), FOLDER / "lightning.ckpt")
    torch.save({"params": {k: v + 1 for k, v in state.items()}, "params_ema": state}, FOLDER / "basicsr.pth")
    torch.save({f"module.{k}": v for k, v in state.items()}, FOLDER / "parallel.pt")
    torch.save({"a": torch.ones(2)}, FOLDER / "legacy.pth", _use_new_zipfile_serialization=False)
    torch.save({"model": torch.nn.Linear(1, 1)}, FOLDER / "module.pth")
    torch.save({"state_dict": {"a": torch.ones(2)}, "epoch": Call()}, FOLDER / "calls.pth")


if __name__ == "__main__":
    main()
