"""Files of weights as other programs leave them: foreign_weights.py FOLDER

FOLDER/plain.pth is the state dict of a resnet18 of 4 classes. Each FOLDER/same/NAME holds the same model, FOLDER/headless/NAME
the same without its head, and FOLDER/both/NAME it beside another one, all of whose values are one more.
"""
import argparse
import os
import sys

import numpy
import torch
import torchvision

folder = sys.argv[1]
for kind in ["same", "headless", "both"]:
    os.makedirs(f"{folder}/{kind}")
torch.manual_seed(0)
model = torchvision.models.resnet18(num_classes=4)
weights = {k: v.half().float() if v.is_floating_point() else v.clone() for k, v in model.state_dict().items()}
more = {k: v + 1 if v.is_floating_point() else v for k, v in weights.items()}
backbone = {k: v for k, v in weights.items() if not k.startswith("fc.")}
torch.save(weights, f"{folder}/plain.pth")
torch.save(more, f"{folder}/more.pth")


def behind(prefix, tensors=weights):
    return {prefix + k: v for k, v in tensors.items()}


def same(name, saved):
    torch.save(saved, f"{folder}/same/{name}.pth")


optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
model(torch.randn(2, 3, 32, 32)).sum().backward()
optimizer.step()
same("torchvision", {"model": weights, "optimizer": optimizer.state_dict(), "epoch": 3, "args": argparse.Namespace(lr=0.1)})
same("timm", {"arch": "resnet18", "state_dict": weights, "best": numpy.float64(76.1), "args": argparse.Namespace(lr=0.1)})
same("another_key", {"weights": weights, "epoch": 3})
same("deeper", {"trainer": {"ema": {"shadow": weights}}})
same("compiled", behind("_orig_mod."))
same("ddp_compiled", behind("module._orig_mod."))
same("twice", behind("module.module."))
same("mixed", {("_orig_mod." if i % 2 else "module.") + k: v for i, (k, v) in enumerate(weights.items())})
same("lightning", {"state_dict": behind("model."), "epoch": 1, "pytorch-lightning_version": "2.1"})
same("loss_beside", {"state_dict": {**behind("model."), "criterion.weight": torch.ones(4)}})
same("swa", {"n_averaged": torch.tensor(5), **behind("module.")})
same("half", {k: v.half() for k, v in weights.items()})
same("float_counters", {k: v.float() for k, v in weights.items()})
same("counters_of_one", {k: v.reshape(1) if v.dim() == 0 else v for k, v in weights.items()})
same("head_fc", {**behind("backbone.", backbone), "head.fc.weight": weights["fc.weight"], "head.fc.bias": weights["fc.bias"]})
same("linear", {**backbone, "linear.weight": weights["fc.weight"], "linear.bias": weights["fc.bias"]})

torch.save(backbone, f"{folder}/headless/plain.pth")
torch.save({"teacher": behind("backbone.", backbone)}, f"{folder}/headless/behind.pth")

torch.save({"state_dict": weights, "state_dict_ema": more}, f"{folder}/both/keys.pth")
torch.save({"state_dict": {**behind("student."), **behind("teacher.", more)}}, f"{folder}/both/prefixes.pth")
