"""Makes pictures with EXIF data, the same ones for the same arguments.

make_exif.py kinds FOLDER    every orientation in every format that carries it
make_exif.py odd FOLDER      EXIF data with unusual, unknown and malformed entries, in JPEG
"""
import io
import struct
import sys

from make_images import chunk, picture, write_all

ORIENTATION = 0x0112


def exif(entries, endian=">", head=b"Exif\0\0", count=None, at=8, rest=b"", big=False):
    """entries: (tag, type, count, four bytes of value or a number of SHORT)"""
    out = struct.pack(endian + "H", len(entries) if count is None else count)
    for tag, kind, values, value in entries:
        content = value if isinstance(value, bytes) else struct.pack(endian + "HH", value, 0)
        out += struct.pack(endian + "HHI", tag, kind, values) + content
    order = b"II" if endian == "<" else b"MM"
    return head + order + struct.pack(endian + "HI", 42, at) + b"\0" * (at - 8) + out + b"\0" * 4 + rest


def saved(image, kind, **options):
    to = io.BytesIO()
    image.save(to, kind, **options)
    return to.getvalue()


def kinds():
    for width, height in [(1, 1), (37, 23), (70, 101)]:
        image = picture(width, height, width)
        for orientation in range(10):
            for endian in "<>":
                data = exif([(ORIENTATION, 3, 1, orientation)], endian)
                name = f"{orientation}-{'little' if endian == '<' else 'big'}-{width}x{height}"
                yield f"jpeg-{name}.jpg", saved(image, "JPEG", exif=data, quality=90)
                yield f"jpeg-progressive-{name}.jpg", saved(image, "JPEG", exif=data, progressive=True)
                yield f"png-{name}.png", saved(image, "PNG", exif=data)
                yield f"webp-{name}.webp", saved(image, "WEBP", exif=data, lossless=True)
            plain = saved(image, "PNG")
            yield f"png-late-{orientation}-{width}x{height}.png", plain[:-12] + chunk(
                b"eXIf", exif([(ORIENTATION, 3, 1, orientation)])[6:]) + plain[-12:]
            yield f"bmp-{orientation}-{width}x{height}.bmp", saved(image, "BMP")
    image = picture(37, 23, 5)
    yield "grey.jpg", saved(image.convert("L"), "JPEG", exif=exif([(ORIENTATION, 3, 1, 6)]))
    yield "palette.png", saved(image.convert("P"), "PNG", exif=exif([(ORIENTATION, 3, 1, 5)]))
    yield "clear.webp", saved(image.convert("RGBA"), "WEBP", exif=exif([(ORIENTATION, 3, 1, 7)]), lossless=True)
    yield "second-segment.jpg", two_segments(image, exif([(ORIENTATION, 3, 1, 6)]), exif([(ORIENTATION, 3, 1, 3)]))
    yield "other-segment-first.jpg", two_segments(image, b"http://ns.adobe.com/xap/1.0/\0<x/>", exif([(ORIENTATION, 3, 1, 8)]))
    yield "no-exif.jpg", saved(image, "JPEG")


def two_segments(image, first, second):
    """Before all other segments."""
    whole = saved(image, "JPEG")
    return whole[:2] + b"".join(b"\xff\xe1" + struct.pack(">H", len(s) + 2) + s for s in (first, second)) + whole[2:]


def odd():
    image = picture(37, 23, 9)
    six = (ORIENTATION, 3, 1, 6)
    data = {
        "long": exif([(ORIENTATION, 4, 1, struct.pack(">I", 6))]),
        "signed-short": exif([(ORIENTATION, 8, 1, 6)]),
        "signed-long": exif([(ORIENTATION, 9, 1, struct.pack(">i", 6))]),
        "negative": exif([(ORIENTATION, 8, 1, struct.pack(">hh", -6, 0))]),
        "byte": exif([(ORIENTATION, 1, 1, b"\6\0\0\0")]),
        "text": exif([(ORIENTATION, 2, 2, b"6\0\0\0")]),
        "unknown-type": exif([(ORIENTATION, 77, 1, 6)]),
        "none-of-it": exif([(ORIENTATION, 3, 0, 6)]),
        "two-of-it": exif([(ORIENTATION, 3, 2, struct.pack(">HH", 6, 3))]),
        "twice": exif([six, (ORIENTATION, 3, 1, 3)]),
        "huge-value": exif([(ORIENTATION, 4, 1, struct.pack(">I", 0x10006))]),
        "three-of-it-aside": exif([(ORIENTATION, 3, 3, struct.pack(">I", 26))], rest=struct.pack(">HHH", 8, 1, 1)),
        "after-others": exif([(271, 2, 4, b"abc\0"), (272, 2, 8, struct.pack(">I", 50)), six], rest=b"abcdefg\0"),
        "after-one-outside": exif([(271, 2, 900, struct.pack(">I", 30)), six]),
        "after-one-far-outside": exif([(271, 5, 0xFFFFFFFF, struct.pack(">I", 0xFFFFFFFF)), six]),
        "after-unknown-type": exif([(271, 99, 900, struct.pack(">I", 0xFFFFFFF0)), six]),
        "before-one-outside": exif([six, (282, 5, 1, struct.pack(">I", 0xFFFFFF))]),
        "more-told-than-there": exif([six], count=700),
        "fewer-told": exif([(271, 2, 4, b"abc\0"), six], count=1),
        "none-told": exif([six], count=0),
        "directory-later": exif([six], at=64),
        "cut-in-entry": exif([six])[:-8],
        "cut-in-value": exif([six])[:-5],
        "directory-outside": exif([six])[:10] + struct.pack(">I", 0xFFFFFFFF) + exif([six])[14:],
        "directory-in-head": exif([six])[:10] + struct.pack(">I", 0) + exif([six])[14:],
        "head-alone": exif([six])[:14],
        "half-head": exif([six])[:9],
        "no-head": b"Exif\0\0",
        "no-tiff": b"Exif\0\0this is no TIFF at all",
        "short-mark": exif([six], head=b"Exif\0"),
        "odd-magic": exif([six]).replace(b"MM\0*", b"MM*\0"),
        "big": b"Exif\0\0II" + struct.pack("<HHHQQHHQ8s", 43, 8, 0, 16, 1, ORIENTATION, 3, 1, b"\6\0\0\0\0\0\0\0") + b"\0" * 8,
    }
    for name, content in data.items():
        yield f"{name}.jpg", two_segments(image, content, b"nothing")


if __name__ == "__main__":
    write_all(sys.argv[2], {"kinds": kinds, "odd": odd}[sys.argv[1]]())
