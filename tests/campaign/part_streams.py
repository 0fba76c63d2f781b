"""Standard input, output and error that are closed, full or gone: no data file takes their place, and files come out as
ever."""
import os
import subprocess

from . import judge, tree
from .commands import all_commands, references
from .driver import Trial

FULL, BOTH = "/dev/full", 12
STREAMS = {"stdin-closed": (0, None), "stdout-closed": (1, None), "stderr-closed": (2, None),
           "both-closed": (BOTH, None), "stdout-full": (1, FULL), "stderr-full": (2, FULL), "both-full": (BOTH, FULL)}
LIMIT = 60


def prepare(number, target):
    """What the process does before the program begins in it."""
    for fd in (1, 2) if number == BOTH else (number,):
        if target is None:
            os.close(fd)
        else:
            full = os.open(target, os.O_WRONLY)
            os.dup2(full, fd)
            os.close(full)


def try_stream(campaign, command, known, name, folder):
    command.lay(campaign.stage, folder)
    number, target = STREAMS[name]
    stdin = open(folder / command.stdin, "rb") if command.stdin else subprocess.DEVNULL
    process = subprocess.Popen([campaign.program.path, *command.arguments], cwd=folder, stdin=stdin,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               preexec_fn=lambda: prepare(number, target))
    try:
        code = process.wait(LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return ["hangs: it was still running after %d s" % LIMIT]
    finally:
        if command.stdin:
            stdin.close()
    allowed = {known.code}
    if number in (1, BOTH):
        allowed.add(4)  # what it prints is not complete: that is said when all else is done
    if number == 0 and command.stdin:
        allowed.add(3)
    wrong = []
    if code not in allowed:
        wrong.append("exit code %d, wanted %s" % (128 - code if code < 0 else code,
                                                  " or ".join(map(str, sorted(allowed)))))
    if code in (known.code, 4):
        wrong += judge.files_after_success(known, tree.snapshot(folder))
    return wrong


def trials(campaign):
    only = [name.split("/") for name in campaign.options.only if name.startswith("streams/")]
    chosen = [c for c in all_commands() if not only or any(name[1] == c.name for name in only)]
    draw = campaign.random("streams")
    if campaign.sample and not only:
        chosen = draw.sample(chosen, 10)
    for command, known in references(campaign, chosen, calls=""):
        if isinstance(known, str):
            yield Trial("streams/%s/reference" % command.name, lambda folder, why=known: [why], command.line())
            continue
        for name in draw.sample(sorted(STREAMS), 2) if campaign.sample and not only else STREAMS:
            yield Trial("streams/%s/%s" % (command.name, name), lambda folder, c=command, r=known, n=name:
                        try_stream(campaign, c, r, n, folder), command.line())
