"""Chooses the trials of the campaign's parts, runs them and prints the table of what they found."""
import argparse
import contextlib
import importlib
import random
import shutil
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from . import stage
from .program import Program

PARTS = ["calls", "memory", "streams", "replay", "kills", "races", "sanitizers", "fuzz", "bombs", "damage",
         "determinism", "golden", "soak"]
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Trial:
    """One thing that is tried. `run` gets an empty folder, and says what is wrong: nothing where all is right."""
    name: str  # PART/..., which --only takes
    run: Callable
    recipe: str = ""  # the command line, for who reads of a finding


class Campaign:
    """What all parts share."""

    def __init__(self, options, work):
        self.options = options
        self.sample = options.sample
        self.work = work
        self.program = Program(options.program, options.shim)
        self.build = Path(options.program).resolve().parent
        self._lock = threading.Lock()
        self._stage = None

    @property
    def stage(self):
        with self._lock:
            if self._stage is None:
                stage.make(self.program, self.work / "stage")
                self._stage = self.work / "stage"
            return self._stage

    @contextlib.contextmanager
    def folder(self):
        path = Path(tempfile.mkdtemp(dir=self.work, prefix="t"))
        try:
            yield path
        finally:
            if not self.options.keep:
                shutil.rmtree(path, ignore_errors=True)

    def random(self, *what):
        """The same draws for the same names, each time."""
        return random.Random(" ".join(map(str, what)))

    def draw(self, things, count, *what):
        """`count` of them, or all where the whole campaign runs (count None) or there are not so many."""
        things = list(things)
        if count is None or len(things) <= count:
            return things
        return self.random("draw", *what).sample(things, count)


def work_folder(options):
    """Memory where there is enough of it: most of the time is fsync else."""
    for place in ([options.work] if options.work else ["/dev/shm", None]):
        with contextlib.suppress(OSError):
            folder = Path(tempfile.mkdtemp(prefix="resflow-campaign-", dir=place)).resolve()
            if options.work or place is None or shutil.disk_usage(folder).free > 4 << 30:
                return folder
            folder.rmdir()
    raise SystemExit("campaign: no folder for temporary files: give one with --work")


def run_part(campaign, part, only):
    began = time.monotonic()
    module = importlib.import_module("tests.campaign.part_" + part)
    trials = [t for t in module.trials(campaign) if not only or t.name in only][::campaign.options.every]
    findings, lock = [], threading.Lock()

    def run(trial):
        with campaign.folder() as folder:
            try:
                wrong = trial.run(folder)
            except Exception as error:  # a fault of the campaign itself is no pass
                wrong = ["the trial itself failed: %s: %s" % (type(error).__name__, error)]
        with lock:
            findings.extend((trial, sentence) for sentence in wrong)
            if wrong and campaign.options.verbose:
                print("%s: %s" % (trial.name, wrong[0]), flush=True)

    jobs = 1 if getattr(module, "ALONE", False) and not campaign.sample else campaign.options.jobs
    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(run, trials))
    return len(trials), findings, time.monotonic() - began


def print_findings(findings, most):
    of_trial = {}
    for trial, sentence in findings:
        of_trial.setdefault(trial.name, (trial, []))[1].append(sentence)
    kinds = {}
    for trial, sentences in of_trial.values():
        kinds.setdefault((trial.name.split("/")[0], sentences[0][:60]), []).append((trial, sentences))
    for alike in kinds.values():
        trial, sentences = alike[0]
        print("\n%s: %s" % (trial.name, sentences[0]))
        for sentence in sentences[1:1 + most]:
            print("  and: %s" % sentence)
        print("  repeat: scripts/campaign --only '%s'" % trial.name)
        if trial.recipe:
            print("  command: %s" % trial.recipe)
        for other, _ in alike[1:1 + most]:
            print("  alike: %s" % other.name)
        if len(alike) > 1 + most:
            print("  and %d more are alike" % (len(alike) - 1 - most))


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="scripts/campaign",
                                     description="Makes resflow meet failing calls, kills, races, hostile files, "
                                     "and says where it does not do what it promises.")
    parser.add_argument("parts", nargs="*", metavar="PART", help="of %s [all]" % ", ".join(PARTS))
    parser.add_argument("--sample", action="store_true", help="a fixed sample of each part, some minutes in all")
    parser.add_argument("--program", default=str(ROOT / "build/release/resflow"), help="[build/release/resflow]")
    parser.add_argument("--shim", help="campaign_shim.so [tests/ beside the program]")
    parser.add_argument("--only", action="append", default=[], metavar="TRIAL", help="repeat this one; may come again")
    parser.add_argument("--jobs", type=int, default=2, help="trials at a time [2]")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="each N-th trial of the whole campaign [1]")
    parser.add_argument("--kills", type=int, help="kills in all [1000; sample 24]")
    parser.add_argument("--races", type=int, help="turns of each pair [50; sample 1]")
    parser.add_argument("--pictures", type=int, help="of the soak [1000000; sample 3000]")
    parser.add_argument("--seconds", type=int, help="of each fuzz target [3600; sample: none]")
    parser.add_argument("--skip", action="append", default=[], metavar="PART", help="leave it out; may come again")
    parser.add_argument("--also", type=int, default=4, help="names of alike findings that are printed [4]")
    parser.add_argument("--work", help="folder for temporary files [memory, where there are 4 GB of it]")
    parser.add_argument("--keep", action="store_true", help="leave the folders of the trials")
    parser.add_argument("--verbose", action="store_true", help="print findings when they are made")
    options = parser.parse_args(arguments)
    if options.only and not options.parts:
        options.parts = list(dict.fromkeys(name.split("/")[0] for name in options.only))
    for part in options.parts + options.skip:
        if part not in PARTS:
            parser.error("there is no part %s: wanted one of %s" % (part, ", ".join(PARTS)))
    if not Path(options.program).is_file():
        parser.error("there is no program %s: build it (scripts/build release)" % options.program)
    options.shim = options.shim or str(Path(options.program).resolve().parent / "tests/campaign_shim.so")
    if not Path(options.shim).is_file():
        parser.error("there is no library %s: build it (scripts/build release campaign_shim)" % options.shim)
    return run(options)


def run(options):
    work = work_folder(options)
    try:
        campaign = Campaign(options, work)
        rows, findings = [], []
        for part in options.parts or PARTS:
            if part in options.skip:
                continue
            count, found, seconds = run_part(campaign, part, set(options.only))
            rows.append((part, count, len({trial.name for trial, _ in found}), seconds))
            findings += found
            print("%-12s %7d cases %6d findings %7.0f s" % rows[-1], flush=True)
        if options.only and not sum(row[1] for row in rows):
            print("campaign: there is no trial of this name", file=sys.stderr)
            return 2
    finally:
        if not options.keep:
            shutil.rmtree(work, ignore_errors=True)
    print_findings(findings, options.also)
    print("\n| part | cases | findings | seconds |\n| --- | ---: | ---: | ---: |")
    for row in rows:
        print("| %s | %d | %d | %.0f |" % row)
    return 1 if findings else 0
