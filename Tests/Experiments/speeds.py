#!/usr/bin/env python3
"""Seconds per megapixel of every network at every preset, as a Markdown table.

    Tests/Experiments/speeds.py PHOTOGRAPH [--denoised BINARY] [--limit SECONDS] [--networks NAME...]

PHOTOGRAPH should have 512×512 pixels and visible noise (one without is copied as it is). Weights are those of one
training step: the numbers do not change the work. Each preset is one run of `denoised process`, decoding and encoding
included, with the peak memory of the heaviest, so `best` takes minutes with the published networks: where nine times
the seconds of `balanced` exceed the limit (default 60), that product is shown instead, marked ≈.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

NETWORKS = (
    "restormer restormer-compact nafnet nafnet-compact nafnet-simplegate nafnet-sidd-32 nafnet-sidd-64 unet unet-compact "
    "student dncnn dncnn-compact deamnet deamnet-compact d-a d-a-compact d-as d-as-compact mwcnn mwcnn-compact").split()
PRESETS = {"plain": ["--method", "plain"], "balanced": ["--preset", "balanced"], "best": ["--preset", "best"]}
# Passes of best for each one of balanced.
PASSES = 9


def output_of(*command):
    """What a command prints, and the peak memory of its processes in MiB."""
    command = [str(part) for part in command]
    with tempfile.TemporaryFile("w+") as errors:
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        printed = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            errors.seek(0)
            sys.exit(f"{' '.join(command)}: {errors.read()}")
    return printed, usage.ru_maxrss / 1024


def start(network, photograph, denoised, folder):
    """A model file after one step."""
    captures = folder / "captures"
    if not captures.exists():
        captures.mkdir()
        shutil.copy(photograph, captures)
    model = folder / f"{network}.safetensors"
    output_of(denoised, "train", "--noisy", captures, "--network", network, "--steps", 1, "--batch", 1, "--crop", 40,
              "--out", model)
    return model


def measure(network, photograph, denoised, megapixels, limit, folder):
    """The cells of a network's row."""
    model = start(network, photograph, denoised, folder)
    facts = json.loads(output_of(denoised, "model", "show", model, "--no-speed", "--json")[0])
    seconds, peak = {}, 0
    for preset, options in PRESETS.items():
        if preset == "best" and PASSES * seconds["balanced"] > limit:
            break
        printed, memory = output_of(
            denoised, "process", photograph, "--output", folder, "--model", model, "--json", *options)
        seconds[preset] = json.loads(printed)["seconds"]
        peak = max(peak, memory)
    for path in folder.glob(f"{network}.safetensors*"):
        if path.is_file():
            path.unlink()
    cells = {preset: f"{value / megapixels:.1f}" for preset, value in seconds.items()}
    cells.setdefault("best", f"≈{PASSES * seconds['balanced'] / megapixels:.0f}")
    return [network, f"{facts['mac_per_pixel'] / 1000:.0f}", *(cells[preset] for preset in PRESETS), f"{peak:.0f}"]


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photograph", type=pathlib.Path)
    parser.add_argument("--denoised", type=pathlib.Path, default=here / "../../.build/release/denoised")
    parser.add_argument("--limit", type=float, default=60)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS)
    options = parser.parse_args()
    photograph, denoised = options.photograph.resolve(), options.denoised.resolve()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        said, _ = output_of(denoised, "process", photograph, "--output", folder, "--preset", "fast")
        width, height = map(int, re.search(r"\((\d+) × (\d+) in ", said).groups())
        print("| network | kMAC/pixel | plain | balanced | best | peak MiB |\n|---|---|---|---|---|---|")
        for network in options.networks:
            cells = measure(network, photograph, denoised, width * height / 1e6, options.limit, folder)
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
