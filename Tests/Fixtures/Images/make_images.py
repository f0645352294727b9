#!/usr/bin/env python3
"""Makes the pictures under made/: `python3 make_images.py`. The TIFFs and the DNG need nothing but Python; the JPEGs
need Pillow and are skipped without it.

Every sample follows one formula, which the tests repeat: sample16(y, x, c) = (701 x + 1303 y + 2909 c) mod 65536, and
its upper bits for other depths.
"""
import os
import struct
import zlib

WIDTH, HEIGHT = 21, 13
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "made")
BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, SRATIONAL = 1, 2, 3, 4, 5, 7, 10


def sample16(y, x, c):
    return (701 * x + 1303 * y + 2909 * c) % 65536


def pack_bits(values, bits):
    """Numbers packed from the most significant bit on, padded to a byte."""
    text = "".join(format(value, f"0{bits}b") for value in values)
    text += "0" * (-len(text) % 8)
    return bytes(int(text[i:i + 8], 2) for i in range(0, len(text), 8))


class TIFF:
    """A TIFF or BigTIFF with directories, strips and tiles."""

    def __init__(self, order="<", big=False):
        self.order, self.big = order, big
        self.data = bytearray(b"II" if order == "<" else b"MM")
        self.data += struct.pack(order + ("HHHQ" if big else "HI"), *((43, 8, 0, 0) if big else (42, 0)))

    def pack(self, kind, values):
        if kind == ASCII:
            return values.encode() + b"\0"
        if kind in (BYTE, UNDEFINED):
            return bytes(values)
        if kind in (RATIONAL, SRATIONAL):
            code = "I" if kind == RATIONAL else "i"
            return b"".join(struct.pack(self.order + 2 * code, *value) for value in values)
        return struct.pack(self.order + str(len(values)) + {SHORT: "H", LONG: "I"}[kind], *values)

    def append(self, block):
        self.data += b"\0" * (len(self.data) % 2)
        self.data += block
        return len(self.data) - len(block)

    def directory(self, tags):
        """Writes {tag: (type, values)} and returns the offset of the directory."""
        size = 8 if self.big else 4
        entries = b""
        for tag, (kind, values) in sorted(tags.items()):
            block = self.pack(kind, values)
            count = len(block) // {SHORT: 2, LONG: 4, RATIONAL: 8, SRATIONAL: 8}.get(kind, 1)
            if len(block) <= size:
                field = block.ljust(size, b"\0")
            else:
                field = struct.pack(self.order + ("Q" if self.big else "I"), self.append(block))
            entries += struct.pack(self.order + ("HHQ" if self.big else "HHI"), tag, kind, count) + field
        head = struct.pack(self.order + ("Q" if self.big else "H"), len(tags))
        return self.append(head + entries + b"\0" * size)

    def finish(self, name, tags):
        offset = self.directory(tags)
        struct.pack_into(self.order + ("Q" if self.big else "I"), self.data, 8 if self.big else 4, offset)
        with open(os.path.join(FOLDER, name), "wb") as file:
            file.write(self.data)


def tags(bits, channels, photometric, sample_format=1, **more):
    result = {
        256: (LONG, [WIDTH]), 257: (LONG, [HEIGHT]), 258: (SHORT, [bits] * channels), 259: (SHORT, [1]),
        262: (SHORT, [photometric]), 277: (SHORT, [channels]), 278: (LONG, [HEIGHT]),
        339: (SHORT, [sample_format] * channels),
    }
    result.update({int(key[1:]): value for key, value in more.items()})
    return result


def rows(convert, channels):
    return [[convert(y, x, c) for x in range(WIDTH) for c in range(channels)] for y in range(HEIGHT)]


def one_strip(name, tiff, entries, block, compress=False):
    if compress:
        block = zlib.compress(block, 9)
        entries[259] = (SHORT, [8])
    entries[273] = (LONG, [tiff.append(block)])
    entries[279] = (LONG, [len(block)])
    tiff.finish(name, entries)


def plain_tiffs():
    def upper8(y, x, c): return sample16(y, x, c) >> 8
    grey8 = b"".join(bytes(row) for row in rows(upper8, 1))
    rgb8 = b"".join(bytes(row) for row in rows(upper8, 3))
    one_strip("grey8.tif", TIFF(), tags(8, 1, 1), grey8)
    one_strip("grey8-0-is-white.tif", TIFF(), tags(8, 1, 0), bytes(255 - value for value in grey8))
    one_strip("rgb8-bigtiff-deflate.tif", TIFF(big=True), tags(8, 3, 2), rgb8, compress=True)
    one_strip("cmyk8.tif", TIFF(), tags(8, 4, 5), bytes(4 * WIDTH * HEIGHT))
    one_strip("int16-signed.tif", TIFF(), tags(16, 1, 1, sample_format=2), bytes(2 * WIDTH * HEIGHT))
    for order, name in (("<", "rgb16-little.tif"), (">", "rgb16-big.tif")):
        block = b"".join(struct.pack(order + f"{3 * WIDTH}H", *row) for row in rows(sample16, 3))
        one_strip(name, TIFF(order), tags(16, 3, 2), block)
    packed = b"".join(pack_bits(row, 12) for row in rows(lambda y, x, c: sample16(y, x, c) >> 4, 1))
    one_strip("grey12-packed.tif", TIFF(), tags(12, 1, 1), packed)
    palette = [(index * factor % 256) * 257 for factor in (3, 5, 7) for index in range(256)]
    one_strip("palette8.tif", TIFF(), tags(8, 1, 3, t320=(SHORT, palette)), grey8)
    for name, bad in (("grey-float.tif", None), ("grey-float-nan.tif", float("nan"))):
        values = [sample16(y, x, 0) / 65535 * 8 - 1 for y in range(HEIGHT) for x in range(WIDTH)]
        values[5] = values[5] if bad is None else bad
        one_strip(name, TIFF(), tags(32, 1, 1, sample_format=3), struct.pack(f"<{len(values)}f", *values))


