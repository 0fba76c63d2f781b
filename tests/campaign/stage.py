"""What the commands of the campaign read: a dozen small pictures, a model of them, and what is made from both. Made
once a campaign, in WORK/stage, and laid into the folder of each trial as hard links."""
import io
import tarfile
import zipfile
from pathlib import Path

from . import pictures

# resnet18 at its smallest: 45 MB of parameters, and one step takes some milliseconds.
TRAINING = ["--model", "resnet18", "--image-size", "32", "--batch", "2", "--threads", "1", "--optimizer", "sgd",
            "--momentum", "0", "--lr", "0.0001"]
SIDE = 36


class StageFailed(Exception):
    pass


def make(program, stage):
    stage = Path(stage)
    stage.mkdir(parents=True)

    def run(*arguments):
        outcome = program.run(list(arguments), stage, seconds=300)
        if outcome.code != 0:
            raise StageFailed("resflow %s ended with %d: %s" % (" ".join(arguments), outcome.code, outcome.err))

    draw_pictures(stage, run)
    run("train", "photos", "--out", "run", "--epochs", "1", *TRAINING)
    (stage / "run/best.resflow").rename(stage / "model.resflow")
    (stage / "run/best.resflow").hardlink_to(stage / "model.resflow")
    run("convert", "model.resflow", "model.safetensors")
    run("convert", "model.resflow", "model.pth")
    run("quantize", "model.resflow", "photos", "--out", "int8.resflow", "--samples", "4", "--max-drop", "100",
        "--threads", "1")
    run("pack", "photos/val", "val.resflow-pack", "--threads", "1")
    for i in "12":
        run("score", "model.resflow", "photos", "--out", "%s.csv" % i, "--shard", i + "/2", "--embeddings",
            "%s.npy" % i, "--errors", "%s.errors.csv" % i, "--batch", "2", "--threads", "1", "--executors", "1")
    run("train", "photos", "--out", "features", "--mode", "features", "--weights", "model.resflow", "--epochs", "1",
        "--image-size", "32", "--batch", "2", "--threads", "1")
    make_lists(stage)


def draw_pictures(stage, run):
    seed = 0
    for part in ("train", "val"):
        for name, low, high in (("dark", 0, 128), ("light", 128, 256)):
            folder = stage / "photos" / part / name
            folder.mkdir(parents=True)
            for kind, make_file in (("ppm", pictures.sound_ppm), ("png", pictures.sound_png),
                                    ("tif", pictures.sound_tiff)):
                seed += 1
                data = make_file(SIDE, SIDE, pictures.pixels_of(SIDE, SIDE, seed, low, high))
                (folder / ("%d.%s" % (seed, kind))).write_bytes(data)
    # JPEGs come from the program's own writer, by way of a pack.
    run("pack", "photos", "jpegs.resflow-pack", "--resize", "32", "--quality", "60", "--no-labels", "--threads", "1")
    jpegs = pictures.jpegs_in((stage / "jpegs.resflow-pack").read_bytes())
    (stage / "jpegs.resflow-pack").unlink()
    for index, (part, name) in enumerate((p, n) for p in ("train", "val") for n in ("dark", "light")):
        (stage / "photos" / part / name / "jpeg.jpg").write_bytes(jpegs[index * 3])


def make_lists(stage):
    files = sorted(p.relative_to(stage) for p in (stage / "photos").rglob("*.*"))
    (stage / "list.txt").write_text("".join("%s\n" % p for p in files))
    (stage / "ids.txt").write_text("".join("%s\tpicture-%d\n" % (p, i) for i, p in enumerate(files)))
    (stage / "names.txt").write_text("dark\nlight\n")
    (stage / "train.toml").write_text('batch = 2\nepochs = 1\noptimizer = "sgd"\nmomentum = 0\nlr = 0.0001\n'
                                      'model = "resnet18"\nimage-size = 32\nthreads = 1\n')
    for kind in ("", "gz", "xz"):
        with tarfile.open(stage / ("photos.tar" + ("." + kind if kind else "")), "w:" + kind) as archive:
            for path in files:
                data = (stage / path).read_bytes()
                facts = tarfile.TarInfo(str(path))
                facts.size = len(data)
                archive.addfile(facts, io.BytesIO(data))
    with zipfile.ZipFile(stage / "photos.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.writestr(zipfile.ZipInfo(str(path)), (stage / path).read_bytes())
