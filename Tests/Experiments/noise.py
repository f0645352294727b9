#!/usr/bin/env python3
"""Cuts crops out of clean photographs and adds noise: noise.py CLEAN OUT [KIND...] writes OUT/KIND/*.png, 16-bit."""
import pathlib
import sys

import numpy as np
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "Fixtures"))
from png16 import write_png  # noqa: E402

SIZE, COUNT = 256, 6
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

photographs = sorted(pathlib.Path(sys.argv[1]).glob("*.png"))[:COUNT]
for kind in sys.argv[3:] or NOISE:
    folder = pathlib.Path(sys.argv[2]) / kind
    folder.mkdir(parents=True)
    for index, path in enumerate(photographs):
        image = np.asarray(Image.open(path).convert("RGB")) / 255.0
        top, left = (image.shape[0] - SIZE) // 2, (image.shape[1] - SIZE) // 2
        noisy = NOISE[kind](image[top:top + SIZE, left:left + SIZE], np.random.default_rng(index)).clip(0, 1)
        write_png(folder / f"{index:02}.png", (noisy * 65535).round().astype(np.uint16))
