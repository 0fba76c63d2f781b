"""Writes state dicts of torchvision's resnet18 into FOLDER, as PyTorch saves them.

make_weights.py FOLDER NAME ...   (names of the table below)
make_weights.py FOLDER losses CLASSES BATCH SIZE STEPS LR: trains FOLDER/weights.pth on FOLDER/pixels and FOLDER/labels
    (raw f32 and i32, all steps) with plain SGD, prints one loss a line.
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

folder, words = sys.argv[1], sys.argv[2:]


def made(classes, model="resnet18"):
    torch.manual_seed(5)
    network = getattr(torchvision.models, model)(weights=None, num_classes=classes)
    for name, buffer in network.named_buffers():
        if name.endswith("running_mean"):
            torch.nn.init.normal_(buffer, 0, 0.1)
        elif name.endswith("running_var"):
            torch.nn.init.uniform_(buffer, 0.5, 1.5)
        else:
            buffer.fill_(7)
    return network


def changed(take=(), add=(), to=None):
    state = made(2).state_dict()
    for name in take:
        del state[name]
    state.update(add)
    if to is not None:
        state = {k: v.to(to) if v.is_floating_point() else v for k, v in state.items()}
    return state


makers = {
    "two": lambda: made(2).state_dict(),
    "seven": lambda: made(7).state_dict(),
    "half": lambda: changed(to=torch.float16),
    "uncounted": lambda: {k: v for k, v in made(2).state_dict().items() if not k.endswith("num_batches_tracked")},
    "misfit": lambda: changed(
        take=["layer1.0.conv1.weight", "fc.bias"],
        add={"aux.weight": torch.zeros(3), "bn1.weight": torch.ones(32)},
    ),
    "nan": lambda: changed(add={"bn1.bias": torch.full((64,), float("nan"))}),
    "module": lambda: made(2),
    "resnet34": lambda: made(2, "resnet34").state_dict(),
}

if words[0] != "losses":
    for word in words:
        torch.save(makers[word](), f"{folder}/{word}.pth")
    sys.exit()

classes, batch, size, steps = map(int, words[1:5])
network = torchvision.models.resnet18(weights=None, num_classes=classes)
network.load_state_dict(torch.load(f"{folder}/weights.pth"))
pixels = torch.from_numpy(np.fromfile(f"{folder}/pixels", np.float32).reshape(steps, batch, 3, size, size))
labels = torch.from_numpy(np.fromfile(f"{folder}/labels", np.int32).astype(np.int64).reshape(steps, batch))
update = torch.optim.SGD(network.parameters(), lr=float(words[5]))
network.train()
for step in range(steps):
    update.zero_grad()
    loss = torch.nn.functional.cross_entropy(network(pixels[step]), labels[step])
    loss.backward()
    update.step()
    print(f"{loss.item():.9g}")
