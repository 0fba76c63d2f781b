"""Files of weights as PyTorch writes them, and such as nobody should write.

    make_pth.py FOLDER

FOLDER/good/NAME.pth    what resflow must read; NAME.txt has a line "FORM|FOUND_UNDER|PREFIX", then a line
                        "NAME|DTYPE|SIZE,SIZE" a tensor; NAME.bin has the values one behind the other
FOLDER/bad/NAME.pth     what it must refuse. Some would make the file FOLDER/ran if a pickle were run.
"""
import argparse
import collections
import copyreg
import datetime
import decimal
import enum
import functools
import io
import os
import pathlib
import pickle
import struct
import sys
import tarfile
import types
import warnings
import zipfile

import numpy
import torch
import torchvision

folder = os.path.abspath(sys.argv[1])
good, bad = os.path.join(folder, "good"), os.path.join(folder, "bad")
ran = os.path.join(folder, "ran")
os.makedirs(good)
os.makedirs(bad)
torch.manual_seed(0)
warnings.simplefilter("ignore")  # of an entry twice, which is meant

KINDS = {torch.float32: "f32", torch.float64: "f64", torch.float16: "f16", torch.bfloat16: "bf16", torch.int64: "i64",
         torch.int32: "i32", torch.uint8: "u8"}


def raw(tensor):
    tensor = tensor.detach().contiguous().reshape(-1)
    return bytes(tensor.view(torch.uint8).numpy()) if tensor.numel() else b""


def say(name, tensors, form, found_under="", prefix=""):
    with open(f"{good}/{name}.txt", "w") as text, open(f"{good}/{name}.bin", "wb") as values:
        print(f"{form}|{found_under}|{prefix}", file=text)
        for key, tensor in tensors.items():
            print(f"{key}|{KINDS[tensor.dtype]}|{','.join(map(str, tensor.shape))}", file=text)
            values.write(raw(tensor))


def save(name, saved, tensors, found_under="", prefix="", **options):
    torch.save(saved, f"{good}/{name}.pth", **options)
    form = "legacy" if options.get("_use_new_zipfile_serialization") is False else "zip"
    say(name, tensors, form, found_under, prefix)


def both(name, saved, tensors, found_under="", prefix=""):
    save(name, saved, tensors, found_under, prefix)
    save(name + "_legacy", saved, tensors, found_under, prefix, _use_new_zipfile_serialization=False)


# -- what must be read

resnet = torchvision.models.resnet18(num_classes=5)
resnet.train()(torch.randn(4, 3, 32, 32))
both("resnet18", resnet.state_dict(), resnet.state_dict())

net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
adam = torch.optim.Adam(net.parameters())
net(torch.randn(2, 3, 8, 8)).sum().backward()
adam.step()
schedule = torch.optim.lr_scheduler.MultiStepLR(adam, [2, 5])
beside = {"epoch": 3, "loss": 0.25, "best": torch.tensor(0.5), "arch": "resnet", "optimizer": adam.state_dict(),
          "schedule": schedule.state_dict(), "random": torch.get_rng_state(), "device": torch.device("cpu"),
          "size": torch.Size([1, 2]), "dtype": torch.float16, "seen": {1, 2}, "raw": b"\0\xff", "huge": 1 << 200,
          "nothing": None, "flags": (True, False), "history": [1.5, [2, {"x": -(1 << 40)}]], "hooks": [],
          "mask": torch.tensor([True]), "complex": 1 + 2j, 7: "seven"}
for key in ["state_dict", "model", "model_state_dict", "net"]:
    both("under_" + key, {**beside, key: net.state_dict()}, net.state_dict(), key)

both("data_parallel", torch.nn.DataParallel(net).state_dict(), net.state_dict(), prefix="module.")
both("under_state_dict_data_parallel", {"state_dict": torch.nn.DataParallel(net).state_dict()}, net.state_dict(),
     "state_dict", "module.")
some_prefixed = {"module.a": torch.randn(2), "b": torch.randn(3)}
both("some_prefixed", some_prefixed, some_prefixed)

kinds = {str(dtype)[6:]: (torch.randn(3, 5) * 50).to(dtype) for dtype in KINDS}
kinds["scalar"] = torch.tensor(-12345678901234)
kinds["empty"] = torch.zeros(0, 4)
kinds["not finite"] = torch.tensor([float("nan"), float("inf"), -float("inf"), -0.0])
kinds["Umlaut \u00e4 \u4e2d"] = torch.ones(1)
both("kinds", kinds, kinds)
for protocol in [3, 4, 5]:
    save(f"protocol_{protocol}", {**beside, "state_dict": kinds}, kinds, "state_dict", pickle_protocol=protocol)
    save(f"protocol_{protocol}_legacy", {**beside, "state_dict": kinds}, kinds, "state_dict", pickle_protocol=protocol,
         _use_new_zipfile_serialization=False)

