"""The campaign's own instruments: what they do to a program that is not resflow (cat, cp), and what they call wrong.
python3 tests/campaign/selftest.py SHIM"""
import os
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.campaign import judge, tree  # noqa: E402
from tests.campaign.commands import Command, Reference  # noqa: E402
from tests.campaign.disk import Disk, read_events  # noqa: E402
from tests.campaign.program import Fault, Outcome, Program  # noqa: E402

SHIM = ""
EIO = 5


def outcome(code, err="", hung=False):
    return Outcome(code, "", err, 1.0, 1.0, 0, hung)


class InAFolder(unittest.TestCase):
    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.addCleanup(self._folder.cleanup)
        self.folder = Path(self._folder.name).resolve()
        (self.folder / "in").write_bytes(b"0123456789" * 1000)

    def program(self, name):
        return Program("/usr/bin/" + name if os.path.exists("/usr/bin/" + name) else "/bin/" + name, SHIM)


class Shim(InAFolder):
    def test_counts_and_names_the_calls(self):
        run = self.program("cat").run(["in"], self.folder, Fault(trace=True))
        self.assertEqual(run.code, 0)
        self.assertEqual(run.count, len(run.calls))
        self.assertIn(("open", "in"), [(call, Path(path).name) for call, path in run.calls])

    def test_fails_the_call_that_is_chosen_and_no_other(self):
        calls = self.program("cat").run(["in"], self.folder, Fault(calls="open", trace=True)).calls
        k = [Path(path).name for _, path in calls].index("in") + 1
        run = self.program("cat").run(["in"], self.folder, Fault(calls="open", at=k, do="error:%d" % EIO))
        self.assertIn("Input/output error", run.err)
        self.assertEqual(run.out, "")
        self.assertTrue(run.hit.startswith("open "))
        again = self.program("cat").run(["in", "in"], self.folder, Fault(calls="open", at=k, do="error:%d" % EIO))
        self.assertEqual(len(again.out), 10000)

    def test_fails_from_then_on_where_it_is_asked_to(self):
        calls = self.program("cat").run(["in"], self.folder, Fault(calls="open", trace=True)).calls
        k = [Path(path).name for _, path in calls].index("in") + 1
        fault = Fault(calls="open", at=k, then="open", do="error:%d" % EIO)
        run = self.program("cat").run(["in", "in"], self.folder, fault)
        self.assertEqual(run.err.count("Input/output error"), 2)

    def test_a_short_read_gives_half(self):
        whole = self.program("cat").run(["in"], self.folder, Fault(calls="read", trace=True))
        fault = Fault(calls="read", at=1, then="read", do="short", trace=True)
        halves = self.program("cat").run(["in"], self.folder, fault)
        self.assertEqual(halves.out, whole.out)
        self.assertGreaterEqual(halves.count, whole.count)

    def test_ends_the_program_at_a_call(self):
        run = self.program("cat").run(["in"], self.folder, Fault(calls="open", at=1, do="signal:9"))
        self.assertEqual(run.code, 128 + 9)

    def test_a_record_done_again_is_what_is_there(self):
        record = self.folder / "record"
        (self.folder / "work").mkdir()
        before = Disk(self.folder / "work")
        run = self.program("dd").run(["if=../in", "of=out", "bs=1000", "conv=fsync"], self.folder / "work",
                                     Fault(calls="", record=str(record)))
        self.assertEqual(run.code, 0)
        for fields, data in read_events(record):
            before.apply(fields, data)
        self.assertEqual(before.state("killed"), {"out": (self.folder / "in").read_bytes()})
        self.assertEqual(before.state("lost"), before.state("killed"))


