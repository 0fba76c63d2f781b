"""Learning rates of torch.optim.lr_scheduler, a line an epoch.

schedules.py NAME BASE EPOCHS WARMUP STEP_SIZE MILESTONES GAMMA MIN_LR PATIENCE LOSSES
schedules.py onecycle BASE STEPS       a line a step: the rate, SGD's momentum, Adam's beta1

MILESTONES and LOSSES are comma-separated; "absent" where PyTorch is not installed.
"""
import sys

try:
    import torch
    from torch.optim import lr_scheduler as schedulers
except ImportError as error:
    print("absent:", error)
    sys.exit()

name = sys.argv[1]
if name == "onecycle":
    parameters = [torch.nn.Parameter(torch.zeros(1))]
    sgd = torch.optim.SGD(parameters, lr=1.0, momentum=0.9)
    adam = torch.optim.Adam(parameters, lr=1.0)
    both = [schedulers.OneCycleLR(o, float(sys.argv[2]), total_steps=int(sys.argv[3])) for o in (sgd, adam)]
    for step in range(int(sys.argv[3])):
        of_sgd, of_adam = sgd.param_groups[0], adam.param_groups[0]
        assert of_sgd["lr"] == of_adam["lr"]
        print(repr(of_sgd["lr"]), repr(of_sgd["momentum"]), repr(of_adam["betas"][0]))
        for optimizer, schedule in zip((sgd, adam), both):
            optimizer.step()
            if step + 1 < int(sys.argv[3]):
                schedule.step()
    sys.exit()
base, gamma, min_lr = float(sys.argv[2]), float(sys.argv[7]), float(sys.argv[8])
epochs, warmup, step_size, patience = (int(sys.argv[i]) for i in (3, 4, 5, 9))
milestones = [int(m) for m in sys.argv[6].split(",") if m]
losses = [float(loss) for loss in sys.argv[10].split(",") if loss]

optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=base)
main = {
    "none": lambda: schedulers.ConstantLR(optimizer, factor=1.0),
    "step": lambda: schedulers.StepLR(optimizer, step_size, gamma),
    "multistep": lambda: schedulers.MultiStepLR(optimizer, milestones, gamma),
    "cosine": lambda: schedulers.CosineAnnealingLR(optimizer, epochs - warmup, min_lr),
    "plateau": lambda: schedulers.ReduceLROnPlateau(optimizer, factor=gamma, patience=patience, min_lr=min_lr),
}[name]()
if warmup:
    first = schedulers.LinearLR(optimizer, start_factor=0.01, total_iters=warmup)
    main = schedulers.SequentialLR(optimizer, [first, main], milestones=[warmup])
for epoch in range(epochs):
    print(repr(optimizer.param_groups[0]["lr"]))
    optimizer.step()
    main.step(losses[epoch]) if name == "plateau" else main.step()
