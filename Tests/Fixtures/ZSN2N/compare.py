#!/usr/bin/env python3
"""Denoises the same noisy crops with the PyTorch twin and with ours, and compares the PSNR.

    python3 -m venv venv && venv/bin/pip install torch numpy pillow safetensors
    venv/bin/python compare.py clean-1.png clean-2.png --denoised ../../../.build/release/denoised

The crop is the middle of each photograph. Noise is drawn once, Gaussian noise is clamped as the authors do it, and both
read the same 16-bit PNG and begin with the same weights, those that ours draws for `--seed`: on small crops, others make
a difference of more than 1 dB (`--own-start` shows PyTorch's). PSNR is that of floats in [0, 1]. `--twin FILE` keeps the
twin's figures, which take a minute a crop on a good processor, and takes them from there the next time. Exits with 1
where ours is more than 0.2 dB below.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import zsn2n  # noqa: E402
from png16 import read_png, write_png  # noqa: E402

NOISE = {
    "gaussian-15": lambda x, r: (x + r.normal(0, 15 / 255, x.shape)).clip(0, 1),
    "gaussian-25": lambda x, r: (x + r.normal(0, 25 / 255, x.shape)).clip(0, 1),
    "gaussian-50": lambda x, r: (x + r.normal(0, 50 / 255, x.shape)).clip(0, 1),
    "poisson-50": lambda x, r: (r.poisson(50 * x) / 50).clip(0, 1),
}


def psnr(image, clean):
    return float(-10 * np.log10(np.square(image - clean).mean()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", nargs="+", type=pathlib.Path)
    parser.add_argument("--denoised", help="ours; without it only the twin runs")
    parser.add_argument("--noise", nargs="+", choices=NOISE, default=["gaussian-25"])
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--own-start", action="store_true", help="PyTorch draws the twin's first weights")
    parser.add_argument("--twin", type=pathlib.Path, help="JSON file of the twin's figures")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    known = json.loads(options.twin.read_text()) if options.twin and options.twin.exists() else {}
    worst = 0
    for photograph in options.photographs:
        image = np.asarray(Image.open(photograph).convert("RGB")) / 255.0
        top, left = (image.shape[0] - options.size) // 2, (image.shape[1] - options.size) // 2
        clean = image[top:top + options.size, left:left + options.size]
        for noise in options.noise:
            samples = (NOISE[noise](clean, np.random.default_rng(1)) * 65535).round().astype(np.uint16)
            noisy = samples / 65535
            start = "PyTorch" if options.own_start else "ours"
            key = f"{photograph.stem} {options.size} {noise} {options.steps} {start} {options.seed}"
            if key not in known:
                tensor = torch.from_numpy(noisy.transpose(2, 0, 1)[None]).float()
                output = zsn2n.denoise(tensor, options.steps, options.seed, not options.own_start)[0]
                output = output.double().numpy().transpose(1, 2, 0)
                known[key] = round(psnr(output, clean), 3)
                if options.twin:
                    options.twin.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
            line = {"crop": key, "noisy": round(psnr(noisy, clean), 3), "twin": known[key]}
            if options.denoised:
                with tempfile.TemporaryDirectory() as folder:
                    folder = pathlib.Path(folder)
                    write_png(folder / "crop.png", samples)
                    subprocess.run([options.denoised, "process", folder / "crop.png", "--output", folder, "--method",
                                    "zsn2n", "--seed", str(options.seed)], check=True, capture_output=True)
                    line["ours"] = round(psnr(read_png(folder / "crop-denoised.png"), clean), 3)
                worst = max(worst, line["twin"] - line["ours"])
            print(json.dumps(line), flush=True)
    sys.exit(worst > 0.2)


if __name__ == "__main__":
    main()
