"""Makes TIFF files of every kind, the same ones for the same arguments.

make_tiffs.py kinds FOLDER          one file of every kind that resflow reads
make_tiffs.py meant FOLDER          pairs of files with the same pixels: NAME-a.tif is one that Pillow 9.4 mixes up
make_tiffs.py refused FOLDER        files of kinds that neither resflow nor Pillow reads
make_tiffs.py cut FOLDER COUNT      COUNT truncated files, whose directory stands before the pixels
make_tiffs.py damaged FOLDER COUNT  COUNT files with bytes that are wrong
"""
import io
import random
import struct
import sys
import zlib

from PIL import Image

from make_images import picture, write_all

NONE, LZW, JPEG, DEFLATE, PACKBITS, OLD_DEFLATE = 1, 5, 7, 8, 32773, 32946
NAMES = {NONE: "raw", LZW: "lzw", DEFLATE: "deflate", PACKBITS: "packbits", OLD_DEFLATE: "old-deflate", JPEG: "jpeg"}
GREY0, GREY, RGB, PALETTE, CMYK, YCBCR, LAB = 0, 1, 2, 3, 5, 6, 8


def lzw(data):
    """Valid, and no smaller: a clear code before the table grows out of 9 bits."""
    bits, filled, out = 0, 0, bytearray()
    codes = []
    for at in range(0, len(data), 250):
        codes += [256] + list(data[at : at + 250])
    for code in codes + [257]:
        bits, filled = bits << 9 | code, filled + 9
        while filled >= 8:
            filled -= 8
            out.append(bits >> filled & 255)
    if filled:
        out.append(bits << (8 - filled) & 255)
    return bytes(out)


def packbits(row):
    out = bytearray()
    at = 0
    while at < len(row):
        run = 1
        while at + run < len(row) and run < 128 and row[at + run] == row[at]:
            run += 1
        if run > 1:
            out += bytes([257 - run, row[at]])
        else:
            out += bytes([0, row[at]])
        at += run
    return bytes(out)


def jpeg(rows, channels, **options):
    width, height = len(rows[0]) // channels, len(rows)
    image = Image.frombytes({1: "L", 3: "RGB", 4: "CMYK"}[channels], (width, height), b"".join(bytes(r) for r in rows))
    to = io.BytesIO()
    image.save(to, "JPEG", **options)
    return to.getvalue()


def reverse_bits(data):
    return bytes(int(f"{b:08b}"[::-1], 2) for b in data)


def pack(row, bits, endian):
    """Samples as bytes; those below 8 bits, and of 12, from the highest bit down."""
    if bits in (8, 16, 32, 64):
        return struct.pack(f"{endian}{len(row)}" + {8: "B", 16: "H", 32: "I", 64: "Q"}[bits], *row)
    text = "".join(f"{v:0{bits}b}" for v in row)
    text += "0" * (-len(text) % 8)
    return bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8))


def encode(rows, bits, stride, endian, compression, predictor, fill_order, jpeg_options):
    if compression == JPEG:
        return jpeg(rows, stride, **jpeg_options)
    if predictor == 2:
        rows = [[(v - (row[i - stride] if i >= stride else 0)) % (1 << bits) for i, v in enumerate(row)] for row in rows]
    packed = [pack(row, bits, endian) for row in rows]
    if compression == PACKBITS:
        data = b"".join(packbits(row) for row in packed)
    else:
        data = b"".join(packed)
        data = {NONE: lambda: data, LZW: lambda: lzw(data), DEFLATE: lambda: zlib.compress(data),
                OLD_DEFLATE: lambda: zlib.compress(data)}[compression]()
    return reverse_bits(data) if fill_order == 2 else data


def units(rows, h, v):
    """YCbCr rows of triples as TIFF stores them where colour is subsampled: h x v times Y, Cb, Cr."""
    width, height = len(rows[0]) // 3, len(rows)
    out = []
    for top in range(0, height, v):
        line = []
        for left in range(0, width, h):
            for y in range(top, top + v):
                for x in range(left, left + h):
                    line.append(rows[min(y, height - 1)][3 * min(x, width - 1)])
            line += rows[top][3 * left + 1 : 3 * left + 3]
        out.append(line)
    return out


