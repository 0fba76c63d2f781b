"""Part 1: every call of libc on files and threads fails, once and from then on, in every command line."""
import re

from . import judge, tree
from .commands import all_commands, references, steady
from .driver import Trial
from .program import Fault

EIO, EINTR, EAGAIN, ENOMEM, EACCES, EBUSY, ENFILE, EMFILE, ENOSPC, EROFS = 5, 4, 11, 12, 13, 16, 23, 24, 28, 30
EPERM, ENOENT, EXDEV, EINVAL, ENOSYS, ENOLCK, EOPNOTSUPP = 1, 2, 18, 22, 38, 37, 95
ETIMEDOUT, ESTALE, EDQUOT = 110, 116, 122
NAMES = {value: name for name, value in list(globals().items()) if name[0] == "E" and isinstance(value, int)}
# Short reads and writes are none of errno's.
SHORT = 0

# What the kernel may answer to a call.
ERRORS = {
    "open": [EIO, EMFILE, EINTR, ESTALE, ENOMEM, EACCES, ENOENT, ENOSPC, EROFS],
    "read": [EIO, EINTR, ESTALE, ETIMEDOUT, SHORT],
    "write": [ENOSPC, EIO, EINTR, EDQUOT, SHORT],
    "fsync": [EIO, ENOSPC, EINTR],
    "close": [EIO, EINTR, ENOSPC],
    "ftruncate": [EIO, ENOSPC, EINTR],
    "stat": [EIO, ESTALE, EACCES, ENOENT],
    "readdir": [EIO, ESTALE],
    "opendir": [EIO, EMFILE, EACCES],
    "rename": [EIO, ENOSPC, EACCES],
    "renameat2": [EIO, EINVAL, ENOSYS, EOPNOTSUPP],
    "link": [EIO, EPERM, EOPNOTSUPP, ENOSPC],
    "symlink": [EIO, EPERM, ENOSPC],
    "unlink": [EIO, EACCES, EBUSY],
    "mkdir": [ENOSPC, EACCES, EIO],
    "flock": [EINTR, ENOLCK, EOPNOTSUPP],
    "poll": [EINTR, ENOMEM],
    "pthread_create": [EAGAIN],
    "statvfs": [EIO, ENOSYS],
    "copy_file_range": [EXDEV, EIO, ENOSPC],
    "sendfile": [EINVAL, EIO, ENOSPC],
}
ALIKE = {"openat": "open", "fopen": "open", "pread": "read", "pread64": "read", "pwrite": "write", "pwrite64": "write",
         "writev": "write", "fdatasync": "fsync", "stat64": "stat", "lstat": "stat", "lstat64": "stat", "fstat": "stat",
         "fstat64": "stat", "fstatat": "stat", "fstatat64": "stat", "statx": "stat", "access": "stat",
         "faccessat": "stat", "readlink": "stat", "fdopendir": "opendir", "fstatvfs": "statvfs", "statfs": "statvfs",
         "fstatfs": "statvfs", "rmdir": "unlink"}

# With these the machine fails: the command goes round it and gives the reference's bytes, or ends with 4.
MACHINE = {EIO, EINTR, EAGAIN, ENOMEM, ENFILE, EMFILE, ESTALE, ETIMEDOUT, EDQUOT}


# With these a file says no, and others may be read.
FORBIDDEN = {EACCES, ENOENT, EPERM}
# Whoever meets EINTR tries again: it cannot come for ever.
PASSING = {EINTR}
# What other libraries look for on their own account.
FOREIGN = ("/usr/", "/etc/", "/var/", "/root/.cache/")


def kind_of(call):
    return ALIKE.get(call, call)


def errors_of(call):
    return ERRORS.get(kind_of(call), [EIO])


def all_of_kind(call):
    kind = kind_of(call)
    return ",".join([kind, *(name for name, of in ALIKE.items() if of == kind)])


def sweep(reference_calls, sample, draw):
    """(k, call, errno, mode) of the faults that are tried. From then on all calls of the kind fail."""
    if sample is None:
        faults = []
        for index, (call, _) in enumerate(reference_calls):
            errors = errors_of(call)
            for mode in ("once", "on"):
                # All errnos of a call come round, one at each of its places.
                error = errors[(index + (mode == "on")) % len(errors)]
                faults.append((index + 1, call, error, "once" if error in PASSING else mode))
        return faults
    # Each kind of place once rather than one place often: what a file is read by are many calls alike.
    kinds = {}
    for index, (call, path) in enumerate(reference_calls):
        # Names of control groups differ from one place to the next, and so would the sample.
        if not path.startswith((*FOREIGN, "/proc/", "/sys/")):
            kinds.setdefault((call, path), []).append(index + 1)
    chosen = []
    for call, path in draw.sample(sorted(kinds), min(sample, len(kinds))):
        error = draw.choice(errors_of(call))
        mode = "once" if error in PASSING else draw.choice(("once", "on"))
        chosen.append((draw.choice(kinds[call, path]), call, error, mode))
    return chosen


