"""Runs of the program: with a limit of time, what they took, and a fault on the way (tests/campaign/shim)."""
import os
import resource
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path


# They do not look whether they got memory.
SPARED = "libdnnl,libfontconfig,libexpat,libcairo,libfreetype,libpixman,libtbb,libhwloc,libcrypto"


@dataclass
class Fault:
    """What campaign_shim does to a run; shim.h says what the members mean."""
    calls: str = "files,threads"
    at: int = 0
    then: str = ""
    do: str = ""
    under: str = ""
    trace: bool = False
    record: str = ""

    def environment(self, shim, report):
        return {"LD_PRELOAD": str(shim), "RESFLOW_SHIM_CALLS": self.calls, "RESFLOW_SHIM_AT": str(self.at),
                "RESFLOW_SHIM_THEN": self.then, "RESFLOW_SHIM_DO": self.do, "RESFLOW_SHIM_UNDER": self.under,
                "RESFLOW_SHIM_SPARE": SPARED,
                "RESFLOW_SHIM_TRACE": "1" if self.trace else "", "RESFLOW_SHIM_REPORT": str(report),
                **({"RESFLOW_SHIM_RECORD": self.record} if self.record else {})}


@dataclass
class Outcome:
    code: int  # 128 + n where a signal ended it, as a shell says
    out: str
    err: str
    seconds: float
    cpu: float  # seconds of all its threads
    peak: int  # bytes that it had in memory at most
    hung: bool  # it was killed at the limit of time
    cpu_after: float = 0  # seconds of its threads after the signal that was sent
    hit: str = ""  # "CALL PATH" that the fault met
    calls: list = field(default_factory=list)  # (call, path) of each that counted, where the fault traces
    count: int = 0


class Program:
    def __init__(self, path, shim):
        self.path = Path(path).resolve()
        self.shim = Path(shim).resolve()

    def start(self, arguments, folder, environment=None, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
              stderr=subprocess.DEVNULL, limits=()):
        """The process, begun."""
        def limit():
            for what, most in limits:
                resource.setrlimit(what, (most, most))
        return subprocess.Popen([self.path, *arguments], cwd=folder, stdin=stdin, stdout=stdout, stderr=stderr,
                                env={**os.environ, **(environment or {})}, preexec_fn=limit if limits else None)

    def run(self, arguments, folder, fault=None, environment=None, seconds=60, stdin=subprocess.DEVNULL, limits=(),
            signal_after=None, signal_number=signal.SIGINT):
        """Runs to the end, or for `seconds`. Where `signal_after` is given, sends the signal after so many."""
        with tempfile.TemporaryDirectory(prefix="campaign-") as reports, tempfile.TemporaryFile() as out, \
                tempfile.TemporaryFile() as err:
            report = Path(reports) / "report"
            variables = {**(environment or {}), **(fault.environment(self.shim, report) if fault else {})}
            began = time.monotonic()
            process = self.start(arguments, folder, variables, stdin, out, err, limits)
            status, usage, hung, before = wait(process, began, seconds, signal_after, signal_number)
            outcome = Outcome(status, text_of(out), text_of(err), time.monotonic() - began,
                              usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, hung)
            outcome.cpu_after = outcome.cpu - before if before is not None else 0
            read_report(report, outcome)
            return outcome


def facts_of(pid):
    """The letter of its state, and what it has used of its threads' seconds."""
    with open("/proc/%d/stat" % pid) as file:
        fields = file.read().rpartition(")")[2].split()
    return fields[0], (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_of(pid):
    return facts_of(pid)[1]


def waits(process, seconds):
    """True when it sleeps and has done nothing for a second, False where that does not come."""
    end, seen = time.monotonic() + seconds, []
    while time.monotonic() < end and process.poll() is None:
        seen = [*seen[-9:], facts_of(process.pid)]
        if len(seen) == 10 and seen[0][1] > 0 and all(facts == ("S", seen[0][1]) for facts in seen):
            return True
        time.sleep(0.1)
    return False


def wait(process, began, seconds, signal_after=None, signal_number=signal.SIGINT):
    """Its code as a shell says it, what it used, whether it was killed, and what it had used when the signal was sent."""
    hung, before = False, None
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        passed = time.monotonic() - began
        if signal_after is not None and passed >= signal_after:
            before = cpu_of(process.pid)
            process.send_signal(signal_number)
            signal_after = None
        if passed > seconds and not hung:
            hung = True
            process.kill()
        time.sleep(0.002 if passed < 1 else 0.01)
    code = os.waitstatus_to_exitcode(status)
    process.returncode = code
    return (128 - code if code < 0 else code), usage, hung, before


def text_of(file):
    file.seek(0)
    return file.read().decode(errors="replace")


def read_report(path, outcome):
    if not path.exists():
        return
    for line in path.read_text(errors="replace").splitlines():
        what, _, rest = line.partition(" ")
        if what == "hit":
            outcome.hit = rest.partition(" ")[2]
        elif what == "call":
            _, call, where = rest.split(" ", 2)
            outcome.calls.append((call, where))
        elif what == "count":
            outcome.count = int(rest)