TYPES = {"H": 3, "I": 4, "Q": 16, "B": 1}


def tiff(rows, width, bits=8, samples=3, photometric=RGB, endian="<", big=False, planar=1, compression=NONE, tile=None,
         rows_per_strip=8, extra=None, sample_format=None, fill_order=1, predictor=1, palette=None, subsampling=None,
         orientation=None, directory_last=False, leave_out=(), more=(), jpeg_options=None, second=False):
    """rows: of samples, a pixel's side by side. more: (tag, type letter, values)"""
    height = len(rows)
    jpeg_options = jpeg_options or {"quality": 90}
    stride = samples if planar == 1 else 1
    blocks = []
    for plane in range(samples if planar == 2 else 1):
        part = rows if planar == 1 else [row[plane::samples] for row in rows]
        if tile:
            for top in range(0, height, tile[1]):
                for left in range(0, width, tile[0]):
                    block = []
                    for y in range(top, top + tile[1]):
                        row = part[y][left * stride : (left + tile[0]) * stride] if y < height else []
                        block.append(list(row) + [0] * (tile[0] * stride - len(row)))
                    blocks.append(block)
        else:
            blocks += [part[top : top + rows_per_strip] for top in range(0, height, rows_per_strip)]
    if subsampling and compression != JPEG and planar == 1:
        blocks = [units(block, *subsampling) for block in blocks]
    blocks = [encode(b, bits, stride, endian, compression, predictor, fill_order, jpeg_options) for b in blocks]

    def entries(offsets):
        tags = {256: ("I", [width]), 257: ("I", [height]), 258: ("H", [bits] * samples), 259: ("H", [compression]),
                262: ("H", [photometric]), 277: ("H", [samples])}
        if tile:
            tags.update({322: ("I", [tile[0]]), 323: ("I", [tile[1]]), 324: ("I", offsets), 325: ("I", [len(b) for b in blocks])})
        else:
            tags.update({273: ("I", offsets), 278: ("I", [rows_per_strip]), 279: ("I", [len(b) for b in blocks])})
        if fill_order != 1:
            tags[266] = ("H", [fill_order])
        if orientation:
            tags[274] = ("H", [orientation])
        if planar != 1:
            tags[284] = ("H", [planar])
        if predictor != 1:
            tags[317] = ("H", [predictor])
        if palette:
            tags[320] = ("H", palette)
        if extra:
            tags[338] = ("H", list(extra))
        if sample_format:
            tags[339] = ("H", [sample_format] * samples)
        if subsampling:
            tags[530] = ("H", list(subsampling))
        for tag, kind, values in more:
            tags[tag] = (kind, values)
        return sorted((tag, *value) for tag, value in tags.items() if tag not in leave_out)

    head, word, inline, entry = (16, "Q", 8, 20) if big else (8, "I", 4, 12)

    def directory(at, offsets, following=0):
        listed = entries(offsets)
        out = struct.pack(endian + ("Q" if big else "H"), len(listed))
        aside = at + len(out) + entry * len(listed) + inline
        values_aside = b""
        for tag, kind, values in listed:
            data = struct.pack(f"{endian}{len(values)}{kind}", *values)
            out += struct.pack(endian + "HH" + word, tag, TYPES[kind], len(values))
            if len(data) <= inline:
                out += data.ljust(inline, b"\0")
            else:
                out += struct.pack(endian + word, aside + len(values_aside))
                values_aside += data + b"\0" * (len(data) % 2)
        return out + struct.pack(endian + word, following) + values_aside

    pixels = b"".join(blocks)
    directory_bytes = len(directory(head, [0] * len(blocks)))
    pixels_at = head if directory_last else head + directory_bytes
    offsets = []
    for block in blocks:
        offsets.append(pixels_at + sum(len(b) for b in blocks[: len(offsets)]))
    directory_at = head + len(pixels) if directory_last else head
    order = b"II" if endian == "<" else b"MM"
    start = struct.pack(endian + "HHHQ", 43, 8, 0, directory_at) if big else struct.pack(endian + "HI", 42, directory_at)
    parts = directory(directory_at, offsets, head + directory_bytes + len(pixels) if second else 0)
    whole = order + start + (pixels + parts if directory_last else parts + pixels)
    if second:  # a picture of one white pixel
        whole += struct.pack(endian + "H", 7)
        for tag, value in [(256, 1), (257, 1), (258, 8), (259, 1), (262, 1), (273, 8), (279, 1)]:
            whole += struct.pack(endian + "HHII", tag, 4, 1, value)
        whole += struct.pack(endian + "I", 0)
    return whole


