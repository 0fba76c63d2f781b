"""Part 7: the fuzz targets (scripts/fuzz). A sample has none: CI runs them by itself, and kept inputs are tests."""
from . import tools
from .driver import ROOT, Trial

ALONE = True


def trials(campaign):
    seconds = campaign.options.seconds or (0 if campaign.sample else 3600)
    for source in sorted((ROOT / "tests/fuzz").glob("*_fuzz.cpp")) if seconds else []:
        name = source.name.removesuffix("_fuzz.cpp")
        yield Trial("fuzz/" + name, lambda folder, n=name:
                    tools.run(["scripts/fuzz", str(seconds), n], ROOT, 3600 + 2 * seconds),
                    "scripts/fuzz %d %s" % (seconds, name))