class Power(InAFolder):
    def disk(self, *events):
        (self.folder / "in").unlink()
        disk = Disk(self.folder)
        for fields, data in events:
            disk.apply(fields, data)
        return disk

    OPEN = (["open", "7", str(os.O_WRONLY | os.O_CREAT), "a"], b"")
    DATA = (["data", "7", "0", "4"], b"data")
    SYNC = (["sync", "7", "0"], b"")
    RENAME = (["rename", "a", "b", "7"], b"")
    FOLDER = (["sync", "99", "0"], b"")

    def test_a_rename_before_a_sync_leaves_an_empty_file(self):
        self.assertEqual(self.disk(self.OPEN, self.DATA, self.RENAME).state("lost"), {"b": b""})

    def test_zeros_stand_where_data_were_not_synced(self):
        self.assertEqual(self.disk(self.OPEN, self.DATA).state("zeros"), {"a": bytes(4)})

    def test_what_was_synced_stays(self):
        self.assertEqual(self.disk(self.OPEN, self.DATA, self.SYNC, self.RENAME).state("lost"), {"b": b"data"})

    def test_a_name_is_lost_until_the_folder_is_synced(self):
        events = (self.OPEN, self.DATA, self.SYNC, self.FOLDER, self.RENAME)
        self.assertEqual(self.disk(*events).state("names"), {"a": b"data"})

    def test_half_of_the_last_write_comes(self):
        self.assertEqual(self.disk(self.OPEN, self.DATA).state("torn"), {"a": b"da"})
        self.assertEqual(Disk(self.folder).state("torn"), {})


class Judge(InAFolder):
    KNOWN = Reference({"in": "1", "old": "2"}, {"in": "1", "old": "3", "out": "4"}, {"times.json"}, 0, "", [], 1.0)

    def test_a_failure_is_one_sentence(self):
        self.assertEqual(judge.exit_code(outcome(4, "resflow: warning: a\nresflow: no space\n"), {0, 4}), [])
        for wrong in (outcome(4, ""), outcome(4, "resflow: a\nresflow: b\n"), outcome(3, "resflow: a\n"),
                      outcome(134, ""), outcome(0, "", hung=True), outcome(4, "resflow: internal fault: x\n")):
            self.assertNotEqual(judge.exit_code(wrong, {0, 4}), [], wrong)

    def test_a_file_is_the_old_one_or_the_new_one(self):
        command = Command("score", [], [], may_leave=("*.partial",))
        sound = ({"in": "1", "old": "2"}, {"in": "1", "old": "3", "out": "4"},
                 {"in": "1", "old": "2", "out.partial": "9"})
        for state in sound:
            self.assertEqual(judge.files_after_failure(command, self.KNOWN, state), [])
        for state in ({"in": "1", "old": "9"}, {"in": "1"}, {"old": "2"}, {"in": "1", "old": "2", "left": "5"}):
            self.assertNotEqual(judge.files_after_failure(command, self.KNOWN, state), [], state)

    def test_after_success_all_is_there_and_nothing_else(self):
        whole = {"in": "1", "old": "3", "out": "4", "times.json": "7"}
        self.assertEqual(judge.files_after_success(self.KNOWN, whole), [])
        for state in (whole | {"out": "5"}, whole | {"out.partial": "9"}, {"in": "1", "old": "3", "times.json": "7"},
                      {"in": "1", "old": "3", "out": "4"}):
            self.assertNotEqual(judge.files_after_success(self.KNOWN, state), [], state)


class Tree(InAFolder):
    def test_a_state_says_what_changed(self):
        before = tree.snapshot(self.folder)
        (self.folder / "in").write_bytes(b"other")
        os.symlink("nowhere", self.folder / "link")
        after = tree.snapshot(self.folder)
        self.assertNotEqual(before["in"], after["in"])
        self.assertEqual(after["link"], "-> nowhere")

    def test_of_a_checkpoint_the_values_count(self):
        from tests.campaign.checkpoint_file import HEADER, patched, xxh3
        head = bytearray(HEADER)
        head[:12] = b"\x89resflow\r\n\x1a\n"
        manifest = b"\x08\x01"
        head[16:32] = len(manifest).to_bytes(8, "little") + xxh3(manifest).to_bytes(8, "little")
        head[56:] = xxh3(bytes(head[:56])).to_bytes(8, "little")
        one = bytes(head) + manifest.ljust(64, b"\0") + b"values"
        for name, data in (("one", one), ("timed", patched(one, b"\x10\x05")), ("other", one[:-1] + b"S"),
                           ("broken", one[:64] + b"\x09" + one[65:])):
            (self.folder / name).write_bytes(data)
        state = tree.snapshot(self.folder)
        self.assertEqual(state["one"], state["timed"])
        self.assertNotEqual(state["one"], state["other"])
        self.assertNotEqual(state["one"], state["broken"])


if __name__ == "__main__":
    SHIM = sys.argv.pop()
    unittest.main()
