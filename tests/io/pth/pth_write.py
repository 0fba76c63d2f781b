"""PyTorch against .pth files that resflow wrote.

    pth_write.py make FOLDER     writes a ResNet-18's state dict: FOLDER/list.txt with a line "NAME DTYPE SIZE,SIZE" a
                                 tensor, and the values one behind the other in FOLDER/values.bin
    pth_write.py check FOLDER    reads FOLDER/resnet18.pth into a fresh ResNet-18, which must have those values, and
                                 FOLDER/kinds.pth, whose tensors go to FOLDER/NAME.bin, with a line "NAME DTYPE SHAPE" on
                                 standard output; both only with what weights_only lets through
"""
import collections
import os
import struct
import sys
import zipfile

import torch
import torchvision


def raw(tensor):
    return bytes(tensor.reshape(-1).contiguous().view(torch.uint8).numpy())


def make(folder):
    torch.manual_seed(0)
    model = torchvision.models.resnet18(num_classes=10)
    model.train()(torch.randn(4, 3, 32, 32))  # so that no buffer has its first value
    with open(os.path.join(folder, "list.txt"), "w") as names, open(os.path.join(folder, "values.bin"), "wb") as values:
        for name, tensor in model.state_dict().items():
            names.write(f"{name} {str(tensor.dtype)[6:]} {','.join(map(str, tensor.shape))}\n")
            values.write(raw(tensor))


def data_offsets(path):
    """Of every entry, from its local header, which is what PyTorch goes by."""
    with zipfile.ZipFile(path) as archive, open(path, "rb") as file:
        assert archive.testzip() is None
        for entry in archive.infolist():
            assert entry.compress_type == zipfile.ZIP_STORED and entry.file_size == entry.compress_size
            file.seek(entry.header_offset)
            header = struct.unpack("<4s5H3I2H", file.read(30))
            assert header[0] == b"PK\3\4" and header[6:9] == (entry.CRC, entry.file_size, entry.file_size)
            yield entry.filename, entry.header_offset + 30 + header[9] + header[10]


def check(folder):
    for name in ["resnet18.pth", "kinds.pth"]:
        for entry, offset in data_offsets(os.path.join(folder, name)):
            assert offset % 64 == 0, (name, entry, offset)

    state = torch.load(os.path.join(folder, "resnet18.pth"), weights_only=True)
    assert type(state) is collections.OrderedDict
    model = torchvision.models.resnet18(num_classes=10)
    assert list(state) == list(model.state_dict())
    model.load_state_dict(state, strict=True)
    with open(os.path.join(folder, "values.bin"), "rb") as values:
        for name, tensor in model.state_dict().items():
            assert raw(tensor) == values.read(tensor.numel() * tensor.element_size()), name
    assert model.bn1.num_batches_tracked.shape == () and model.bn1.num_batches_tracked == 1

    for name, tensor in torch.load(os.path.join(folder, "kinds.pth"), weights_only=True).items():
        assert tensor.is_contiguous() and not tensor.requires_grad
        assert tensor.stride() == torch.zeros(tensor.shape).stride(), name
        print(name, str(tensor.dtype)[6:], list(tensor.shape))
        with open(os.path.join(folder, name + ".bin"), "wb") as file:
            file.write(raw(tensor))
    for weights_only in [False, True]:
        assert torch.load(os.path.join(folder, "nothing.pth"), weights_only=weights_only) == collections.OrderedDict()


{"make": make, "check": check}[sys.argv[1]](sys.argv[2])
