#!/usr/bin/env python3
"""How much tiles change a photograph: PSNR between tiled and untiled outputs, for several overlaps.

    Tests/Experiments/tiling.py PHOTOGRAPH MODEL... [--overlaps 32 64] [--method plain] [--denoised BINARY]

The middle 1024×1024 pixels of PHOTOGRAPH are denoised as one tile and as tiles of at most 512. Spec F.3 asks for 50 dB
and no visible step: the largest jump of the difference from one row or column to the next is shown beside, in levels
of 8 bits. Needs numpy and Pillow.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "Fixtures"))
from png16 import read_png, write_png  # noqa: E402

SIDE = 1024


def denoised_crop(options, crop, model, *arguments):
    with tempfile.TemporaryDirectory() as folder:
        command = [options.denoised, "process", crop, "--output", folder, "--model", model, *arguments]
        command += ["--method", "plain"] if options.method == "plain" else ["--preset", "balanced", "--seed", "1"]
        subprocess.run([str(part) for part in command], check=True, capture_output=True)
        return read_png(next(pathlib.Path(folder).iterdir())) * 255.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photograph", type=pathlib.Path)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--overlaps", type=int, nargs="+", default=[0, 16, 32, 64])
    parser.add_argument("--method", choices=["plain", "amsnet"], default="plain")
    parser.add_argument("--denoised", type=pathlib.Path, default=HERE / "../../.build/release/denoised")
    options = parser.parse_args()
    image = np.asarray(Image.open(options.photograph).convert("RGB")).astype(np.uint16) * 257
    top, left = (image.shape[0] - SIDE) // 2, (image.shape[1] - SIDE) // 2
    print("| model | overlap | PSNR in dB | largest step in levels |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        crop = pathlib.Path(folder) / "crop.png"
        write_png(crop, image[top:top + SIDE, left:left + SIDE])
        for model in options.models:
            whole = denoised_crop(options, crop, model, "--tile", SIDE)
            for overlap in options.overlaps:
                tiled = denoised_crop(options, crop, model, "--tile", 512, "--overlap", overlap)
                difference = tiled - whole
                psnr = 10 * np.log10(255**2 / max(np.square(difference).mean(), 1e-12))
                # Of whole rows and columns, since a seam runs along them.
                step = max(np.abs(np.diff(difference.mean(axis), axis=0)).max() for axis in (0, 1))
                print(f"| {pathlib.Path(model).stem} | {overlap} | {psnr:.1f} | {step:.2f} |", flush=True)


if __name__ == "__main__":
    main()