def noise(rng, width, height, samples, bits):
    """Small values too: what has more than 8 bits is often clipped."""
    top = 1 << bits
    return [[rng.randrange(rng.choice([top, min(top, 300)])) for _ in range(width * samples)] for _ in range(height)]


def smooth(width, height, mode="RGB"):
    data = picture(width, height, width).convert(mode).tobytes()
    size = len(data) // height
    return [list(data[y * size : (y + 1) * size]) for y in range(height)]


def floats(rng, width, height):
    values = [-1e9, -0.5, 0.0, 0.49, 0.99, 1.0, 100.5, 254.9999, 255.0, 256.0, 1e20, float("inf"), float("-inf")]
    as_int = [struct.unpack("<I", struct.pack("<f", v))[0] for v in values]
    return [[rng.choice(as_int) for _ in range(width)] for _ in range(height)]


SIZES = [(1, 1), (7, 5), (33, 21)]
COLOURS = [("rgb", RGB, 3, 8, ()), ("rgb16", RGB, 3, 16, ()), ("rgba", RGB, 4, 8, (2,)), ("rgbx", RGB, 4, 8, (0,)),
           ("premultiplied", RGB, 4, 8, (1,)), ("premultiplied16", RGB, 4, 16, (1,)), ("rgba16", RGB, 4, 16, (2,)),
           ("rgbx16", RGB, 4, 16, (0,)), ("cmyk", CMYK, 4, 8, ())]
MORE_COLOURS = [("rgb4-untold", RGB, 4, 8, None), ("rgb4-corel", RGB, 4, 8, (999,)), ("rgb5", RGB, 5, 8, (0, 0)),
                ("rgb5-alpha", RGB, 5, 8, (2, 0)), ("rgb5-premultiplied", RGB, 5, 8, (1, 0)), ("rgb6", RGB, 6, 8, (0, 0, 0)),
                ("rgb6-alpha", RGB, 6, 8, (2, 0, 0)), ("rgb6-premultiplied", RGB, 6, 8, (1, 0, 0)),
                ("cmyk5", CMYK, 5, 8, (0,)), ("cmyk6", CMYK, 6, 8, (0, 0)), ("grey-alpha", GREY, 2, 8, (2,))]