base = torch.randn(4, 6, 5)
flat = torch.randn(900_000)
views = {
    "base": base, "row": base[1], "inner": base[:, 2:4, 1:], "transposed": base.permute(2, 0, 1), "steps": base[::2, 1],
    "element": base[3, 5, 4], "expanded": base[0, 0, :1].expand(7, 3, 1), "none of it": base[4:],
    "column": torch.randn(3, 1).expand(3, 4), "alone transposed": torch.randn(3, 4).half().t(),
    # pieces of one storage, each contiguous
    "first": flat[:300_000].view(300, 1000), "overlapping": flat[250_000:900_000], "last": flat[899_999],
    "part": torch.randn(100)[10:20],
    "parameter": torch.nn.Parameter(torch.randn(2, 3)), "long alone": torch.arange(12).view(3, 4).t(),
    "one": torch.randn(5, 1, 4).transpose(0, 1), "channels last": torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last),
}
views["tied"] = views["parameter"]
views["attribute"] = torch.randn(3)
views["attribute"].note = "x"
both("views", views, views)

tag = torch.serialization.location_tag
torch.serialization.location_tag = lambda storage: "cuda:0"
both("cuda", net.state_dict(), net.state_dict())
torch.serialization.location_tag = tag


# Python 2 pickled an OrderedDict as a call with a list of pairs.
class Python2Pickler(pickle.Pickler):
    dispatch_table = {**copyreg.dispatch_table,
                      collections.OrderedDict: lambda d: (collections.OrderedDict, ([list(i) for i in d.items()],))}


class Python2:
    Pickler, __name__ = Python2Pickler, "pickle"
    dump = staticmethod(lambda value, file, protocol: Python2Pickler(file, protocol).dump(value))


both_old = collections.OrderedDict(net.state_dict())
save("python2", both_old, both_old, pickle_module=Python2, _use_new_zipfile_serialization=False)


# Before 0.4 a storage could be a part of another one.
class Id:
    def __init__(self, *parts):
        self.parts = parts


def legacy(path, pickled, storages, keys=None, sizes=None, machine=None):
    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            return value.parts if isinstance(value, Id) else None

    with open(path, "wb") as file:
        for value in [0x1950A86A20F9469CFC6C, 1001, machine or {"protocol_version": 1001, "little_endian": True},
                      pickled, list(storages) if keys is None else keys]:
            Pickler(file, 2).dump(value)
        for key, values in storages.items():
            file.write(struct.pack("<q", (sizes or {}).get(key, len(values))) + raw(values))


class Call:
    """Pickled as a call of `function`."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def view_of(storage, offset, size, stride):
    return Call(torch._utils._rebuild_tensor, storage, offset, size, stride)


values = torch.randn(20)
part = Id("storage", torch.FloatStorage, "1", "cpu", 20, ("2", 5, 10))
whole = Id("storage", torch.FloatStorage, "1", "cpu", 20, None)
legacy(f"{good}/storage_views.pth", {"a": view_of(part, 2, (2, 4), (4, 1)), "b": view_of(whole, 0, (20,), (1,))},
       {"1": values})
say("storage_views", {"a": values[7:15].view(2, 4), "b": values}, "legacy")


def rezip(source, target, change, method=zipfile.ZIP_STORED):
    """Writes the entries (name, bytes) that `change` makes of each."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            for name, content in change(entry.filename, old.read(entry)):
                new.writestr(name, content, method)


small = {"w": torch.randn(3, 4), "b": torch.randn(3)}
torch.save(small, f"{folder}/small.pth")
with zipfile.ZipFile(f"{folder}/small.pth") as archive, zipfile.ZipFile(f"{good}/packed_pickle.pth", "w") as new:
    for entry in archive.infolist():
        method = zipfile.ZIP_DEFLATED if entry.filename.endswith("data.pkl") else zipfile.ZIP_STORED
        new.writestr(entry.filename, archive.read(entry), method)
say("packed_pickle", small, "zip")


def with_byteorder(order):
    """PyTorch 2 writes one, 1.13 does not."""
    return lambda name, content: [] if name == "small/byteorder" else [(name, content)] + (
        [("small/byteorder", order)] if name == "small/version" else [])


rezip(f"{folder}/small.pth", f"{good}/little_endian.pth", with_byteorder(b"little"))
say("little_endian", small, "zip")