def try_fault(campaign, command, known, k, call, error, mode, folder):
    command.lay(campaign.stage, folder)
    fault = Fault(at=k, then=all_of_kind(call) if mode == "on" else "", do="error:%d" % error if error else "short")
    outcome = command.run(campaign.program, folder, fault)
    if not outcome.hit:
        return []  # it made fewer calls this time
    where = " [%s]" % outcome.hit.replace(str(folder), ".")
    call, _, path = outcome.hit.partition(" ")
    spoken = path.startswith("/dev/") or "pipe:" in path or path in ("-", "/") or "/#" in path or "deleted" in path
    state = tree.snapshot(folder)
    unlink_failed = call in ("unlink", "rmdir")
    if error == SHORT:
        allowed = {known.code}
    elif path.startswith(FOREIGN):
        allowed = {known.code, *judge.DOCUMENTED}
    elif error in MACHINE or (mode == "once" and path.startswith(("/proc/", "/sys/"))):
        allowed = {known.code, 4}
    else:
        allowed = {known.code, *judge.DOCUMENTED}
    # Where standard error is what failed, nothing can be said there.
    wrong = judge.exit_code(outcome, allowed, said=not spoken)
    if error in MACHINE and "broken" in judge_text(outcome, folder):
        wrong.append("the machine's fault is called a broken picture: %s" % outcome.err[-200:].strip())
    if outcome.code == known.code and not outcome.hung:
        if error in MACHINE or error == SHORT:
            lacking = judge.files_after_success(known, state, unlink_failed)
            wrong += ["ends well, but " + w for w in lacking if not judge.is_warned_of(w, outcome.err)]
            # What an auxiliary file was not written for is not said to be there.
            lacks = any("%s: " % word in outcome.err for word in judge.AUXILIARY.values())
            if known.out and steady(outcome.out) != known.out and not spoken and not lacks:
                wrong.append("ends well, but prints something else")
    else:
        left = judge.files_after_failure(command, known, state, unlink_failed)
        # Where pictures may not be read, rows and pages say so.
        wrong += [w for w in left if error not in FORBIDDEN or outcome.code not in (0, 3) or "is neither" not in w]
        # A run that went on without those pictures goes on from there.
        wrong += [w for w in repeat(campaign, command, known, folder, unlink_failed)
                  if error not in FORBIDDEN or not command.name.startswith("train") or "not the reference" not in w]
    return [w + where for w in wrong]


def judge_text(outcome, folder):
    # The campaign's own folders are not called so.
    return outcome.err.replace(str(folder), "")


def repeat(campaign, command, known, folder, unlink_failed=False):
    """The same command without the fault gives the reference's bytes."""
    if not judge.files_after_success(known, tree.snapshot(folder), unlink_failed):
        return []  # all of it was done, and what failed came after
    outcome = command.run(campaign.program, folder, again=True)
    if outcome.code == 2 and command.resume:  # nothing to go on from
        outcome = command.run(campaign.program, folder)
    if outcome.code != known.code:
        return ["repeated, it ends with %d: %s" % (outcome.code, outcome.err[-200:].strip())]
    return ["repeated, " + w for w in judge.files_after_success(known, tree.snapshot(folder), unlink_failed)
            if not is_another_state(campaign, folder, w)]


def is_another_state(campaign, folder, sentence):
    """A generation before last.resflow is one of the run's states, but not the reference's: a run that was saved once
    more has moved them on."""
    path = sentence.split(" ")[0]
    if not re.fullmatch(r"run[^/]*/last\.resflow\.[0-9]+", path) or "is not the reference" not in sentence:
        return False
    return campaign.program.run(["inspect", path, "--verify"], folder).code == 0


def trials(campaign):
    only = [name.split("/") for name in campaign.options.only if name.startswith("calls/")]
    chosen = [c for c in all_commands() if not only or any(name[1] == c.name for name in only)]
    for command, known in references(campaign, chosen):
        if isinstance(known, str):
            yield Trial("calls/%s/reference" % command.name, lambda folder, why=known: [why], command.line())
            continue
        # What is repeated need not be in the sample.
        faults = [(int(name[2]), name[3], next((v for v, n in NAMES.items() if n == name[4]), SHORT), name[5])
                  for name in only if name[1] == command.name] or \
            sweep(known.calls, 4 if campaign.sample else None, campaign.random("calls", command.name))
        for k, call, error, mode in faults:
            name = "calls/%s/%d/%s/%s/%s" % (command.name, k, call, NAMES.get(error, "short"), mode)
            yield Trial(name, lambda folder, f=(k, call, error, mode), c=command, r=known:
                        try_fault(campaign, c, r, *f, folder), command.line())
