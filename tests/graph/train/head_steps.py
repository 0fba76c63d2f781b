"""Trains torch.nn.Linear on features as the head of a network is trained, prints the loss of each step.

head_steps.py FOLDER CLASSES COLUMNS BATCH STEPS OPTIMIZER LR SMOOTHING WEIGHTS DECAY
FOLDER holds raw f32 weight, bias, features (all steps) and i32 labels. WEIGHTS: 1 where class k weighs 1 + k.
Prints "absent: ..." where a module is not installed.
"""
import sys

try:
    import numpy as np
    import torch
except ImportError as error:
    print("absent:", error)
    sys.exit()

folder = sys.argv[1]
classes, columns, batch, steps = map(int, sys.argv[2:6])
optimizer, lr, smoothing, weighted, decay = sys.argv[6], *map(float, sys.argv[7:11])


def raw(name, dtype, *shape):
    return torch.from_numpy(np.fromfile(f"{folder}/{name}", dtype).reshape(shape))


head = torch.nn.Linear(columns, classes)
with torch.no_grad():
    head.weight.copy_(raw("weight", np.float32, classes, columns))
    head.bias.copy_(raw("bias", np.float32, classes))
features = raw("features", np.float32, steps, batch, columns)
labels = raw("labels", np.int32, steps, batch).long()
weights = torch.arange(1, classes + 1, dtype=torch.float32) if weighted else None
loss_of = torch.nn.CrossEntropyLoss(weight=weights, label_smoothing=smoothing)
kinds = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD, "rmsprop": torch.optim.RMSprop}
more = {"momentum": 0.9} if optimizer == "sgd" else {}
update = kinds[optimizer](head.parameters(), lr=lr, weight_decay=decay, **more)
for step in range(steps):
    update.zero_grad()
    loss = loss_of(head(features[step]), labels[step])
    loss.backward()
    update.step()
    print(f"{loss.item():.9g}")
