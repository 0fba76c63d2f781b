"""Part 12: very many pictures, one in a hundred broken: memory stays where it is after the first tenth, and so does the
number of descriptors."""
import os
import time

from . import tree
from .driver import Trial

ALONE = True
BROKEN = 100  # one of so many
A_FOLDER = 1000
MEMORY = 1.02
# An allocator's arenas fill up in a short run: a part of a percent of a million pictures' time.
SLACK = 8 << 20


def lay(campaign, folder, pictures):
    tree.lay(campaign.stage / "model.resflow", folder / "model.resflow")
    kinds = sorted((campaign.stage / "photos/train/dark").iterdir())
    broken = folder / "broken"
    broken.write_bytes(b"no picture")
    for index in range(pictures):
        if index % A_FOLDER == 0:
            below = folder / "data" / ("%05d" % (index // A_FOLDER))
            below.mkdir(parents=True)
        source = broken if index % BROKEN == BROKEN - 1 else kinds[index % len(kinds)]
        name = below / ("%06d%s" % (index, source.suffix or ".jpg"))
        try:
            os.link(source, name)
        except OSError:  # as many links as the file system allows
            copy = source.with_name("%s-%d%s" % (source.stem, index, source.suffix))
            tree.copy(source, copy)
            os.replace(copy, source)
            os.link(source, name)


def resident(pid):
    with open("/proc/%d/statm" % pid) as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def rows_of(folder):
    """Bytes of the rows so far: how far it has come."""
    return sum(p.stat().st_size for p in folder.glob("s.csv*"))


def watch(campaign, arguments, folder, bytes_of_rows):
    """((part done, memory, descriptors)...), exit code, what was said."""
    with open(folder / "err.txt", "wb") as err:
        process = campaign.program.start(arguments, folder, stderr=err)
        seen = []
        while process.poll() is None:
            try:
                seen.append((rows_of(folder) / bytes_of_rows, resident(process.pid),
                             len(os.listdir("/proc/%d/fd" % process.pid))))
            except OSError:
                pass
            time.sleep(0.05 if campaign.sample else 1)
    return seen, process.returncode, (folder / "err.txt").read_text(errors="replace")


def soak(campaign, pictures, extra, folder):
    lay(campaign, folder, pictures)
    arguments = ["score", "model.resflow", "data", "--out", "s.csv", "--threads", "2", "--executors", "1", "--batch",
                 "32", "--save-every", "0.2", *extra]
    seen, code, err = watch(campaign, arguments, folder, 28 * pictures)
    if code != 0:
        return ["it ends with %d: %s" % (code, err[-300:])]
    wrong = []
    with open(folder / "s.csv", "rb") as table:
        rows = sum(1 for _ in table) - 1
    if rows != pictures:
        wrong.append("%d rows, wanted %d" % (rows, pictures))
    under_way = [entry for entry in seen if 0.1 < entry[0] < 0.95]
    if len(under_way) < 4:
        return wrong + ["it was looked at %d times on the way: more --pictures" % len(under_way)]
    first, rest = under_way[0], under_way[1:]
    most = max(memory for _, memory, _ in rest)
    if most > first[1] * MEMORY + (SLACK if pictures < 100_000 else 0):
        wrong.append("memory grows from %.1f MB to %.1f MB" % (first[1] / 2 ** 20, most / 2 ** 20))
    descriptors = [count for _, _, count in under_way]
    if max(descriptors[len(descriptors) // 2:]) > max(descriptors[:len(descriptors) // 2]):
        wrong.append("descriptors grow from %d to %d" % (min(descriptors), max(descriptors)))
    return wrong


def trials(campaign):
    pictures = campaign.options.pictures or (3000 if campaign.sample else 1_000_000)
    kinds = {"ordered": []} if campaign.sample else {"ordered": [], "unordered": ["--unordered"],
                                                     "embeddings": ["--embeddings", "e.npy", "--errors", "errors.csv"]}
    for name, extra in kinds.items():
        yield Trial("soak/" + name, lambda folder, e=extra: soak(campaign, pictures, e, folder))
