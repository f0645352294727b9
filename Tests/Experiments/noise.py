#!/usr/bin/env python3
"""Cuts crops out of clean photographs and adds noise: OUT/KIND/*.png, 16-bit, for each kind or those named.

    noise.py CLEAN OUT [KIND...] [--size 256] [--count 6] [--contrast 1] [--real NOISY CLEAN]

A contrast below 1 pulls brightness towards the middle, so that no noise is cut off at black and white: what a method
says of the noise can then be compared with what was drawn, which OUT/truth.json holds: standard deviations of the
channels in units of 1/255, root mean square over the crops. Real pairs are two folders of equally many photographs; COUNT
of them, in equal distances, are cut to OUT/real and OUT/real-clean.
"""
import argparse
import json
import pathlib
import sys

import numpy as np
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "Fixtures"))
from png16 import write_png  # noqa: E402

# A covariance of the channels with standard deviations of 30, 20 and 25 of 255 and correlations of 0.6, 0.3 and 0.5.
COVARIANCE = np.outer([30, 20, 25], [30, 20, 25]) * [[1, 0.6, 0.3], [0.6, 1, 0.5], [0.3, 0.5, 1]] / 255**2
NOISE = {
    "clean": lambda x, r: x,
    "gaussian-15": lambda x, r: x + r.normal(0, 15 / 255, x.shape),
    "gaussian-25": lambda x, r: x + r.normal(0, 25 / 255, x.shape),
    "gaussian-50": lambda x, r: x + r.normal(0, 50 / 255, x.shape),
    "poisson-50": lambda x, r: r.poisson(50 * x) / 50,
    "heteroscedastic": lambda x, r: x + r.normal(0, 1, x.shape) * (10 + 30 * x) / 255,
    "multivariate": lambda x, r: x + r.multivariate_normal(np.zeros(3), COVARIANCE, x.shape[:2]),
}

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("clean", type=pathlib.Path)
parser.add_argument("out", type=pathlib.Path)
parser.add_argument("kinds", nargs="*", metavar="KIND")
parser.add_argument("--size", type=int, default=256)
parser.add_argument("--count", type=int, default=6)
parser.add_argument("--contrast", type=float, default=1)
parser.add_argument("--real", nargs=2, type=pathlib.Path, default=[])
options = parser.parse_args()


def middle(path):
    """The middle square of a photograph, in [0, 1]."""
    image = np.asarray(Image.open(path).convert("RGB")) / 255.0
    top, left = (image.shape[0] - options.size) // 2, (image.shape[1] - options.size) // 2
    return image[top:top + options.size, left:left + options.size]


def write(name, index, image):
    """Rounded to 16 bits."""
    folder = options.out / name
    folder.mkdir(parents=True, exist_ok=True)
    write_png(folder / f"{index:02}.png", (image.clip(0, 1) * 65535).round().astype(np.uint16))


truth = {}
photographs = sorted(options.clean.glob("*.png"))[:options.count]
for kind in options.kinds or NOISE:
    squares = []
    for index, path in enumerate(photographs):
        clean = 0.5 + options.contrast * (middle(path) - 0.5)
        noisy = NOISE[kind](clean, np.random.default_rng(index))
        squares.append(np.square(noisy - clean).mean((0, 1)))
        write(kind, index, noisy)
    truth[kind] = (255 * np.sqrt(np.mean(squares, 0))).round(2).tolist()
(options.out / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")
for name, folder in zip(["real", "real-clean"], options.real):
    pairs = sorted(folder.iterdir())
    for index in range(options.count):
        write(name, index, middle(pairs[index * len(pairs) // options.count]))
