"""What a folder holds, so that two states of it can be compared."""
import hashlib
import os
import shutil
from pathlib import Path

from . import checkpoint_file as checkpoint

_digests = {}  # (device, inode, mtime, size) -> digest: inputs are hard links, and large ones among them


def timeless_start(file):
    """What is compared of a checkpoint's head and manifest: that they are whole. (The history has seconds in it.)
    Of any other file there is nothing to leave out, and the file is at its begin again."""
    head = file.read(checkpoint.HEADER)
    if head.startswith(b"\x89resflow") and len(head) == checkpoint.HEADER:
        length = checkpoint.manifest_length(head)
        manifest = file.read(length) if length < 1 << 26 else b""
        if checkpoint.is_whole(head, manifest):
            file.seek(checkpoint.aligned(checkpoint.HEADER + length))
            return b"a checkpoint of %d bytes of values" % (os.fstat(file.fileno()).st_size - file.tell())
    file.seek(0)
    return b""


def digest(path):
    facts = os.stat(path)
    key = (facts.st_dev, facts.st_ino, facts.st_mtime_ns, facts.st_size)
    if key not in _digests:
        value = hashlib.blake2b(digest_size=16)
        with open(path, "rb") as file:
            value.update(timeless_start(file))
            while block := file.read(1 << 20):
                value.update(block)
        if len(_digests) > 20000:
            _digests.clear()
        _digests[key] = value.hexdigest()
    return _digests[key]


def snapshot(folder):
    """Path below `folder` -> a digest of its bytes, "-> TARGET" of a link, "folder"."""
    state = {}
    for where, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(where, name)
            key = os.path.relpath(path, folder)
            if os.path.islink(path):
                state[key] = "-> " + os.readlink(path)
            elif os.path.isdir(path):
                state[key] = "folder"
            elif os.path.isfile(path):
                state[key] = digest(path)
            else:
                state[key] = "special"
    return state


def lay(source, target):
    """Makes `target` the same as `source`, of hard links: for what is only read."""
    source, target = Path(source), Path(target)
    if source.is_dir() and not source.is_symlink():
        target.mkdir(parents=True, exist_ok=True)
        for entry in os.scandir(source):
            lay(entry.path, target / entry.name)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(source, target, follow_symlinks=False)


def copy(source, target):
    """The same, of copies: for what a command changes."""
    source, target = Path(source), Path(target)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
