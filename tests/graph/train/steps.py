"""Trains torchvision's resnet18 for some steps from resflow's weights; prints one loss a line.

steps.py FOLDER CLASSES BATCH SIZE STEPS OPTIMIZER OPTION=VALUE ...

FOLDER holds raw f32 weights (state_dict order, without num_batches_tracked), pixels of all steps, and i32 labels.
OPTION may also be label_smoothing, clip (the gradients' largest norm) and accumulate (batches an update).
Prints "absent: ..." where a module is not installed.
"""
import sys

try:
    import numpy as np
    import torch
    import torchvision
except ImportError as error:
    print("absent:", error)
    sys.exit()

folder, classes, batch, size, steps, optimizer = sys.argv[1:7]
classes, batch, size, steps = int(classes), int(batch), int(size), int(steps)
options = {}
for option in sys.argv[7:]:
    key, value = option.split("=")
    options[key] = value == "true" if value in ("true", "false") else float(value)
smoothing = options.pop("label_smoothing", 0.0)
clip = options.pop("clip", None)
accumulate = int(options.pop("accumulate", 1))
if "beta1" in options:
    options["betas"] = (options.pop("beta1"), options.pop("beta2"))

model = torchvision.models.resnet18(weights=None, num_classes=classes)
values, at = np.fromfile(f"{folder}/weights", np.float32), 0
for key, tensor in model.state_dict().items():
    if not key.endswith("num_batches_tracked"):
        tensor.copy_(torch.from_numpy(values[at : at + tensor.numel()].reshape(tensor.shape).copy()))
        at += tensor.numel()
pixels = torch.from_numpy(np.fromfile(f"{folder}/pixels", np.float32).reshape(steps, batch, 3, size, size))
labels = torch.from_numpy(np.fromfile(f"{folder}/labels", np.int32).astype(np.int64).reshape(steps, batch))


class Lars(torch.optim.Optimizer):
    """arXiv 1708.03888: momentum of gradients that each layer's own rate scales; biases and norms as SGD has them."""

    def __init__(self, parameters, lr, momentum=0.0, nesterov=False, weight_decay=0.0, trust=0.001, eps=1e-8):
        super().__init__(parameters, {})
        self.o = lr, momentum, nesterov, weight_decay, trust, eps

    @torch.no_grad()
    def step(self):
        lr, momentum, nesterov, weight_decay, trust, eps = self.o
        for p in self.param_groups[0]["params"]:
            g = p.grad
            if p.dim() > 1:
                size, slope = p.double().norm(), g.double().norm()
                g = (g + weight_decay * p) * (trust * size / (slope + weight_decay * size + eps)).float()
            if momentum:
                old = self.state[p].get("buffer")
                self.state[p]["buffer"] = buffer = g.clone() if old is None else momentum * old + g
                g = g + momentum * buffer if nesterov else buffer
            p -= lr * g


class Lamb(torch.optim.Optimizer):
    """arXiv 1904.00962, version 3: Adam's direction with decay, scaled to the layer's norm; biases and norms unscaled."""

    def __init__(self, parameters, lr, weight_decay=0.0, betas=(0.9, 0.999), eps=1e-6):
        super().__init__(parameters, {})
        self.o, self.t = (lr, weight_decay, *betas, eps), 0

    @torch.no_grad()
    def step(self):
        lr, weight_decay, beta1, beta2, eps = self.o
        self.t += 1
        for p in self.param_groups[0]["params"]:
            m, v = self.state[p].get("moments", (torch.zeros_like(p), torch.zeros_like(p)))
            m, v = beta1 * m + (1 - beta1) * p.grad, beta2 * v + (1 - beta2) * p.grad**2
            self.state[p]["moments"] = m, v
            u = m / (1 - beta1**self.t) / ((v / (1 - beta2**self.t)).sqrt() + eps)
            if p.dim() > 1:
                u = u + weight_decay * p
                u = u * (p.double().norm() / u.double().norm()).float()
            p -= lr * u


kinds = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "rmsprop": torch.optim.RMSprop,
         "lars": Lars, "lamb": Lamb}
update = kinds[optimizer](model.parameters(), **options)
model.train()
for step in range(steps):
    if step % accumulate == 0:
        update.zero_grad()
    loss = torch.nn.functional.cross_entropy(model(pixels[step]), labels[step], label_smoothing=smoothing)
    (loss / accumulate).backward()
    if (step + 1) % accumulate == 0:
        if clip:
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        update.step()
    print(f"{loss.item():.9g}")
