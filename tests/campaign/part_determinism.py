"""Part 10: the same bytes whatever the surroundings are, and, where that is promised, whatever the threads."""
from itertools import product

from . import tree
from .commands import command, is_event_file
from .driver import Trial

THREADS = (1, 2, 3, 8)
SURROUNDINGS = {
    "german": {"LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8"},
    "turkish": {"LC_ALL": "tr_TR.UTF-8"},
    "c": {"LC_ALL": "C"},
    "no-locale": {"LC_ALL": "no_SUCH", "LANGUAGE": "xx"},
    "auckland": {"TZ": "Pacific/Auckland"},
    "no-zone": {"TZ": ":/nowhere"},
    "no-home": {"HOME": "/nowhere", "TMPDIR": "/nowhere"},
    "dumb": {"TERM": "dumb", "COLUMNS": "1"},
    "yesterday": {"RESFLOW_SHIM_CLOCK": "-86400"},
    "next-century": {"RESFLOW_SHIM_CLOCK": "2500000000"},
}
# Any number of threads gives these the same bytes.
OF_PICTURES = ["pack", "pack-resize", "stats", "preview", "split-list"]
# Rows are the same for the same threads and executors; and training is.
OF_NETWORKS = ["score-csv", "score-jsonl", "score-npz", "train", "train-features", "train-svm", "evaluate", "quantize"]
SETS = ("SSE41", "AVX2", "AVX512_CORE")


def with_threads(arguments, threads, executors=None):
    changed = list(arguments)
    changed[changed.index("--threads") + 1] = str(threads)
    if executors and "--executors" in changed:
        changed[changed.index("--executors") + 1] = str(executors)
    return changed


def outputs(campaign, name, threads, executors, environment):
    chosen = command(name)
    with campaign.folder() as folder:
        chosen.lay(campaign.stage, folder)
        before = tree.snapshot(folder)
        variables = dict(environment)
        if "RESFLOW_SHIM_CLOCK" in variables:
            variables["LD_PRELOAD"] = str(campaign.program.shim)
        arguments = with_threads(chosen.arguments, threads, executors)
        outcome = campaign.program.run(arguments, folder, environment=variables, seconds=120)
        if outcome.code != 0:
            return None, "ends with %d: %s" % (outcome.code, outcome.err.strip())
        after = tree.snapshot(folder)
        return {path: what for path, what in after.items() if before.get(path) != what and not is_event_file(path)}, ""


def same(campaign, name, one, other):
    first, why = outputs(campaign, name, *one)
    again, why_again = outputs(campaign, name, *one)
    second, why_second = outputs(campaign, name, *other)
    if why or why_again or why_second:
        return [why or why_again or why_second]
    # What differs of itself has times in it.
    steady = [path for path in first if again.get(path) == first[path]]
    wrong = ["%s has other bytes" % path for path in steady if second.get(path) != first[path]]
    if set(first) != set(second):
        wrong.append("other files are made: %s" % sorted(set(first) ^ set(second)))
    return wrong


def trials(campaign):
    tried = {}
    for name, threads in product(OF_PICTURES, THREADS[1:]):
        tried["%s/threads-%d" % (name, threads)] = (name, (1, 1, {}), (threads, 1, {}))
    for name, (label, environment) in product(OF_PICTURES + OF_NETWORKS, SURROUNDINGS.items()):
        tried["%s/%s" % (name, label)] = (name, (1, 1, {}), (1, 1, environment))
    for name, threads, executors in product(OF_NETWORKS, THREADS[1:], (1, 2, 3)):
        if executors <= threads and (executors == 1 or name.startswith("score")):
            tried["%s/again-%d-%d" % (name, threads, executors)] = (name, (threads, executors, {}),
                                                                    (threads, executors, {}))
    for name, isa in product(OF_NETWORKS, SETS):
        forced = (1, 1, {"ONEDNN_MAX_CPU_ISA": isa})
        tried["%s/again-%s" % (name, isa)] = (name, forced, forced)
    for name, isa in product(OF_PICTURES, SETS):
        tried["%s/%s" % (name, isa)] = (name, (1, 1, {}), (1, 1, {"ONEDNN_MAX_CPU_ISA": isa}))
    only = {o.removeprefix("determinism/") for o in campaign.options.only}
    names = [n for n in tried if not only or n in only]
    if campaign.sample and not only:
        names = campaign.draw(names, 14, "determinism")
    for name in names:
        yield Trial("determinism/" + name, lambda folder, t=tried[name]: same(campaign, *t),
                    command(tried[name][0]).line())
