"""Part 6: ThreadSanitizer over the loaders, and over a small training and scoring; AddressSanitizer and
UndefinedBehaviorSanitizer over every command once."""
from . import tools, tree
from .driver import ROOT, Trial
from .stage import TRAINING

ALONE = True
HOUR = 3600
TSAN = {"TSAN_OPTIONS": "halt_on_error=1:suppressions=%s" % (ROOT / "tests/support/tsan/threads.supp")}


# These wait by the clock for what an instrumented program does late.
LATE = "HeldUp|NoMoreBatches"


def loaders(campaign, folder):
    wrong = tools.run(["scripts/build", "tsan", "tests_pipeline", "tsan_selftest"], ROOT, HOUR)
    return wrong or tools.run(["ctest", "--preset", "tsan", "-R", "^(pipeline[.](.*Loader|Delivery)|tsan[.])",
                               "-E", "Photograph|Torch|" + LATE, "--no-tests=error", "-Q"], ROOT, HOUR, TSAN)


def whole(campaign, folder):
    wrong = tools.run(["scripts/build", "tsan", "resflow"], ROOT, 2 * HOUR)
    if wrong:
        return wrong
    program = ROOT / "build/tsan/resflow"
    for name in ("photos", "model.resflow"):
        tree.lay(campaign.stage / name, folder / name)
    training = list(TRAINING)
    training[training.index("--threads") + 1] = "4"
    score = ["score", "model.resflow", "photos", "--threads", "4", "--executors", "2", "--batch", "2", "--out"]
    for arguments in (["train", "photos", "--out", "run", "--epochs", "1", *training], [*score, "s.csv"],
                      [*score, "u.csv", "--unordered"]):
        wrong += tools.run([program, *arguments], folder, HOUR, TSAN)
    return wrong


def every_command(campaign, folder):
    wrong = tools.run(["scripts/build", "asan", "resflow"], ROOT, 2 * HOUR)
    return wrong or tools.run(["scripts/every-command", "build/asan/resflow"], ROOT, HOUR)


def trials(campaign):
    yield Trial("sanitizers/loaders", lambda folder: loaders(campaign, folder), "ctest --preset tsan -R pipeline")
    if not campaign.sample:
        yield Trial("sanitizers/whole", lambda folder: whole(campaign, folder), "scripts/build tsan resflow")
        yield Trial("sanitizers/every-command", lambda folder: every_command(campaign, folder), "scripts/every-command")