def kinds():
    rng = random.Random(40)
    for width, height in SIZES:
        size = f"{width}x{height}"
        for endian in "<>":
            order = "little" if endian == "<" else "big"
            for photometric in (GREY0, GREY, PALETTE):
                for bits in (1, 2, 4, 8):
                    palette = [rng.randrange(65536) for _ in range(3 << bits)] if photometric == PALETTE else None
                    for fill_order in (1, 2):
                        for compression in (NONE, DEFLATE, PACKBITS):
                            # Uncompressed, Pillow knows some of them in one order of bits alone.
                            if compression == NONE and fill_order == 2 and (
                                    photometric == PALETTE and bits < 8 or photometric == GREY0 and bits == 8):
                                continue
                            yield (f"tiff-{order}-{('white0', 'black0', '', 'palette')[photometric]}-{bits}bit-fill{fill_order}-"
                                   f"{NAMES[compression]}-{size}.tif",
                                   tiff(noise(rng, width, height, 1, bits), width, bits, 1, photometric, endian, palette=palette,
                                        fill_order=fill_order, compression=compression))
            for compression in (NONE, LZW):
                name = f"{order}-{NAMES[compression]}-{size}.tif"
                yield f"tiff-grey16-{name}", tiff(noise(rng, width, height, 1, 16), width, 16, 1, GREY, endian,
                                                  compression=compression)
                yield f"tiff-signed16-{name}", tiff(noise(rng, width, height, 1, 16), width, 16, 1, GREY, endian,
                                                    sample_format=2, compression=compression)
                if endian == "<":
                    yield f"tiff-grey12-{name}", tiff(noise(rng, width, height, 1, 12), width, 12, 1, GREY, compression=compression)
                    yield f"tiff-grey16-white0-{name}", tiff(noise(rng, width, height, 1, 16), width, 16, 1, GREY0,
                                                             compression=compression)
                    yield f"tiff-grey16-fill2-{name}", tiff(noise(rng, width, height, 1, 16), width, 16, 1, GREY, fill_order=2,
                                                            compression=compression)
                    yield f"tiff-grey32-{name}", tiff(noise(rng, width, height, 1, 32), width, 32, 1, GREY, compression=compression)
                    yield f"tiff-cmyk16-{name}", tiff(noise(rng, width, height, 4, 16), width, 16, 4, CMYK, compression=compression)
                if endian == "<" or compression == NONE:
                    yield f"tiff-signed32-{name}", tiff(noise(rng, width, height, 1, 32), width, 32, 1, GREY, endian,
                                                        sample_format=2, compression=compression)
                    for photometric in (GREY0, GREY):
                        yield f"tiff-float-{photometric}-{name}", tiff(floats(rng, width, height), width, 32, 1, photometric, endian,
                                                                       sample_format=3, compression=compression)
            for name, photometric, samples, bits, extra in COLOURS + MORE_COLOURS:
                rows = noise(rng, width, height, samples, bits)
                yield f"tiff-{name}-{order}-{size}.tif", tiff(rows, width, bits, samples, photometric, endian, extra=extra)
                yield f"tiff-{name}-{order}-lzw-{size}.tif", tiff(rows, width, bits, samples, photometric, endian, extra=extra,
                                                                  compression=LZW)
            yield f"tiff-palette-alpha-{order}-{size}.tif", tiff(
                noise(rng, width, height, 2, 8), width, 8, 2, PALETTE, endian, extra=(2,), compression=DEFLATE,
                palette=[rng.randrange(65536) for _ in range(768)])
        for name, photometric, samples, bits, extra in COLOURS:
            rows = noise(rng, width, height, samples, bits)
            for tile in (None, (16, 16), (32, 16), (48, 32)):
                layout = f"tiles{tile[0]}x{tile[1]}" if tile else "strips"
                for compression in (NONE, LZW, DEFLATE, PACKBITS):
                    for planar in (1, 2):
                        # Uncompressed, Pillow reads planes of 8 bits, and knows no premultiplied ones.
                        if planar == 2 and compression == NONE and (bits == 16 or name == "premultiplied"):
                            continue
                        yield (f"tiff-{name}-{layout}-planar{planar}-{NAMES[compression]}-{size}.tif",
                               tiff(rows, width, bits, samples, photometric, planar=planar, extra=extra, tile=tile,
                                    compression=compression, endian=rng.choice("<>") if planar == 1 else "<"))
            for predictor_of in (LZW, DEFLATE, OLD_DEFLATE):
                for planar in (1, 2):
                    yield (f"tiff-{name}-predictor-planar{planar}-{NAMES[predictor_of]}-{size}.tif",
                           tiff(rows, width, bits, samples, photometric, planar=planar, extra=extra, compression=predictor_of, predictor=2))
        for h, v in [(1, 1), (2, 1), (1, 2), (2, 2), (4, 2), (4, 4)]:
            rows = smooth(width, height, "YCbCr")
            for compression in (LZW, DEFLATE):
                for tile in (None, (16, 16)):
                    yield (f"tiff-ycbcr{h}{v}-{'tiles' if tile else 'strips'}-{NAMES[compression]}-{size}.tif",
                           tiff(rows, width, photometric=YCBCR, subsampling=(h, v), compression=compression, tile=tile))
        yield f"tiff-ycbcr-planes-{size}.tif", tiff(smooth(width, height, "YCbCr"), width, photometric=YCBCR, subsampling=(1, 1),
                                                    compression=LZW, planar=2)
        for tile in (None, (16, 16)):
            layout = "tiles" if tile else "strips"
            for subsampling, told in [(0, (1, 1)), (1, (2, 1)), (2, (2, 2))]:
                yield f"tiff-jpeg-sub{subsampling}-{layout}-{size}.tif", tiff(
                    smooth(width, height), width, photometric=YCBCR, compression=JPEG, tile=tile, subsampling=told,
                    rows_per_strip=16, jpeg_options={"quality": 85, "subsampling": subsampling})
            yield f"tiff-jpeg-grey-{layout}-{size}.tif", tiff(
                smooth(width, height, "L"), width, 8, 1, GREY, compression=JPEG, tile=tile, rows_per_strip=16)
            yield f"tiff-jpeg-planes-{layout}-{size}.tif", tiff(
                smooth(width, height), width, compression=JPEG, tile=tile, planar=2, rows_per_strip=16)
            yield f"tiff-jpeg-ycbcr-as-rgb-{layout}-{size}.tif", tiff(
                smooth(width, height), width, compression=JPEG, tile=tile, rows_per_strip=16, jpeg_options={"subsampling": 0})
            yield f"tiff-jpeg-cmyk-{layout}-{size}.tif", tiff(
                smooth(width, height, "CMYK"), width, 8, 4, CMYK, compression=JPEG, tile=tile, rows_per_strip=16)
    width, height = 33, 21
    for orientation in range(0, 10):
        yield f"tiff-orientation{orientation}.tif", tiff(smooth(width, height), width, orientation=orientation)
        yield f"tiff-orientation{orientation}-lzw.tif", tiff(smooth(width, height), width, orientation=orientation,
                                                             compression=LZW, endian=">")
        yield f"tiff-orientation{orientation}-tiles.tif", tiff(smooth(width, height, "L"), width, 8, 1, GREY, tile=(16, 16),
                                                               orientation=orientation, compression=DEFLATE)
        yield f"tiff-orientation{orientation}-jpeg.tif", tiff(
            smooth(width, height), width, photometric=YCBCR, compression=JPEG, subsampling=(1, 1), rows_per_strip=16,
            orientation=orientation, jpeg_options={"subsampling": 0})
    yield "tiff-big.tif", tiff(smooth(width, height), width, big=True)
    yield "tiff-big-lzw-orientation6.tif", tiff(smooth(width, height), width, big=True, compression=LZW, orientation=6)
    for name, options in [("one-strip", {"rows_per_strip": 2**32 - 1}), ("row-strips", {"rows_per_strip": 1}),
                          ("directory-last", {"directory_last": True}), ("two-pictures", {"second": True})]:
        yield f"tiff-{name}.tif", tiff(smooth(width, height), width, **options)
        yield f"tiff-{name}-lzw.tif", tiff(smooth(width, height), width, compression=LZW, **options)
    yield "tiff-no-rows-per-strip.tif", tiff(smooth(width, height), width, rows_per_strip=height, leave_out=(278,))
    yield "tiff-more-tags.tif", tiff(smooth(width, height), width, more=[(270, "B", list(b"words\0")), (65000, "H", [1, 2, 3]),
                                                                         (282, "I", [72])])
    yield "tiff-old-palette.tif", tiff(noise(random.Random(1), width, height, 1, 8), width, 8, 1, PALETTE,
                                       palette=[v for v in range(256)] * 3)
    image = picture(61, 47, 3)
    for mode, compressions in [("1", ["raw", "group3", "group4", "tiff_ccitt", "packbits"]),
                               ("L", ["jpeg", "lzma", "zstd", "tiff_adobe_deflate"]), ("LA", ["raw", "tiff_lzw"]), ("P", ["lzma", "zstd"]),
                               ("RGB", ["jpeg", "lzma", "zstd", "webp", "tiff_deflate"]), ("RGBA", ["raw", "webp", "zstd"]),
                               ("CMYK", ["jpeg", "raw", "lzma"]), ("I", ["raw", "tiff_lzw"]), ("I;16", ["raw", "tiff_lzw"]),
                               ("F", ["raw", "tiff_lzw"])]:
        for compression in compressions:
            to = io.BytesIO()
            source = image.convert("L").convert("I").convert("I;16") if mode == "I;16" else image.convert(mode)
            source.save(to, "TIFF", compression=compression)
            yield f"tiff-of-pillow-{mode.replace(';', '')}-{compression}.tif", to.getvalue()


