#!/usr/bin/env python3
"""Imports a checkpoint, denoises a crop with one plain pass, and compares every sample with PyTorch.

    python3 -m venv venv && venv/bin/pip install torch numpy pillow safetensors
    venv/bin/python compare.py --network restormer --checkpoint restormer.ckpt --photograph photo.jpg \
        --denoised ../../../.build/release/denoised

Without --checkpoint one with seeded weights is made, laid out as AMSNet's are. The crop is a 16-bit PNG. Exits with 1
where a sample differs by more than 2e-4 of the range, a float32 network's rounding and half a level of 16 bits.
"""
import argparse
import functools
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "Networks"))
import denoisers  # noqa: E402
import make  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from png16 import read_png, write_png  # noqa: E402

# A network in its published size, and how its weights are seeded.
NETWORKS = {
    "restormer": (lambda: make.Restormer(48, (4, 6, 6, 8), 4, (1, 2, 4, 8)), make.seeded),
    "nafnet": (lambda: make.NAFNetBase(32, (2, 2, 4, 8), 12, (2, 2, 2, 2)), make.seeded),
}
for name, (arguments, _) in denoisers.PUBLISHED.items():
    NETWORKS[name] = (functools.partial(denoisers.CASES[name][0], **arguments), denoisers.seeded)
PREFIX = "net.dn.branches.0."
TOLERANCE = 2e-4


# The last layer of the networks whose output is no sum with the input.
LAST = {"d-a": "tail.6", "d-as": "tail.6", "deamnet": "inverse_transform_function.ext.conv2d"}


def build_seeded(network):
    torch.manual_seed(7)
    build, seeded = NETWORKS[network]
    net = seeded(build()).eval()
    if network == "deamnet":
        # As published: through its four rounds Kaiming's larger weights make PyTorch's own float32 differ by 2e-3.
        for parameter in net.parameters():
            if parameter.dim() == 4:
                torch.nn.init.xavier_normal_(parameter)
    if network in LAST:
        # Outputs that the file format would clip compare nothing.
        with torch.no_grad():
            output = net(torch.rand(1, 3, 64, 64).double())
            layer = net.get_submodule(LAST[network])
            scale = 0.15 / output.std()
            layer.weight.mul_(scale)
            layer.bias.copy_((layer.bias - output.mean()) * scale + 0.5)
    return net


def make_checkpoint(network, path):
    state = {PREFIX + key: value.float() for key, value in build_seeded(network).state_dict().items()}
    torch.save({"epoch": 0, "state_dict": state}, path)


def expected(network, checkpoint, noisy):
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    state = {key.removeprefix(PREFIX): value for key, value in state.get("state_dict", state).items()}
    net = NETWORKS[network][0]().double().eval()
    net.load_state_dict(state)
    with torch.inference_mode():
        output = net(torch.from_numpy(noisy.transpose(2, 0, 1)[None]))
    return output[0].double().numpy().transpose(1, 2, 0).clip(0, 1)


def timed(*command):
    start = time.perf_counter()
    print(subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout, end="")
    return round(time.perf_counter() - start, 2)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=sorted(NETWORKS), required=True)
    parser.add_argument("--checkpoint")
    parser.add_argument("--photograph", required=True)
    parser.add_argument("--denoised", required=True)
    parser.add_argument("--size", type=int, default=128)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        checkpoint = options.checkpoint or folder / "seeded.ckpt"
        if not options.checkpoint:
            make_checkpoint(options.network, checkpoint)
        photograph = np.asarray(Image.open(options.photograph).convert("RGB"))[:options.size, :options.size]
        # Between the 8-bit levels too.
        random = np.random.default_rng(1)
        samples = (photograph * 257.0 + random.normal(0, 1500, photograph.shape)).clip(0, 65535).round().astype(np.uint16)
        write_png(folder / "crop.png", samples)
        model = folder / "model.safetensors"
        # D_A and D_AS have the same tensors.
        told = ["--network", "d-as"] if options.network == "d-as" else []
        importing = timed(options.denoised, "model", "import", checkpoint, "--out", model, *told)
        timed(options.denoised, "model", "verify", model)
        timed(options.denoised, "process", folder / "crop.png", "--output", folder, "--model", model, "--method", "plain")
        output = read_png(folder / "crop-denoised.png")
        truth = expected(options.network, checkpoint, samples / 65535)
        largest = float(np.abs(output - truth).max())
        print(json.dumps({"network": options.network, "import_seconds": importing, "largest_difference": largest,
                          "output_deviation": float(truth.std()), "changed": float(np.abs(truth - samples / 65535).mean())}))
        sys.exit(largest > TOLERANCE)


if __name__ == "__main__":
    main()
