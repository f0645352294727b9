#!/usr/bin/env python3
"""How much of the difference between noisy and clean sides of pairs is no noise, but a shift or a blur.

    registration.py pairs/ [--preset balanced] [--model FILE] [--denoised .build/release/denoised]

Pairs are NAME_real.* and NAME_mean.* in one folder. A kernel of 7×7 taps, fitted by least squares, makes of the clean side
what the noisy one shows of it: noise is independent of it, so that 49 taps for hundreds of thousands of pixels fit none of
it. Gains in PSNR are printed against the clean side as it is and as it is after that.
"""
import argparse
import pathlib
import subprocess
import tempfile

import numpy as np
from PIL import Image

LUMA = np.array([0.299, 0.587, 0.114])
REACH = 3


def load(path):
    return np.asarray(Image.open(path).convert("RGB")).astype(float) / 255


def shifted(image):
    padded = np.pad(image, ((REACH, REACH), (REACH, REACH)) + ((0, 0),) * (image.ndim - 2), mode="reflect")
    height, width = image.shape[:2]
    side = range(2 * REACH + 1)
    return [padded[y : y + height, x : x + width] for y in side for x in side]


def registered(clean, noisy):
    """The clean side as the noisy one shows it, and by how many rows and columns that moves it."""
    columns = np.stack([plane.ravel() for plane in shifted(clean @ LUMA)] + [np.ones(clean[..., 0].size)], 1)
    normal = columns.T @ columns
    normal[np.diag_indices_from(normal)] += 1e-6 * normal[0, 0]
    taps = np.linalg.solve(normal, columns.T @ (noisy @ LUMA).ravel())
    kernel = taps[:-1].reshape(2 * REACH + 1, -1)
    rows, columns = np.mgrid[-REACH : REACH + 1, -REACH : REACH + 1]
    shift = (kernel * rows).sum() / kernel.sum(), (kernel * columns).sum() / kernel.sum()
    return sum(tap * plane for tap, plane in zip(taps, shifted(clean))) + taps[-1], shift


def psnr(a, b):
    return -10 * np.log10(((a - b) ** 2).mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=pathlib.Path)
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--model")
    parser.add_argument("--denoised", default=".build/release/denoised")
    options = parser.parse_args()
    noisy = sorted(options.pairs.glob("*_real.*"))
    with tempfile.TemporaryDirectory() as folder:
        command = [options.denoised, "process", *map(str, noisy), "--output", folder, "--format", "png"]
        command += ["--preset", options.preset] + (["--model", options.model] if options.model else [])
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        rows = []
        print("| pair | rows | columns | no noise | gain in dB | registered |\n|---|---|---|---|---|---|")
        for path in noisy:
            name = path.stem.removesuffix("_real")
            before, clean = load(path), load(next(options.pairs.glob(f"{name}_mean.*")))
            after = load(next(pathlib.Path(folder).glob(f"{path.stem}*.png")))
            truth, shift = registered(clean, before)
            share = 1 - ((before - truth) ** 2).mean() / ((before - clean) ** 2).mean()
            gains = psnr(after, clean) - psnr(before, clean), psnr(after, truth) - psnr(before, truth)
            rows.append((abs(shift[0]), abs(shift[1]), share, *gains))
            print(f"| {name} | {shift[0]:.2f} | {shift[1]:.2f} | {share:.0%} | {gains[0]:+.2f} | {gains[1]:+.2f} |")
        mean = np.mean(rows, 0)
        print(f"| mean | {mean[0]:.2f} | {mean[1]:.2f} | {mean[2]:.0%} | {mean[3]:+.2f} | {mean[4]:+.2f} |")


if __name__ == "__main__":
    main()