def meant():
    """The a of each pair Pillow 9.4 mixes up, the b it reads as it is meant."""
    rng = random.Random(41)
    width, height = 33, 21
    rows = noise(rng, width, height, 3, 16)
    yield "planes16-a.tif", tiff(rows, width, 16, planar=2)
    yield "planes16-b.tif", tiff(rows, width, 16)
    rows = noise(rng, width, height, 4, 8)
    yield "premultiplied-planes-a.tif", tiff(rows, width, 8, 4, planar=2, extra=(1,))
    yield "premultiplied-planes-b.tif", tiff(rows, width, 8, 4, extra=(1,))
    rows = smooth(width, height, "YCbCr")
    yield "ycbcr-a.tif", tiff(rows, width, photometric=YCBCR, subsampling=(2, 2))
    yield "ycbcr-b.tif", tiff(rows, width, photometric=YCBCR, subsampling=(2, 2), compression=LZW)
    rows = noise(rng, width, height, 1, 32)
    yield "signed32-a.tif", tiff(rows, width, 32, 1, GREY, ">", sample_format=2, compression=LZW)
    yield "signed32-b.tif", tiff(rows, width, 32, 1, GREY, ">", sample_format=2)
    rows = floats(rng, width, height)
    yield "float-a.tif", tiff(rows, width, 32, 1, GREY, ">", sample_format=3, compression=LZW)
    yield "float-b.tif", tiff(rows, width, 32, 1, GREY, ">", sample_format=3)
    rows = smooth(width, height, "YCbCr")
    for orientation in (2, 3, 4, 5, 6, 7, 8):
        yield f"ycbcr-orientation{orientation}-a.tif", tiff(rows, width, photometric=YCBCR, subsampling=(1, 1), compression=LZW,
                                                            orientation=orientation)
        yield f"ycbcr-orientation{orientation}-b.tif", tiff(rows, width, photometric=YCBCR, subsampling=(1, 1), compression=LZW)