def tiled_tiff():
    tiff, offsets = TIFF(), []
    for top in range(0, HEIGHT, 16):
        for left in range(0, WIDTH, 16):
            pixels = [(y, x) for y in range(top, top + 16) for x in range(left, left + 16)]
            tile = bytes(sample16(y, x, c) >> 8 for y, x in pixels for c in range(3))
            offsets.append(tiff.append(tile))
    entries = tags(8, 3, 2, t322=(LONG, [16]), t323=(LONG, [16]))
    del entries[278]
    entries[324] = (LONG, offsets)
    entries[325] = (LONG, [768] * len(offsets))
    tiff.finish("rgb8-tiled.tif", entries)


def planar_tiff():
    """Premultiplied alpha, separate planes, turned, with camera data."""
    tiff, offsets = TIFF(">"), []
    for c in range(4):
        plane = [sample16(y, x, c) for y in range(HEIGHT) for x in range(WIDTH)]
        offsets.append(tiff.append(struct.pack(f">{len(plane)}H", *plane)))
    exif = tiff.directory({
        33434: (RATIONAL, [(1, 250)]), 33437: (RATIONAL, [(28, 10)]), 34855: (SHORT, [1600]),
        36867: (ASCII, "2024:05:31 17:02:09"), 42036: (ASCII, "Lens 50mm"),
    })
    entries = tags(16, 4, 2, t284=(SHORT, [2]), t338=(SHORT, [1]), t274=(SHORT, [6]), t271=(ASCII, "Maker"),
                   t272=(ASCII, "Model 1"), t34665=(LONG, [exif]), t34675=(UNDEFINED, list(range(200))))
    entries[273] = (LONG, offsets)
    entries[279] = (LONG, [2 * WIDTH * HEIGHT] * 4)
    tiff.finish("rgba16-planar-camera.tif", entries)


def dng():
    """A mosaic of one grey level but for a bright first quadrant, to be turned by 90 degrees."""
    width, height, tiff = 64, 48, TIFF()
    mosaic = [12000 if x < 32 and y < 24 else 3000 for y in range(height) for x in range(width)]
    block = struct.pack(f"<{len(mosaic)}H", *mosaic)
    entries = {
        254: (LONG, [0]), 256: (LONG, [width]), 257: (LONG, [height]), 258: (SHORT, [16]), 259: (SHORT, [1]),
        262: (SHORT, [32803]), 271: (ASCII, "Maker"), 272: (ASCII, "Model 1"), 274: (SHORT, [6]), 277: (SHORT, [1]),
        278: (LONG, [height]), 284: (SHORT, [1]), 273: (LONG, [tiff.append(block)]), 279: (LONG, [len(block)]),
        33421: (SHORT, [2, 2]), 33422: (BYTE, [0, 1, 1, 2]), 50706: (BYTE, [1, 4, 0, 0]), 50707: (BYTE, [1, 1, 0, 0]),
        50708: (ASCII, "Maker Model 1"), 50714: (SHORT, [0]), 50717: (LONG, [16383]),
        50721: (SRATIONAL, [(int(v * 10000), 10000) for v in
                            (3.2406, -1.5372, -0.4986, -0.9689, 1.8758, 0.0415, 0.0557, -0.2040, 1.0570)]),
        50728: (RATIONAL, [(1, 1)] * 3), 50778: (SHORT, [21]),
    }
    tiff.finish("mosaic.dng", entries)


def half_copied():
    """What a camera file looks like while it is copied: the thumbnail is there, the sensor data are not."""
    entries = tags(8, 1, 1, t254=(LONG, [1]), t271=(ASCII, "Maker"), t330=(LONG, [100000]))
    one_strip("half-copied.nef", TIFF(), entries, bytes(WIDTH * HEIGHT))


def jpegs():
    try:
        from PIL import Image
    except ImportError:
        print("Pillow is missing: the JPEGs stay as they are")
        return
    image = Image.new("RGB", (48, 32))
    image.putdata([(5 * x, 7 * y, 3 * (x + y)) for y in range(32) for x in range(48)])
    image.save(os.path.join(FOLDER, "rgb.jpg"), quality=95, subsampling=0)
    image.save(os.path.join(FOLDER, "rgb-progressive.jpg"), quality=95, progressive=True)
    image.convert("L").save(os.path.join(FOLDER, "grey.jpg"), quality=95)
    image.convert("CMYK").save(os.path.join(FOLDER, "cmyk.jpg"), quality=95)


if __name__ == "__main__":
    os.makedirs(FOLDER, exist_ok=True)
    plain_tiffs()
    tiled_tiff()
    planar_tiff()
    dng()
    half_copied()
    jpegs()
