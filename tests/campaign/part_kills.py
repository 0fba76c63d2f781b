"""Part 4: commands are ended at random moments and at chosen calls, up to twice more while they recover; repeated, they
give the reference's bytes."""
import os
import signal
import subprocess

from . import judge, tree
from .commands import command, references
from .driver import Trial
from .part_calls import repeat
from .program import Fault, waits

CHOSEN = ["train", "train-features", "train-overwrite", "score-csv", "score-unordered", "score-npz", "pack-resize",
          "split-copy", "split-move", "merge"]
# What changes files: between two of these a kill finds the same disk.
CHANGES = ("write,pwrite,pwrite64,writev,rename,renameat2,link,unlink,rmdir,mkdir,symlink,fsync,fdatasync,ftruncate,"
           "copy_file_range,sendfile")
SIGNALS = {"KILL": signal.SIGKILL, "TERM": signal.SIGTERM, "INT": signal.SIGINT, "HUP": signal.SIGHUP}


def end_at_moment(program, chosen, folder, seconds, number, again):
    return chosen.run(program, folder, again=again, signal_after=seconds, signal_number=number)


def end_at_call(program, chosen, folder, k, number, again):
    return chosen.run(program, folder, Fault(calls=CHANGES, at=k, do="signal:%d" % number), again=again)


def kill(campaign, chosen, known, index, folder):
    """All of it follows from the index: which signal, where, and how often."""
    draw = campaign.random("kill", chosen.name, index)
    chosen.lay(campaign.stage, folder)
    wrong, told = [], []
    for turn in range(draw.choice((1, 1, 2, 3))):
        name = draw.choice(("KILL", "KILL", "TERM", "INT", "HUP"))
        number = SIGNALS[name]
        if draw.random() < 0.5:
            seconds = draw.uniform(0, known.seconds * 1.1)
            told.append("%s after %.3f s" % (name, seconds))
            outcome = end_at_moment(campaign.program, chosen, folder, seconds, number, turn > 0)
        else:
            k = draw.randrange(1, len(known.calls) + 1)
            told.append("%s at the change %d" % (name, k))
            outcome = end_at_call(campaign.program, chosen, folder, k, number, turn > 0)
        # What is run again may be there already, or have nothing to go on from: both are wrong usage.
        allowed = {known.code, 128 + number} | ({2} if turn > 0 else set())
        wrong += judge.exit_code(outcome, allowed)
        state = tree.snapshot(folder)
        if outcome.code != known.code:
            wrong += judge.files_after_failure(chosen, known, state, unlink_failed=True)
    wrong += repeat_after_kill(campaign, chosen, known, folder)
    return ["%s [%s]" % (w, ", then ".join(told)) for w in wrong]


def repeat_after_kill(campaign, chosen, known, folder):
    state = tree.snapshot(folder)
    if not judge.files_after_success(known, state):
        return []  # the kill came too late
    wrong = repeat(campaign, chosen, known, folder)
    # A writer that was killed leaves its own partial file, and it is another's business to know that.
    return [w for w in wrong if not ("is left over" in w and "partial" in w)]


def hold_list(campaign, how, name, folder):
    """A wait for a list that does not come is ended by the first signal."""
    tree.lay(campaign.stage / "model.resflow", folder / "model.resflow")
    arguments = ["score", "model.resflow", "--threads", "1", "--out", "s.csv"]
    source = None
    if how == "stdin":
        arguments += ["-"]
    elif how == "list":
        os.mkfifo(folder / "l")
        arguments += ["--list", "l"]
    else:
        os.mkfifo(folder / "l.tar")
        arguments += ["l.tar"]
    process = campaign.program.start(arguments, folder, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        if how.endswith("written"):
            source = os.open(folder / "l.tar", os.O_RDWR | os.O_NONBLOCK)
        if not waits(process, 30):
            return ["it does not wait"] if process.poll() is None else ["it ended with %d" % process.returncode]
        process.send_signal(SIGNALS[name])
        try:
            code = process.wait(3)
        except subprocess.TimeoutExpired:
            return ["it goes on waiting 3 s after SIG%s" % name]
        return [] if code in (128 + SIGNALS[name], -SIGNALS[name]) else ["exit code %d" % code]
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        if source is not None:
            os.close(source)


def trials(campaign):
    only = [name.split("/") for name in campaign.options.only if name.startswith("kills/")]
    names = [n for n in CHOSEN if not only or any(name[1] == n for name in only)]
    kills = campaign.options.kills or (20 if campaign.sample else 1000)
    for chosen, known in references(campaign, [command(n) for n in names], calls=CHANGES):
        if isinstance(known, str):
            yield Trial("kills/%s/reference" % chosen.name, lambda folder, why=known: [why], chosen.line())
            continue
        each = max(1, kills // len(CHOSEN))
        for index in [int(name[2]) for name in only if name[1] == chosen.name] or range(each):
            yield Trial("kills/%s/%d" % (chosen.name, index), lambda folder, c=chosen, r=known, i=index:
                        kill(campaign, c, r, i, folder), chosen.line())
    for how in ("stdin", "list", "archive", "archive-written"):
        for name in ("INT", "TERM", "HUP"):
            if not campaign.sample or name == "INT":
                yield Trial("kills/waiting-%s/%s" % (how, name), lambda folder, h=how, n=name:
                            hold_list(campaign, h, n, folder))
