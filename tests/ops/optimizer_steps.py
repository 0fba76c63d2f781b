"""Runs ten steps of a torch optimizer on given gradients and writes the values after each.

optimizer_steps.py FOLDER NAME lr momentum dampening nesterov weight_decay beta1 beta2 eps   (beta1 is rmsprop's alpha)
FOLDER/values.f32 holds the start, FOLDER/gradients.f32 ten rows of gradients; FOLDER/wanted.f32 is written.
"""
import sys

import numpy as np
import torch

folder, name = sys.argv[1:3]
lr, momentum, dampening, nesterov, decay, beta1, beta2, eps = map(float, sys.argv[3:])
torch.set_num_threads(1)
value = torch.nn.Parameter(torch.from_numpy(np.fromfile(folder + "/values.f32", np.float32)))
gradients = torch.from_numpy(np.fromfile(folder + "/gradients.f32", np.float32).reshape(10, -1))
if name == "sgd":
    optimizer = torch.optim.SGD([value], lr, momentum, dampening, decay, bool(nesterov))
elif name == "rmsprop":
    optimizer = torch.optim.RMSprop([value], lr, beta1, eps, decay, momentum)
else:
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[name]
    optimizer = kind([value], lr, (beta1, beta2), eps, decay)
rows = []
for gradient in gradients:
    value.grad = gradient.clone()
    optimizer.step()
    rows.append(value.detach().numpy().copy())
np.stack(rows).tofile(folder + "/wanted.f32")
