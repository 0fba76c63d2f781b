"""Makes data sets for resflow stats, and says with Pillow, torchvision and numpy what is in them.

stats.py clean ROOT        a whole data set: many sizes, formats and kinds of JPEG
stats.py dirty ROOT        train/ and val/ with everything that goes wrong
stats.py reckon ROOT SIZE  JSON: mean and std of the pictures at this size, median sizes, formats
"""
import json
import os
import shutil
import sys

import numpy
from PIL import Image

random = numpy.random.RandomState(5)


def picture(width, height):
    small = random.randint(0, 256, (5, 4, 3), dtype=numpy.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def save(image, path, **options):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    image.save(path, **options)


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)


def clean(root):
    sizes = [(60, 40), (40, 60), (300, 200), (64, 64), (31, 200), (500, 333), (60, 40), (1, 1)]
    for number, (width, height) in enumerate(sizes):
        save(picture(width, height), f"{root}/ants/{number}.jpg", quality=90, subsampling=number % 3)
    save(picture(80, 70), f"{root}/bees/progressive.jpeg", progressive=True, subsampling=2)
    save(picture(80, 70).convert("L"), f"{root}/bees/grey.JPG")
    save(picture(80, 70).convert("CMYK"), f"{root}/bees/cmyk.jpg")
    save(picture(90, 91), f"{root}/bees/deeper/a.png")
    save(picture(33, 77).convert("RGBA"), f"{root}/bees/deeper/b.png")
    save(picture(50, 20), f"{root}/bees/c.webp", lossless=True)


def dirty(root):
    train, val = f"{root}/train", f"{root}/val"
    for number in range(4):
        save(picture(60, 50), f"{train}/ants/{number}.jpg")
    for number in range(2):
        save(picture(60, 50), f"{train}/bees/{number}.jpg")
    save(picture(60, 50), f"{train}/cats/0.jpg")
    save(picture(60, 50), f"{train}/ants/really-png.jpg", format="PNG")
    save(picture(60, 50), f"{train}/ants/really-gif.jpg", format="GIF")
    save(picture(60, 50), f"{train}/ants/left-out.gif")
    with open(f"{train}/ants/0.jpg", "rb") as file:
        write(f"{train}/ants/truncated.jpg", file.read()[:-400])
    write(f"{train}/ants/empty.jpg", b"")
    write(f"{train}/bees/empty.jpg", b"")
    write(f"{train}/bees/page.png", b"<html>404</html>")
    write(f"{train}/bees/notes.txt", b"bees")
    write(f"{train}/README", b"photographs")
    os.makedirs(f"{train}/nothing")
    os.symlink("nowhere.jpg", f"{train}/cats/dangling.jpg")
    shutil.copy(f"{train}/ants/1.jpg", f"{train}/ants/copy of 1.jpg")
    shutil.copy(f"{train}/ants/2.jpg", f"{train}/bees/said to be a bee.jpg")
    save(picture(60, 50), f"{val}/ants/a.jpg")
    shutil.copy(f"{train}/ants/3.jpg", f"{val}/ants/leaked.jpg")
    save(picture(60, 50), f"{val}/dogs/a.jpg")


def reckon(root, size):
    from torchvision import transforms  # takes seconds
    from torchvision.datasets import ImageFolder

    as_users_do = transforms.Compose(
        [transforms.Resize(size * 256 // 224), transforms.CenterCrop(size), transforms.ToTensor()])
    dataset = ImageFolder(root, as_users_do)
    pixels = numpy.stack([picture.numpy() for picture, _ in dataset]).astype(numpy.float64)
    sizes = [Image.open(path).size for path, _ in dataset.samples]
    formats = [Image.open(path).format for path, _ in dataset.samples]
    print(json.dumps({
        "mean": pixels.mean((0, 2, 3)).tolist(), "std": pixels.std((0, 2, 3)).tolist(),
        "pixels": pixels.size // 3,
        "width": [min(w for w, _ in sizes), float(numpy.median([w for w, _ in sizes])), max(w for w, _ in sizes)],
        "height": [min(h for _, h in sizes), float(numpy.median([h for _, h in sizes])), max(h for _, h in sizes)],
        "orientation": [sum(w > h for w, h in sizes), sum(w < h for w, h in sizes), sum(w == h for w, h in sizes)],
        "formats": {name: formats.count(name) for name in set(formats)},
        "bytes": sum(os.path.getsize(path) for path, _ in dataset.samples)}))


if sys.argv[1] == "reckon":
    reckon(sys.argv[2], int(sys.argv[3]))
else:
    {"clean": clean, "dirty": dirty}[sys.argv[1]](sys.argv[2])
