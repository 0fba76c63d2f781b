"""Makes BMP and PNM files of every kind, the same ones for the same arguments.

make_bitmaps.py kinds FOLDER          one file of every kind that resflow reads
make_bitmaps.py refused FOLDER        files of kinds that neither resflow nor Pillow reads
make_bitmaps.py broken FOLDER COUNT   COUNT truncated and damaged variants
"""
import io
import random
import struct
import sys

from make_images import picture, write_all

SIZES = [(1, 1), (2, 3), (7, 5), (8, 4), (33, 21)]
MASKS = {"555": (0x7C00, 0x3E0, 0x1F), "565": (0xF800, 0x7E0, 0x1F), "bgr": (0xFF0000, 0xFF00, 0xFF, 0),
         "bgra": (0xFF0000, 0xFF00, 0xFF, 0xFF000000), "xbgr": (0xFF000000, 0xFF0000, 0xFF00, 0),
         "abgr": (0xFF000000, 0xFF0000, 0xFF00, 0xFF), "rgba": (0xFF, 0xFF00, 0xFF0000, 0xFF000000), "none": (0, 0, 0, 0)}


def rows_of(rng, width, height, bits, padding=True):
    stride = (width * bits + 31) // 32 * 4
    rows = bytes(rng.randrange(256) for _ in range(stride * height))
    return rows if padding or not height else rows[: len(rows) - stride + (width * bits + 7) // 8]


def bmp(width, height, bits, pixels, header=40, compression=0, masks=(), palette=b"", colours=0, top_down=False, gap=b"",
        stated_offset=None, reserved=0):
    """masks follow a header of 40 bytes and stand in a longer one; gap is between palette and pixels"""
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        info = struct.pack("<IIiHHIIiiII", header, width, -height if top_down else height, 1, bits, compression,
                           len(pixels), 2835, 2835, colours, 0)
        info += struct.pack("<4I", *(tuple(masks) + (0,) * 4)[:4]) if header > 40 else struct.pack("<3I", *masks[:3]) if masks else b""
        info += b"\0" * (header - len(info))
    offset = 14 + len(info) + len(palette) + len(gap)
    head = b"BM" + struct.pack("<III", offset + len(pixels), reserved, offset if stated_offset is None else stated_offset)
    return head + info + palette + gap + pixels


def random_palette(rng, colours, entry=4):
    return b"".join(bytes(rng.randrange(256) for _ in range(3)) + b"\0" * (entry - 3) for _ in range(colours))


def rle(rng, width, height, four, kinds=("run", "single", "line")):
    """Run-length encoded rows, without jumps and empty rows, which Pillow 9.4 mixes up; starts at an even offset."""
    out = bytearray()
    for _ in range(height):
        x = 0
        while x < width:
            kind, left = rng.choice(kinds), width - x
            if kind == "single" and left >= 4:
                count = rng.randrange(3, min(left, 40) + 1)
                if four:
                    count -= count % 2  # Pillow loses half a byte of an odd count
                    if count < 4:
                        continue
                content = bytes(rng.randrange(256) for _ in range(count // 2 if four else count))
                out += bytes([0, count]) + content + b"\0" * (len(content) % 2)
                x += count
            elif kind == "line" and x > 0 and rng.random() < 0.3:
                break
            else:
                count = rng.randrange(1, min(left, 255) + 1)
                out += bytes([count, rng.randrange(256)])
                x += count
        out += b"\0\0"
    return bytes(out) + b"\0\1"


def bmps():
    rng = random.Random(30)
    for width, height in SIZES:
        size = f"{width}x{height}"
        for bits in (1, 4, 8, 16, 24, 32):
            for header in (12, 40, 64, 108, 124):
                palette = random_palette(rng, 1 << bits, 3 if header == 12 else 4) if bits <= 8 else b""
                # OS/2's palettes are shorter than Pillow thinks when the pixels follow at once.
                gap = b"\0\0" if header == 12 and palette else b""
                yield f"bmp-{bits}bit-header{header}-{size}.bmp", bmp(
                    width, height, bits, rows_of(rng, width, height, bits), header, palette=palette, gap=gap)
            palette = random_palette(rng, 1 << bits) if bits <= 8 else b""
            yield f"bmp-{bits}bit-top-down-{size}.bmp", bmp(
                width, height, bits, rows_of(rng, width, height, bits), palette=palette, top_down=True)
            yield f"bmp-{bits}bit-unpadded-end-{size}.bmp", bmp(
                width, height, bits, rows_of(rng, width, height, bits, False), palette=palette)
        for name, masks in MASKS.items():
            bits = 16 if name in ("555", "565") else 32
            for header in (40, 64, 108, 124):
                if header == 40 and len(masks) == 4 and masks[3] or name == "none" and header == 40:
                    continue
                yield f"bmp-fields-{name}-header{header}-{size}.bmp", bmp(
                    width, height, bits, rows_of(rng, width, height, bits), header, 3, masks)
        yield f"bmp-fields-24bit-{size}.bmp", bmp(width, height, 24, rows_of(rng, width, height, 24), 40, 3, MASKS["bgr"])
        for bits in (4, 8):
            for top_down in (False, True):
                kind = "top-down" if top_down else "upwards"
                yield f"bmp-rle{bits}-{kind}-{size}.bmp", bmp(
                    width, height, bits, rle(rng, width, height, bits == 4), compression=2 if bits == 4 else 1,
                    palette=random_palette(rng, 1 << bits), top_down=top_down)
        yield f"bmp-rle8-grey-{size}.bmp", bmp(width, height, 8, rle(rng, width, height, False), compression=1,
                                               palette=b"".join(bytes([i, i, i, 0]) for i in range(256)))
    width, height = 33, 21
    pixels = rows_of(rng, width, height, 8)
    greys = b"".join(bytes([i, i, i, 0]) for i in range(256))
    yield "bmp-grey.bmp", bmp(width, height, 8, pixels, palette=greys)
    yield "bmp-grey-reversed.bmp", bmp(width, height, 8, pixels, palette=b"".join(bytes([255 - i] * 3 + [0]) for i in range(256)))
    yield "bmp-few-greys.bmp", bmp(width, height, 8, pixels, palette=greys[: 4 * 100], colours=100)
    yield "bmp-few-colours.bmp", bmp(width, height, 8, pixels, palette=random_palette(rng, 100), colours=100)
    for palette in (b"\0\0\0\0\xff\xff\xff\0", b"\xff\xff\xff\0\0\0\0\0"):
        yield f"bmp-bitmap-{palette[0]}.bmp", bmp(width, height, 1, rows_of(rng, width, height, 1), palette=palette)
    yield "bmp-4bit-few-colours.bmp", bmp(width, height, 4, rows_of(rng, width, height, 4), palette=random_palette(rng, 5), colours=5)
    yield "bmp-gap.bmp", bmp(width, height, 8, pixels, palette=random_palette(rng, 256), gap=b"gap!" * 9)
    yield "bmp-no-offset.bmp", bmp(width, height, 24, rows_of(rng, width, height, 24), stated_offset=0)
    yield "bmp-offset-before-palette.bmp", bmp(width, height, 8, pixels, palette=random_palette(rng, 256), stated_offset=54)
    yield "bmp-reserved.bmp", bmp(width, height, 24, rows_of(rng, width, height, 24), reserved=0x12345678)
    yield "bmp-rle-overlong-runs.bmp", bmp(9, 3, 8, b"\x20\1\0\0" + b"\5\2\x20\3\0\0" + b"\x09\4\0\1", compression=1,
                                           palette=random_palette(rng, 256))
    yield "bmp-rle-odd-start.bmp", bmp(9, 2, 8, b"\0\3abc" + b"\6\5\0\0" + b"\0\x05abcde\0\4\1\0\1", compression=1,
                                       palette=random_palette(rng, 256), gap=b"x")
    for mode in ("1", "L", "P", "RGB", "RGBA"):
        to = io.BytesIO()
        picture(40, 30, 2).convert(mode).save(to, "BMP")
        yield f"bmp-of-pillow-{mode}.bmp", to.getvalue()


def pnms():
    rng = random.Random(31)
    for width, height in SIZES:
        size = f"{width}x{height}"
        count = width * height

        def plain(values, per_line=17):
            words = [str(v) for v in values]
            return "\n".join(" ".join(words[i : i + per_line]) for i in range(0, len(words), per_line)).encode()

        yield f"pnm-p1-{size}.pbm", b"P1\n%d %d\n" % (width, height) + plain(rng.randrange(2) for _ in range(count)) + b"\n"
        yield f"pnm-p1-dense-{size}.pbm", b"P1\n%d %d\n" % (width, height) + bytes(rng.choice(b"01") for _ in range(count))
        yield f"pnm-p4-{size}.pbm", b"P4\n%d %d\n" % (width, height) + bytes(
            rng.randrange(256) for _ in range((width + 7) // 8 * height))
        for top in (1, 2, 3, 7, 100, 254, 255, 256, 1000, 65534, 65535):
            for kind, channels, ending in ((5, 1, "pgm"), (6, 3, "ppm")):
                # Above 255 most grey values are clipped: small ones too.
                values = [rng.randrange(min(top, rng.choice([top, 300])) + 1) for _ in range(count * channels)]
                head = b"\n%d %d\n%d\n" % (width, height, top)
                packed = bytes(values) if top < 256 else struct.pack(f">{len(values)}H", *values)
                yield f"pnm-p{kind}-max{top}-{size}.{ending}", b"P%d" % kind + head + packed
                yield f"pnm-p{kind - 3}-max{top}-{size}.{ending}", b"P%d" % (kind - 3) + head + plain(values) + b"\n"
    yield "pnm-p5-above-max.pgm", b"P5 4 2 100\n" + bytes([0, 50, 100, 101, 150, 200, 254, 255])
    yield "pnm-p5-comments.pgm", b"P5\n# first\n4 # width\n 2\t# height\r255\n" + bytes(range(8))
    yield "pnm-p6-spaces.ppm", b"P6 \t\r\n\x0b\x0c 2 1\r255\r" + bytes(range(6))
    yield "pnm-p5-comment-in-number.pgm", b"P5\n1#c\n2 2 255\n" + bytes(range(24))
    yield "pnm-p2-comments.pgm", b"P2\n4 2\n255\n1 2 # three\n 3 4#four\n5 6\n7 8 200\n"
    yield "pnm-p3-trailing.ppm", b"P3\n1 1\n255\n1 2 3 4 5 6\n"
    yield "pnm-p6-trailing.ppm", b"P6\n1 1\n255\n\1\2\3and more"
    yield "pnm-p2-no-line-end.pgm", b"P2 2 2 255 10 20 30 40"
    yield "pnm-p1-comments.pbm", b"P1\n# a\n5 2\n01#1\n010 # 1\n1 0 1 0 1\n"
    for mode in ("1", "L", "I", "RGB"):
        to = io.BytesIO()
        picture(40, 30, 2).convert(mode).save(to, "PPM")
        yield f"pnm-of-pillow-{mode}.ppm", to.getvalue()


def refused():
    rng = random.Random(32)
    pixels = rows_of(rng, 9, 9, 32)
    yield "2-bits.bmp", bmp(9, 9, 2, pixels, palette=random_palette(rng, 4))
    yield "0-bits.bmp", bmp(9, 9, 0, pixels)
    yield "64-bits.bmp", bmp(9, 9, 64, pixels + pixels)
    yield "jpeg-inside.bmp", bmp(9, 9, 24, pixels, compression=4)
    yield "png-inside.bmp", bmp(9, 9, 24, pixels, compression=5)
    yield "compression-11.bmp", bmp(9, 9, 24, pixels, compression=11)
    yield "fields-444.bmp", bmp(9, 9, 16, pixels, compression=3, masks=(0xF00, 0xF0, 0xF))
    yield "fields-of-8bit.bmp", bmp(9, 9, 8, pixels, compression=3, masks=(1, 2, 3), palette=random_palette(rng, 256))
    yield "header-16.bmp", bmp(9, 9, 24, pixels, header=40)[:14] + struct.pack("<I", 16) + pixels
    yield "rle8-of-24-bits.bmp", bmp(9, 9, 24, pixels, compression=1)
    yield "many-colours.bmp", bmp(9, 9, 8, pixels, palette=random_palette(rng, 300), colours=300)
    yield "too-many-colours.bmp", bmp(9, 9, 8, pixels, colours=70000)
    yield "no-width.bmp", bmp(0, 9, 24, pixels)
    yield "no-height.bmp", bmp(9, 0, 24, pixels)
    yield "rle-too-short.bmp", bmp(9, 9, 8, b"\x09\1\0\0\0\1", compression=1, palette=random_palette(rng, 256))
    yield "header-alone.bmp", bmp(9, 9, 24, b"")
    yield "pam.ppm", b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n\1\2\3"
    yield "max-0.pgm", b"P5 2 2 0\n\1\2\3\4"
    yield "max-65536.pgm", b"P5 1 1 65536\n\1\2\3\4"
    yield "no-width.pgm", b"P5 0 2 255\n\1\2\3\4"
    yield "negative.pgm", b"P5 -2 2 255\n\1\2\3\4"
    yield "letters.pgm", b"P5 two 2 255\n\1\2\3\4"
    yield "long-number.pgm", b"P5 00000000002 2 255\n\1\2\3\4"
    yield "no-maximum.pgm", b"P5 2 2"
    yield "comment-alone.pgm", b"P5\n# nothing"
    yield "above-maximum.pgm", b"P2 2 2 100 1 2 3 101\n"
    yield "no-number.pgm", b"P2 2 2 100 1 2 3 x\n"
    yield "two.pbm", b"P1 2 2 1 0 2 1\n"
    yield "plain-too-short.pgm", b"P2 2 2 100 1 2 3\n"
    yield "bits-too-few.pbm", b"P1 2 2 101\n"
    for kind, content in (("4", 1), ("5", 3), ("6", 11)):
        yield f"short-p{kind}.ppm", b"P%s 2 2 " % kind.encode() + (b"255\n" if kind != "4" else b"") + b"\1" * content
    yield "short-p5-of-100.pgm", b"P5 2 2 100\n\1\2\3"
    yield "short-p6-of-65535.ppm", b"P6 2 1 65535\n" + b"\1" * 11


def broken(count):
    rng = random.Random(33)
    sources = [(name, content) for name, content in list(bmps()) + list(pnms()) if "1x1" not in name and len(content) > 60]
    for number in range(count):
        name, content = rng.choice(sources)
        damaged = bytearray(content)
        if rng.random() < 0.4:
            del damaged[rng.randrange(20, len(damaged)):]
        else:
            for _ in range(rng.choice([1, 1, 2, 5])):
                # Most of the damage is done to the header; huge sizes would only be slow.
                at = rng.randrange(min(len(damaged), rng.choice([60, 60, 1 << 30])))
                damaged[at] = rng.choice([0, 255, rng.randrange(256), damaged[at] ^ 1])
        yield f"{number:05d}-{name}", bytes(damaged)


if __name__ == "__main__":
    made = {"kinds": lambda: list(bmps()) + list(pnms()), "refused": refused, "broken": lambda: broken(int(sys.argv[3]))}
    write_all(sys.argv[2], made[sys.argv[1]]())
