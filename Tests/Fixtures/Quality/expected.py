#!/usr/bin/env python3
"""Print the PSNR and SSIM that QualityMetricsTests expects, from the definitions and nothing but numpy.

The images come from the same linear congruential generator as in the test, in float32, so no file is needed.
"""
import numpy as np


def uniform(count, state):
    values = np.empty(count, np.float32)
    for index in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        values[index] = np.float32(state >> 8) / np.float32(1 << 24)
    return values


def pair(width, height, channels):
    """The second image leaves [0, 1] at both ends, so that clamping counts."""
    count = channels * height * width
    clean = uniform(count, 1)
    noisy = clean * np.float32(1.25) + uniform(count, 2) * np.float32(0.25) - np.float32(0.25)
    return clean.reshape(channels, height, width), noisy.reshape(channels, height, width)


def eight_bit(image):
    return np.round(np.clip(image, 0, 1) * np.float32(255)).astype(np.float64)


def psnr(a, b):
    return 20 * np.log10(255 / np.sqrt(((eight_bit(a) - eight_bit(b)) ** 2).mean()))


def ssim(a, b):
    """The sum over each window spelled out: no separable filter, unlike the program."""
    bell = np.exp(-np.arange(-5, 6) ** 2 / (2 * 1.5**2))
    window = np.outer(bell, bell) / np.outer(bell, bell).sum()
    scores = []
    for x, y in zip(eight_bit(a), eight_bit(b)):
        u = np.lib.stride_tricks.sliding_window_view(x, (11, 11))
        v = np.lib.stride_tricks.sliding_window_view(y, (11, 11))
        mean = lambda t: (t * window).sum((-1, -2))
        mu, mv = mean(u), mean(v)
        covariance, su, sv = mean(u * v) - mu * mv, mean(u * u) - mu**2, mean(v * v) - mv**2
        c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
        scores.append(((2 * mu * mv + c1) * (2 * covariance + c2) / ((mu**2 + mv**2 + c1) * (su + sv + c2))).mean())
    return np.mean(scores)


for size in ((37, 23, 3), (11, 11, 1), (64, 40, 1)):
    print(size, f"psnr {psnr(*pair(*size)):.12f} ssim {ssim(*pair(*size)):.12f}")
