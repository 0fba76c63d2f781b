"""Makes the image files that the decoders are tested with, the same ones for the same arguments.

make_images.py kinds FOLDER          one file of every kind that resflow reads
make_images.py broken FOLDER COUNT   COUNT truncated and damaged variants of files of many kinds, and a quarter more of WebP
"""
import io
import os
import random
import struct
import sys
import zlib

from PIL import Image

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def picture(width, height, seed):
    """Smooth colours with some noise and hard edges, so that all parts of a decoder have work."""
    rng = random.Random(seed)
    small = Image.new("RGB", (5, 4))
    small.putdata([tuple(rng.randrange(256) for _ in range(3)) for _ in range(20)])
    image = small.resize((width, height), Image.Resampling.BICUBIC)
    for _ in range(6):
        x, y = rng.randrange(width), rng.randrange(height)
        box = (x, y, min(width, x + 1 + rng.randrange(width)), min(height, y + 1 + rng.randrange(height)))
        if rng.random() < 0.5:
            image.paste(tuple(rng.randrange(256) for _ in range(3)), box)
    return image


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def filtered(rows, pixel_bytes, rng):
    """The rows, each with a filter drawn at random."""
    out = bytearray()
    before = bytes(len(rows[0])) if rows else b""
    for row in rows:
        kind = rng.randrange(5)
        out.append(kind)
        for i, value in enumerate(row):
            a = row[i - pixel_bytes] if i >= pixel_bytes else 0
            b = before[i]
            c = before[i - pixel_bytes] if i >= pixel_bytes else 0
            p = a + b - c
            paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            out.append((value - (0, a, b, (a + b) // 2, paeth)[kind]) & 255)
        before = row
    return bytes(out)


def png(width, height, depth, colour, interlaced, seed, extra=b"", palette_size=None, idat_bytes=1000):
    """A PNG of random pixels."""
    rng = random.Random(seed)
    channels = CHANNELS[colour]
    limit = 1 << depth
    if colour == 3 and palette_size is None:
        palette_size = limit
    # Small values too: 16-bit grey is clipped at 255.
    value = (lambda: rng.randrange(rng.choice([limit, min(limit, 400)]))) if colour != 3 else (
        lambda: rng.randrange(limit))
    pixels = [[[value() for _ in range(channels)] for _ in range(width)] for _ in range(height)]

    def packed(row):
        if depth == 16:
            return b"".join(struct.pack(">H", v) for p in row for v in p)
        if depth == 8:
            return bytes(v for p in row for v in p)
        out, bits, filled = bytearray(), 0, 0
        for (v,) in row:
            bits, filled = bits << depth | v, filled + depth
            if filled == 8:
                out.append(bits)
                bits, filled = 0, 0
        if filled:
            out.append(bits << (8 - filled))
        return bytes(out)

    pixel_bytes = max(1, channels * depth // 8)
    data = b""
    for left, top, dx, dy in PASSES if interlaced else [(0, 0, 1, 1)]:
        rows = [packed(row[left::dx]) for row in pixels[top::dy]]
        if rows and rows[0]:
            data += filtered(rows, pixel_bytes, rng)
    data = zlib.compress(data)
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced))
    if colour == 3:
        out += chunk(b"PLTE", bytes(rng.randrange(256) for _ in range(3 * palette_size)))
    out += extra
    for at in range(0, len(data), idat_bytes):
        out += chunk(b"IDAT", data[at : at + idat_bytes])
    return out + chunk(b"IEND", b"")


def jpeg(image, **options):
    to = io.BytesIO()
    image.save(to, "JPEG", **options)
    return to.getvalue()


def webp(image, **options):
    to = io.BytesIO()
    image.save(to, "WEBP", **options)
    return to.getvalue()


def with_alpha(image, seed):
    """Clear, half clear and opaque parts; the colours of the clear ones are not zero."""
    rng = random.Random(seed)
    alpha = Image.new("L", image.size)
    alpha.putdata([rng.choice([0, 0, 128, 255]) for _ in range(image.width * image.height)])
    image = image.convert("RGBA")
    image.putalpha(alpha)
    return image


def kinds():
    for depth, colour in [(1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (8, 2), (16, 2), (1, 3), (2, 3), (4, 3), (8, 3),
                          (8, 4), (16, 4), (8, 6), (16, 6)]:
        for interlaced in (0, 1):
            for width, height in [(1, 1), (2, 3), (5, 4), (9, 8), (33, 21)]:
                yield (f"png-{depth}bit-type{colour}-interlace{interlaced}-{width}x{height}.png",
                       png(width, height, depth, colour, interlaced, seed=depth * 100 + colour * 10 + width))
    for name, depth, colour, content in [("palette-one-clear", 8, 3, b"\xff\xff\x00"), ("palette-alpha", 8, 3, b"\x10\x80"),
                                         ("grey", 8, 0, b"\x00\x11"), ("grey1", 1, 0, b"\x00\x01"),
                                         ("grey16", 16, 0, b"\x01\x00"), ("rgb", 8, 2, b"\x00\x01\x00\x02\x00\x03"),
                                         ("rgb16", 16, 2, b"\x00\x01\x00\x02\x00\x03")]:
        yield f"png-transparent-{name}.png", png(19, 13, depth, colour, 0, 5, chunk(b"tRNS", content))
    yield "png-short-palette.png", png(19, 13, 8, 3, 0, 6, palette_size=100)
    yield "png-gamma.png", png(19, 13, 8, 2, 0, 7, chunk(b"gAMA", struct.pack(">I", 100000)))
    yield "png-text-private.png", png(19, 13, 8, 2, 0, 8, chunk(b"tEXt", b"Title\0x") + chunk(b"prVt", b"123"))
    for number, extra in enumerate([b"", b"\xff\xd9", b"trailing bytes"]):
        yield f"png-trailing{number}.png", png(9, 9, 8, 2, 0, 9) + extra
    yield "png-large.png", png(301, 205, 8, 2, 0, 10, idat_bytes=8192)

    for width, height in [(1, 1), (7, 9), (16, 16), (17, 33), (97, 61), (250, 187)]:
        image = picture(width, height, width)
        for subsampling in (0, 1, 2):
            for progressive in (False, True):
                kind = "progressive" if progressive else "baseline"
                yield (f"jpeg-{kind}-sub{subsampling}-{width}x{height}.jpg",
                       jpeg(image, quality=85, subsampling=subsampling, progressive=progressive))
        yield f"jpeg-grey-{width}x{height}.jpg", jpeg(image.convert("L"), quality=80)
        yield f"jpeg-grey-progressive-{width}x{height}.jpg", jpeg(image.convert("L"), progressive=True)
        yield f"jpeg-cmyk-{width}x{height}.jpg", jpeg(image.convert("CMYK"), quality=90)
    image = picture(120, 90, 1)
    yield "jpeg-low-quality.jpg", jpeg(image, quality=3)
    yield "jpeg-high-quality.jpg", jpeg(image, quality=100)
    yield "jpeg-optimized.jpg", jpeg(image, optimize=True)
    yield "jpeg-exif.jpg", jpeg(image, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0")
    yield "jpeg-trailing.jpg", jpeg(image) + b"trailing bytes"
    for width, height in [(1, 1), (7, 9), (17, 33), (250, 187)]:
        image = picture(width, height, width)
        for name, options in [("lossy", {"quality": 70}), ("lossy-best", {"quality": 100, "method": 6}),
                              ("lossless", {"lossless": True}), ("exact", {"lossless": True, "exact": True})]:
            yield f"webp-{name}-{width}x{height}.webp", webp(image, **options)
            yield f"webp-{name}-alpha-{width}x{height}.webp", webp(with_alpha(image, 3), **options)
        frames = [picture(width, height, seed) for seed in (1, 2)]
        yield f"webp-animation-{width}x{height}.webp", webp(with_alpha(image, 4), save_all=True, append_images=frames)
        yield f"webp-exif-{width}x{height}.webp", webp(image, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0")
    yield "jpeg-no-end-marker.jpg", jpeg(image)[:-2]
    yield "jpeg-half-end-marker.jpg", jpeg(image)[:-1]


def broken(count):
    all_kinds = list(kinds())
    yield from broken_of([kind for kind in all_kinds if not kind[0].startswith("webp")], 0, count, random.Random(20))
    yield from broken_of([kind for kind in all_kinds if kind[0].startswith("webp")], count, count // 4, random.Random(21))


def broken_of(whole, first, count, rng):
    sources = [(name, content) for name, content in whole
               if 100 < len(content) and "1x1" not in name and "2x3" not in name and "5x4" not in name]
    for number in range(first, first + count):
        name, content = rng.choice(sources)
        damaged = bytearray(content)
        if rng.random() < 0.4:
            del damaged[rng.randrange(len(damaged)):]
        else:
            for _ in range(rng.choice([1, 1, 2, 5])):
                damaged[rng.randrange(len(damaged))] = rng.choice([0, 255, 0xD9, rng.randrange(256)])
        # A checksum that fits lets damage through to the decoder.
        if name.startswith("png") and rng.random() < 0.5:
            repaired, at = damaged[:8], 8
            while at + 12 <= len(damaged):
                (length,) = struct.unpack(">I", damaged[at : at + 4])
                if at + 12 + length > len(damaged):
                    break
                repaired += chunk(bytes(damaged[at + 4 : at + 8]), bytes(damaged[at + 8 : at + 8 + length]))
                at += 12 + length
            damaged = repaired + damaged[at:]
        yield f"{number:05d}-{name}", bytes(damaged)


def write_all(folder, files):
    os.makedirs(folder, exist_ok=True)
    for name, content in files:
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content)


if __name__ == "__main__":
    write_all(sys.argv[2], kinds() if sys.argv[1] == "kinds" else broken(int(sys.argv[3])))
