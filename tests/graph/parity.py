"""Compares resflow's runs with torchvision's model from the same weights.

parity.py [--freeze BN PREFIXES] FOLDER MODE MODEL CLASSES BATCH HEIGHT WIDTH [RUN ...]

FOLDER holds raw f32 files: weights (state_dict order, without num_batches_tracked), pixels, and i32 labels; and of
each RUN: RUN.logits, and in MODE train RUN.loss, RUN.gradients (parameters in state_dict order) and RUN.statistics
(running ones, in state_dict order, after the step). MODEL is one of torchvision's names, or what tests/graph/variants.py
builds, as JSON. Prints a line a comparison: RUN WHAT NAME DIFFERENCE, where logits differ
relative to the largest one, the loss relative to itself, and tensors by relative L2; or one line "absent: ..." where a
module is not installed.

--freeze: parameters whose name begins with one of PREFIXES (comma-separated) need no gradient, and where BN is "eval" a
batch norm that needs none at all is in eval mode. Gradients of what is frozen are zeros in RUN.gradients.
"""
import json
import sys

try:
    import numpy as np
    import torch
    import torchvision
except ImportError as error:
    print("absent:", error)
    sys.exit()

freeze_bn, frozen = "train", ()
if sys.argv[1] == "--freeze":
    freeze_bn, frozen = sys.argv[2], tuple(sys.argv[3].split(","))
    del sys.argv[1:4]
folder, mode, name, classes, batch, height, width = sys.argv[1:8]
runs = sys.argv[8:]
classes, batch, height, width = int(classes), int(batch), int(height), int(width)
torch.set_num_threads(2)


def raw(file, dtype=np.float32):
    return np.fromfile(f"{folder}/{file}", dtype)


def split(values, tensors):
    out, at = {}, 0
    for key, tensor in tensors:
        out[key] = values[at : at + tensor.numel()].reshape(tuple(tensor.shape))
        at += tensor.numel()
    assert at == values.size, f"{values.size} values, wanted {at}"
    return out


def state_of(model):
    return [(k, t) for k, t in model.state_dict().items() if not k.endswith("num_batches_tracked")]


def l2(got, wanted):
    wanted = wanted.astype(np.float64)
    return np.linalg.norm(got - wanted) / max(np.linalg.norm(wanted), 1e-30)


# Every value is replaced: drawing them would take longer than all the rest.
torch.nn.init.kaiming_normal_ = lambda tensor, **_: tensor
torch.nn.Conv2d.reset_parameters = torch.nn.Linear.reset_parameters = lambda self: None
if name.startswith("{"):
    import variants  # beside this file

    model = variants.build(json.loads(name), classes)
else:
    model = getattr(torchvision.models, name)(weights=None, num_classes=classes)
for key, value in split(raw("weights"), state_of(model)).items():
    model.state_dict()[key].copy_(torch.from_numpy(value.copy()))
pixels = torch.from_numpy(raw("pixels").reshape(batch, 3, height, width))
model.train(mode == "train")
for key, parameter in model.named_parameters():
    parameter.requires_grad = not (frozen and key.startswith(frozen))
if mode == "train" and freeze_bn == "eval":
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d) and not any(p.requires_grad for p in module.parameters()):
            module.eval()
with torch.set_grad_enabled(mode == "train"):
    logits = model(pixels)
if mode == "train":
    loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(raw("labels", np.int32).astype(np.int64)))
    loss.backward()
wanted = logits.detach().numpy()
for run in runs:
    got = raw(f"{run}.logits").reshape(batch, classes)
    print(run, "logits", "-", np.abs(got - wanted).max() / np.abs(wanted).max())
    print(run, "top1", "-", int((got.argmax(1) != wanted.argmax(1)).sum()))
    if mode != "train":
        continue
    print(run, "loss", "-", abs(raw(f"{run}.loss")[0] - loss.item()) / loss.item())
    gradients = split(raw(f"{run}.gradients"), list(model.named_parameters()))
    for key, parameter in model.named_parameters():
        wanted_gradient = np.zeros(1) if parameter.grad is None else parameter.grad.numpy()
        print(run, "gradient", key, l2(gradients[key], wanted_gradient))
    buffers = [(k, b) for k, b in model.named_buffers() if not k.endswith("num_batches_tracked")]
    after = split(raw(f"{run}.statistics"), buffers)
    for key, buffer in buffers:
        print(run, "statistics", key, l2(after[key], buffer.numpy()))