def refused():
    rng = random.Random(42)
    width, height = 33, 21

    def grey(**options):
        return tiff(noise(rng, width, height, options.get("samples", 1), options.get("bits", 8)), width,
                    **{"samples": 1, "photometric": GREY, **options})

    yield "3-bits.tif", grey(bits=3)
    yield "64-bits.tif", grey(bits=64)
    yield "grey12-big-endian.tif", grey(bits=12, endian=">")
    yield "grey16-white0-big-endian.tif", grey(bits=16, photometric=GREY0, endian=">")
    yield "unsigned32-big-endian.tif", grey(bits=32, endian=">")
    yield "untyped.tif", grey(sample_format=4)
    yield "grey-two-untold.tif", grey(samples=2)
    yield "grey-premultiplied.tif", grey(samples=2, extra=(1,))
    yield "grey-alpha16.tif", grey(samples=2, bits=16, extra=(2,))
    yield "lab16.tif", grey(samples=3, photometric=LAB, bits=16)
    yield "mask.tif", grey(photometric=4)
    yield "camera.tif", grey(photometric=32803)
    yield "photometric-77.tif", grey(photometric=77)
    yield "rgb7.tif", grey(samples=7, photometric=RGB, extra=(0, 0, 0, 0))
    yield "rgb16-5.tif", grey(samples=5, bits=16, photometric=RGB, extra=(0, 0))
    yield "rgb32.tif", grey(samples=3, bits=32, photometric=RGB)
    yield "rgb4bit.tif", grey(samples=3, bits=4, photometric=RGB)
    yield "rgba-fill2.tif", grey(samples=4, photometric=RGB, extra=(2,), fill_order=2)
    yield "ycbcr16.tif", grey(samples=3, bits=16, photometric=YCBCR, compression=LZW)
    yield "lerc.tif", tiff(noise(rng, width, height, 1, 8), width, 8, 1, GREY, more=[(259, "H", [34887])])
    yield "next.tif", tiff(noise(rng, width, height, 1, 2), width, 2, 1, GREY, more=[(259, "H", [32766])])
    yield "compression-99.tif", tiff(noise(rng, width, height, 1, 8), width, 8, 1, GREY, more=[(259, "H", [99])])
    yield "no-width.tif", grey(leave_out=(256,))
    yield "no-strips.tif", grey(leave_out=(273, 279))
    yield "no-tiles.tif", grey(tile=(16, 16), leave_out=(324, 325))
    yield "width-0.tif", grey(more=[(256, "I", [0])])
    yield "not-deflated.tif", tiff(noise(rng, width, height, 1, 8), width, 8, 1, GREY, more=[(259, "H", [8])])
    yield "not-a-jpeg.tif", tiff(noise(rng, width, height, 1, 8), width, 8, 1, GREY, more=[(259, "H", [7])])
    yield "no-directory.tif", b"II*\0\x08\0\0\0"
    yield "directory-outside.tif", b"II*\0\xff\xff\xff\x7f" + b"\0" * 40
    yield "directory-empty.tif", b"II*\0\x08\0\0\0\0\0\0\0\0\0"
    yield "header-alone.tif", b"MM\0*"


