"""Prints the state_dict of torchvision's models, one line a tensor: MODEL NAME DTYPE DIM,DIM,..."""
import sys

import torchvision

for name in sys.argv[1:]:
    model = getattr(torchvision.models, name)(weights=None)
    for key, tensor in model.state_dict().items():
        dtype = {"torch.float32": "f32", "torch.int64": "i64"}[str(tensor.dtype)]
        print(name, key, dtype, "(" + ",".join(map(str, tensor.shape)) + ")")
