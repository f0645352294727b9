"""16-bit RGB files, which Pillow does not know."""
import struct
import zlib

import numpy as np


def write_png(path, samples):
    """16-bit RGB, rows without a filter."""
    height, width, _ = samples.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    data = b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)


def read_png(path):
    """16-bit RGB with any filters, not interlaced."""
    data, position, packed = path.read_bytes(), 8, b""
    while position < len(data):
        length, kind = struct.unpack(">I4s", data[position:position + 8])
        body = data[position + 8:position + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", body)
            assert (depth, colour, interlace) == (16, 2, 0)
        elif kind == b"IDAT":
            packed += body
        position += 12 + length
    rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, 1 + 6 * width)
    above = [0] * (6 * width)
    image = []
    for row in rows:
        line = row[1:].tolist()
        for i in range(6 * width):
            a, b, c = line[i - 6] if i >= 6 else 0, above[i], above[i - 6] if i >= 6 else 0
            p = a + b - c
            paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            line[i] = line[i] + (0, a, b, (a + b) // 2, paeth)[row[0]] & 255
        image.append(line)
        above = line
    return np.array(image, np.uint8).view(">u2").reshape(height, width, 3).astype(np.float64) / 65535