def of_many_kinds(directory_last):
    rng = random.Random(43)
    width, height = 33, 21
    for compression in (NONE, LZW, DEFLATE, PACKBITS):
        for tile in (None, (16, 16)):
            for samples, photometric, bits in [(1, GREY, 8), (1, GREY, 1), (3, RGB, 8), (3, RGB, 16), (4, CMYK, 8)]:
                yield tiff(noise(rng, width, height, samples, bits), width, bits, samples, photometric, compression=compression,
                           tile=tile, endian=rng.choice("<>") if bits != 32 else "<", directory_last=directory_last)
    yield tiff(smooth(width, height), width, photometric=YCBCR, compression=JPEG, subsampling=(2, 2), rows_per_strip=16,
               directory_last=directory_last)
    yield tiff(smooth(width, height, "YCbCr"), width, photometric=YCBCR, compression=LZW, subsampling=(2, 2),
               directory_last=directory_last)


def cut(count):
    rng = random.Random(44)
    sources = list(of_many_kinds(False))
    for number in range(count):
        whole = rng.choice(sources)
        yield f"{number:05d}.tif", whole[: rng.randrange(4, len(whole) - 1)]


def damaged(count):
    rng = random.Random(45)
    sources = list(of_many_kinds(False)) + list(of_many_kinds(True))
    for number in range(count):
        content = bytearray(rng.choice(sources))
        for _ in range(rng.choice([1, 1, 2, 5])):
            at = rng.randrange(2, len(content)) if rng.random() < 0.5 else rng.randrange(2, 220)
            content[at] = rng.choice([0, 255, rng.randrange(256), content[at] ^ 1])
        yield f"{number:05d}.tif", bytes(content)


if __name__ == "__main__":
    made = {"kinds": kinds, "meant": meant, "refused": refused, "cut": lambda: cut(int(sys.argv[3])),
            "damaged": lambda: damaged(int(sys.argv[3]))}
    write_all(sys.argv[2], made[sys.argv[1]]())
