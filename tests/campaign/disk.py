"""A disk that forgets: what campaign_shim recorded of a run is done again up to a point, and then the power goes.

The model: a write lies in memory until its file is synced. A name (made, renamed, taken away) does too until a folder
is synced; names become safe in their order. Everything else is left to chance, and so a state may be any of MODES.
"""
import os
from pathlib import Path

O_CREAT, O_TRUNC, O_TMPFILE = os.O_CREAT, os.O_TRUNC, 0o20000000

# killed: the process alone ends, nothing is lost. lost: what was not synced is gone, and names went before it. zeros:
# files have their lengths, and zeros where data were not synced. names: names since the last sync of a folder are gone
# as well. torn: of the last write the first half came.
MODES = ("killed", "lost", "zeros", "names", "torn")


class Content:
    def __init__(self, data=b""):
        self.data = bytearray(data)
        self.synced = bytes(data)
        self.kept = True  # nothing was written to it since it was laid


def read_events(path):
    """(fields, data) of each recorded change."""
    events = []
    with open(path, "rb") as record:
        while line := record.readline():
            fields = line.decode(errors="surrogateescape").rstrip("\n").split("\t")
            data = record.read(int(fields[3])) if fields[0] == "data" else b""
            events.append((fields, data))
    return events


class Disk:
    def __init__(self, folder):
        """What lies in the folder before the run."""
        self.root = Path(folder).resolve()
        self.names = {}
        for where, _, files in os.walk(self.root):
            for name in files:
                path = Path(where) / name
                content = Content(b"" if path.is_symlink() else path.read_bytes())
                self.names[str(path.relative_to(self.root))] = content
        self.safe_names = dict(self.names)
        self.by_inode = {}
        self.last_write = None

    def place(self, path):
        path = os.path.normpath(self.root / path)
        return os.path.relpath(path, self.root) if path.startswith(str(self.root) + "/") else None

    def apply(self, fields, data):
        getattr(self, "do_" + fields[0], lambda *_: None)(fields, data)

    def do_open(self, fields, _):
        inode, flags, path = fields[1], int(fields[2]), self.place(fields[3])
        if path is None:
            return
        if flags & O_TMPFILE == O_TMPFILE:
            self.by_inode[inode] = Content()
            self.by_inode[inode].kept = False
            return
        if path not in self.names:
            self.names[path] = Content()
            self.names[path].kept = False
        content = self.by_inode[inode] = self.names[path]
        if flags & O_TRUNC:
            content.data.clear()
            content.kept = False

    def do_data(self, fields, data):
        content = self.by_inode.get(fields[1])
        if content is None:
            return
        offset = int(fields[2])
        if len(content.data) < offset:
            content.data.extend(bytes(offset - len(content.data)))
        content.data[offset:offset + len(data)] = data
        content.kept = False
        self.last_write = (content, offset, len(data))

    def do_truncate(self, fields, _):
        content = self.by_inode.get(fields[1])
        if content is None:
            return
        length = int(fields[2])
        del content.data[length:]
        content.data.extend(bytes(length - len(content.data)))
        content.kept = False

    def do_sync(self, fields, _):
        content = self.by_inode.get(fields[1])
        if content is not None:
            content.synced = bytes(content.data)
            if self.last_write and self.last_write[0] is content:
                self.last_write = None
        else:  # a folder
            self.safe_names = dict(self.names)

    def do_rename(self, fields, _):
        source, target = self.place(fields[1]), self.place(fields[2])
        if source in self.names and target is not None:
            self.names[target] = self.names.pop(source)

    def do_exchange(self, fields, _):
        source, target = self.place(fields[1]), self.place(fields[2])
        if source in self.names and target in self.names:
            self.names[source], self.names[target] = self.names[target], self.names[source]

    def do_link(self, fields, _):
        source, target = self.place(fields[1]), self.place(fields[2])
        content = self.names.get(source) or self.by_inode.get(fields[3])
        if content is not None and target is not None:
            self.names[target] = content

    def do_unlink(self, fields, _):
        self.names.pop(self.place(fields[1]), None)

    def state(self, mode):
        """Path -> bytes of each file after the power went, None where it is as it was laid."""
        names = self.safe_names if mode == "names" else self.names
        return {path: None if content.kept else self.bytes_of(content, mode) for path, content in names.items()}

    def bytes_of(self, content, mode):
        if mode == "killed":
            return bytes(content.data)
        if mode == "torn" and self.last_write and self.last_write[0] is content:
            _, offset, length = self.last_write
            came = offset + length // 2
            return bytes(content.data[:came]) + content.synced[came:]
        if mode == "zeros":
            return content.synced[:len(content.data)].ljust(len(content.data), b"\0")
        return content.synced if mode in ("lost", "names") else bytes(content.data)

    def lay(self, folder, mode):
        """Makes a folder, where the command was laid before, what the disk is after the power went."""
        folder = Path(folder)
        state = self.state(mode)
        for where, _, files in os.walk(folder):
            for name in files:
                path = Path(where) / name
                if str(path.relative_to(folder)) not in state:
                    path.unlink()
        for path, data in state.items():
            if data is not None:
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.unlink(missing_ok=True)
                target.write_bytes(data)
