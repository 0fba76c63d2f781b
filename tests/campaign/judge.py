"""What must hold after a command met a fault, and after it was repeated."""
from .commands import is_event_file

DOCUMENTED = {0, 2, 3, 4}
NEVER_SAID = ("internal fault", "terminate called", "what():", "Assertion", "==ERROR", "Segmentation")


# What a run can do without, by the word that its warning begins with: it says that it does.
AUXILIARY = {"report.html": "report", "history.csv": "history.csv", "config.toml": "config.toml"}


def is_warned_of(sentence, err):
    """`sentence` says that an auxiliary file is missing or not as it should be, and the program has warned of that."""
    word = AUXILIARY.get(sentence.split(" ")[0].rpartition("/")[2])
    return word is not None and any(line.startswith("resflow: warning: %s: " % word) for line in err.splitlines())


def failure_sentences(err):
    return [line for line in err.splitlines()
            if line.startswith("resflow: ") and not line.startswith(("resflow: warning:", "resflow: note:"))]


def exit_code(outcome, allowed, said=True):
    """The code is one of these, or that of a signal that was sent; a failure is one sentence."""
    if outcome.hung:
        return ["hangs: it was still running after %.0f s" % outcome.seconds]
    wrong = []
    if outcome.code > 128 and outcome.code not in allowed:
        wrong.append("a signal ended it: exit code %d, the last words: %s" % (outcome.code, outcome.err[-200:].strip()))
    elif outcome.code not in allowed:
        wrong.append("exit code %d, wanted %s: %s" % (outcome.code, " or ".join(map(str, sorted(allowed))),
                                                      outcome.err[-200:].strip()))
    for words in NEVER_SAID:
        if words in outcome.err:
            wrong.append("says '%s': %s" % (words, outcome.err[-200:].strip()))
            break
    if said and outcome.code in (2, 3, 4):
        sentences = failure_sentences(outcome.err)
        if len(sentences) != 1:
            wrong.append("exit code %d with %d sentences, wanted 1: %s" % (outcome.code, len(sentences),
                                                                           outcome.err[-300:].strip()))
    return wrong


def files_after_failure(command, reference, state, unlink_failed=False):
    """Each file is the old one or the new one, and nothing else is there but what the next run goes on from."""
    wrong = []
    for path, content in state.items():
        if path in reference.changing or is_event_file(path) or command.leaves(path):
            continue
        old, new = reference.before.get(path), reference.after.get(path)
        if content in (old, new):
            continue
        if old is None and new is None:
            if content != "folder" and not (unlink_failed and "partial" in path):
                wrong.append("%s is left over" % path)
        else:
            wrong.append("%s is neither the old file nor the new one" % path)
    # What was there before stays or becomes the new one. A run that replaces another has saved before that goes, and
    # `move` takes files out of the data.
    for path in reference.before:
        replaced = command.leaves(path) and state.get("run/last.resflow", "") not in ("", reference.before.get(
            "run/last.resflow"))
        if path not in state and not replaced and not is_event_file(path) and "move" not in command.name:
            wrong.append("%s is gone" % path)
    return wrong


def files_after_success(reference, state, unlink_failed=False):
    wrong = []
    for path, content in reference.after.items():
        if path not in state:
            wrong.append("%s is missing" % path)
        elif state[path] != content:
            wrong.append("%s is not the reference's" % path)
    for path in reference.changing:
        if path not in state and not is_event_file(path):
            wrong.append("%s is missing" % path)
    for path, content in state.items():
        known = path in reference.after or path in reference.changing or is_event_file(path)
        if not known and content != "folder" and not (unlink_failed and "partial" in path):
            wrong.append("%s is left over" % path)
    return wrong
