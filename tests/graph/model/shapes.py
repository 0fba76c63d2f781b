"""Prints the state_dicts of torchvision's MODELs with 7 classes: NAME DTYPE DIM..., then "end MODEL"."""
import sys

import torch
import torchvision

# No value is looked at: drawing them would take longer than all the rest.
torch.nn.init.kaiming_normal_ = lambda tensor, **_: tensor
torch.nn.Conv2d.reset_parameters = torch.nn.Linear.reset_parameters = lambda self: None
names = {torch.float32: "f32", torch.int64: "i64"}
for model in sys.argv[1:]:
    for key, tensor in getattr(torchvision.models, model)(weights=None, num_classes=7).state_dict().items():
        print(key, names[tensor.dtype], *tensor.shape)
    print("end", model)
