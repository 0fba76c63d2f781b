"""make FOLDER: writes model.pth (a resnet18 with 3 classes), legacy.pth (the same, legacy form), nested.pth (the same under
"state_dict" with "module." before every name, beside an optimizer's state), half.pth (the same in f16) and odd.pth (no
model: other dtypes, shapes and values). same A B C D ...: exits with 1 where torch.load of A and B, of C and D ... differs
in names, their order, dtypes, shapes or bits, or where torchvision's resnet18 does not take it."""
import sys

import torch
import torchvision

# Every value is replaced: drawing them would take longer than all the rest.
torch.nn.init.kaiming_normal_ = lambda tensor, **_: tensor
torch.nn.Conv2d.reset_parameters = torch.nn.Linear.reset_parameters = lambda self: None


def bits(tensor):
    return tensor.contiguous().reshape(-1).view(torch.uint8) if tensor.numel() else tensor


def same(*files):
    for first, second in zip(files[::2], files[1::2]):
        a, b = torch.load(first), torch.load(second)
        assert list(a) == list(b), f"{second}: {list(a)[:9]} and {list(b)[:9]}"
        for key in a:
            assert a[key].dtype == b[key].dtype, f"{second} {key}: {a[key].dtype} and {b[key].dtype}"
            assert a[key].shape == b[key].shape, f"{second} {key}: {a[key].shape} and {b[key].shape}"
            assert torch.equal(bits(a[key]), bits(b[key])), f"{second} {key}"
        if "fc.bias" in b:
            torchvision.models.resnet18(weights=None, num_classes=len(b["fc.bias"])).load_state_dict(b, strict=True)


def make(folder):
    torch.manual_seed(1)
    model = torchvision.models.resnet18(weights=None, num_classes=3)
    state = model.state_dict()
    for key, value in state.items():
        if key.endswith("running_var"):
            value.uniform_(0.5, 1.5)
        elif value.is_floating_point():
            value.normal_(0, 0.05)
        else:
            value.fill_(1234567890123)
    torch.save(state, f"{folder}/model.pth")
    torch.save(state, f"{folder}/legacy.pth", _use_new_zipfile_serialization=False)
    torch.save({"epoch": 3, "state_dict": {"module." + k: v for k, v in state.items()},
                "optimizer": {"state": {0: {"exp_avg": torch.zeros(5)}}, "param_groups": [{"lr": 0.1}]}},
               f"{folder}/nested.pth")
    half = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    torch.save(half, f"{folder}/half.pth")
    wide = torch.arange(24, dtype=torch.float64).reshape(2, 3, 4) / 7
    torch.save({"wide": wide, "wide, seen across": wide.permute(2, 0, 1), "brain": torch.randn(5).bfloat16(),
                "half": torch.tensor([1.0, float("nan"), float("-inf"), 6e-8]).half(), "scalar": torch.tensor(-5),
                "empty": torch.zeros(0, 3), "bytes": torch.tensor([0, 255], dtype=torch.uint8),
                "ints": torch.tensor([-7, 2**31 - 1], dtype=torch.int32),
                "payload": torch.tensor([0x7FC12345, -1], dtype=torch.int32).view(torch.float32)}, f"{folder}/odd.pth")


{"make": make, "same": same}[sys.argv[1]](*sys.argv[2:])