# Training scripts keep objects beside the weights, which are left out.
both("numpy_scalar", {"w": small["w"], "best": numpy.float64(3)}, {"w": small["w"]})
both("namespace", {"state_dict": small, "args": argparse.Namespace(lr=0.1)}, small, "state_dict")


class Kind(enum.Enum):
    ANY = 1


class Outer:
    class Inner:
        """Protocol 2 pickles it by getattr."""


objects = {"array": numpy.arange(6).reshape(2, 3), "path": pathlib.PurePosixPath("a/b"), "kind": Kind.ANY,
           "inner": Outer.Inner(), "when": datetime.datetime(2020, 1, 1), "names": types.SimpleNamespace(a=1),
           "fallback": collections.defaultdict(list, {"a": [1]}), "part": functools.partial(print, "x"),
           "set": frozenset([1]), "decimal": decimal.Decimal("1.5")}
both("objects", {**objects, "model": small}, small, "model")

# -- what must be refused


def save_bad(name, saved, **options):
    torch.save(saved, f"{bad}/{name}.pth", **options)


def both_bad(name, saved):
    save_bad(name, saved)
    save_bad(name + "_legacy", saved, _use_new_zipfile_serialization=False)


command = f"touch {ran}"
both_bad("system", {"w": small["w"], "x": Call(os.system, command)})
both_bad("eval", {"w": small["w"], "x": Call(eval, f"open({ran!r}, 'w')")})
save_bad("getattr", {"w": small["w"], "x": Call(getattr, small, "clear")})
save_bad("system_4", Call(os.system, command), pickle_protocol=4)
both_bad("numpy_array", {"w": numpy.zeros(3)})
both_bad("module", torchvision.models.resnet18())
both_bad("modules", {"model": torch.nn.Linear(2, 3)})
with open(f"{bad}/plain_pickle.pth", "wb") as file:
    pickle.dump({"w": [1, 2]}, file)
for protocol in [0, 2, 4]:
    with open(f"{bad}/plain_system_{protocol}.pth", "wb") as file:
        pickle.dump(Call(os.system, command), file, protocol=protocol)
torch.jit.save(torch.jit.script(torch.nn.Linear(2, 3)), f"{bad}/torchscript.pth")
both_bad("tensor", small["w"])
both_bad("list", [small["w"]])
both_bad("nested", {"generator": small, "discriminator": small, "epoch": 1})
both_bad("nested_deep", {"state_dict": {"w": small["w"], "inner": small}})
both_bad("empty", {})
both_bad("no_tensors", {"epoch": 1, "lr": 0.5})
both_bad("number_as_name", {1: small["w"]})
for dtype in ["bool", "int16", "int8", "complex64"]:
    both_bad(dtype, {"w": small["w"], "odd one": torch.ones(2).to(getattr(torch, dtype))})
save_bad("sparse", {"w": torch.eye(3).to_sparse()})
save_bad("quantized", {"w": torch.quantize_per_tensor(small["w"], 0.1, 0, torch.quint8)})

with tarfile.open(f"{bad}/tar.pth", "w") as tar:
    for name in ["sys_info", "pickle", "tensors", "storages"]:
        entry = tarfile.TarInfo(name)
        entry.size = 4
        tar.addfile(entry, io.BytesIO(b"\x80\x02N."))


# Views that leave their storage. (offset, size, stride); the storage has 12 elements.
LEAVING = {
    "past_the_end": (1, (3, 4), (4, 1)), "far_stride": (0, (3, 4), (5, 1)), "far_offset": (13, (0,), (1,)),
    "negative_offset": (-1, (2,), (1,)), "negative_stride": (3, (2, 2), (-1, 1)), "negative_size": (0, (-3, 4), (4, 1)),
    "overflow": (0, (1 << 62, 4), (1 << 62, 1)), "offset_overflow": ((1 << 63) - 1, (2,), (1 << 62)),
    "fewer_strides": (0, (3, 4), (4,)), "repeats": (0, (1 << 20, 1 << 20), (0, 0)), "no_tuple": (0, 12, 1),
    "size_of_floats": (0, (3.0, 4), (4, 1)), "beyond_64_bits": (1 << 70, (3,), (1,)),
}
for name, (offset, size, stride) in LEAVING.items():
    stride = stride if isinstance(stride, tuple) or name == "no_tuple" else (stride,)
    storage = torch.randn(12).storage()
    call = Call(torch._utils._rebuild_tensor_v2, storage, offset, size, stride, False, collections.OrderedDict())
    both_bad(name, {"fine": small["w"], "odd one": call})


def fid(key="1", size=20, view=None, kind="storage", of=torch.FloatStorage):
    return Id(kind, of, key, "cpu", size, view)


def bad_legacy(name, storage, storages=None, **options):
    storages = {"1": values} if storages is None else storages
    legacy(f"{bad}/{name}.pth", {"w": view_of(storage, 0, (2,), (1,))}, storages, **options)


bad_legacy("view_outside", fid(view=("2", 15, 10)))
bad_legacy("view_negative", fid(view=("2", -1, 10)))
bad_legacy("view_of_floats", fid(view=("2", 0.5, 10)))
bad_legacy("other_size", fid(), sizes={"1": 19})
bad_legacy("negative_storage", fid(size=-20))
bad_legacy("huge_storage", fid(size=1 << 62))
bad_legacy("larger_than_the_file", fid(size=1 << 40), sizes={"1": 1 << 40})
bad_legacy("no_such_key", fid(), keys=["9"])
bad_legacy("key_missing", fid(), storages={})
bad_legacy("key_twice", fid(), keys=["1", "1"])
bad_legacy("other_kind", fid(kind="module"))
bad_legacy("other_type", fid(of=torch.float32))
bad_legacy("big_endian_legacy", fid(), machine={"protocol_version": 1001, "little_endian": False})
legacy(f"{bad}/two_sizes.pth", {"a": view_of(fid(), 0, (2,), (1,)), "b": view_of(fid(size=21), 0, (2,), (1,))},
       {"1": values})

# Archives
source = f"{folder}/small.pth"
last = lambda name: name == "small/version"
rezip(source, f"{bad}/big_endian.pth", with_byteorder(b"big"))
rezip(source, f"{bad}/version.pth", lambda n, c: [(n, b"11\n" if last(n) else c)])
rezip(source, f"{bad}/parent.pth", lambda n, c: [(n, c)] + ([("small/../../x", b"1")] if last(n) else []))
rezip(source, f"{bad}/absolute.pth", lambda n, c: [(n, c)] + ([("/etc/x", b"1")] if last(n) else []))
rezip(source, f"{bad}/duplicate.pth", lambda n, c: [(n, c)] + ([(n, c)] if n.endswith("data/0") else []))
rezip(source, f"{bad}/two_pickles.pth", lambda n, c: [(n, c)] + ([("other/data.pkl", c)] if last(n) else []))
rezip(source, f"{bad}/no_pickle.pth", lambda n, c: [] if n.endswith("data.pkl") else [(n, c)])
rezip(source, f"{bad}/missing_storage.pth", lambda n, c: [] if n.endswith("data/0") else [(n, c)])
rezip(source, f"{bad}/short_storage.pth", lambda n, c: [(n, c[:-4] if n.endswith("data/0") else c)])
rezip(source, f"{bad}/long_storage.pth", lambda n, c: [(n, c + b"1234" if n.endswith("data/0") else c)])
rezip(source, f"{bad}/compressed.pth", lambda n, c: [(n, c)], zipfile.ZIP_DEFLATED)
rezip(source, f"{bad}/bzip2.pth", lambda n, c: [(n, c)], zipfile.ZIP_BZIP2)
rezip(source, f"{bad}/bomb.pth", lambda n, c: [(n, bytes(100 << 20) if n.endswith("data.pkl") else c)],
      zipfile.ZIP_DEFLATED)
rezip(source, f"{bad}/bomb_of_nines.pth", lambda n, c: [(n, b"(" * (30 << 20) if n.endswith("data.pkl") else c)],
      zipfile.ZIP_DEFLATED)

whole = bytearray(open(source, "rb").read())


def directory_entry(name):
    """Where the entry begins in the directory at the end."""
    at = whole.find(b"PK\1\2")
    while whole[at + 46:at + 46 + struct.unpack_from("<H", whole, at + 28)[0]] != name:
        at = whole.find(b"PK\1\2", at + 1)
    return at


def changed(name, *changes):
    copy = bytearray(whole)
    for at, form, value in changes:
        struct.pack_into(form, copy, at, value)
    open(f"{bad}/{name}.pth", "wb").write(copy)


first, second = directory_entry(b"small/data/0"), directory_entry(b"small/data/1")
data = whole.find(raw(small["w"]))
changed("damaged", (data + 5, "<B", whole[data + 5] ^ 1))
changed("encrypted", (first + 8, "<H", 0x809))
changed("beyond", (first + 20, "<I", 1 << 30), (first + 24, "<I", 1 << 30))
changed("two_lengths", (first + 20, "<I", 7))
changed("overlap", *[(second + i, "<I", struct.unpack_from("<I", whole, first + i)[0]) for i in [16, 20, 24, 42]])
