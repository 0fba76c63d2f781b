"""ResNets beside those that torchvision has by name, from its blocks: any depth, other norms, stems and shortcuts.

build() takes the members of ResNetOptions (graph/model/resnet.h) that differ from the defaults.
"""
import torch
import torch.nn.functional as F
from torchvision.models.resnet import BasicBlock, Bottleneck, conv1x1


class Padding(torch.nn.Module):
    """The paper's shortcut A, as akamaster/pytorch_resnet_cifar10 has it."""

    def __init__(self, channels, more, stride):
        super().__init__()
        self.before, self.behind, self.stride = more // 2, more - more // 2, stride

    def forward(self, x):
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.before, self.behind))


class Nothing(torch.nn.Module):
    """In place of a shortcut where there is none."""

    def __init__(self, block):
        super().__init__()
        self.block = block

    def forward(self, x):
        return 0


class Net(torch.nn.Module):
    def __init__(self, options, classes):
        super().__init__()
        o = {"block": "basic", "channels": 64, "groups": 1, "width_per_group": 64, "norm": "batch", "norm_groups": 32,
             "shortcut": "projection", "stem": "imagenet", "residual": True, "dilate": [], **options}
        block = BasicBlock if o["block"] == "basic" else Bottleneck
        norm = torch.nn.BatchNorm2d if o["norm"] == "batch" else lambda c: torch.nn.GroupNorm(o["norm_groups"], c)
        channels, dilation = o["channels"], 1
        cifar = o["stem"] == "cifar"
        self.conv1 = torch.nn.Conv2d(3, channels, 3 if cifar else 7, 1 if cifar else 2, 1 if cifar else 3, bias=False)
        self.bn1 = norm(channels)
        self.maxpool = torch.nn.Identity() if cifar else torch.nn.MaxPool2d(3, 2, 1)
        self.stages = []
        for i, blocks in enumerate(o["layers"]):
            planes, stride, before = o["channels"] << i, 1 if i == 0 else 2, dilation
            if i > 0 and i <= len(o["dilate"]) and o["dilate"][i - 1]:
                dilation, stride = dilation * stride, 1
            made = []
            for k in range(blocks):
                s, out, shortcut = (stride if k == 0 else 1), planes * block.expansion, None
                if not o["residual"]:
                    shortcut = Nothing(k)
                elif s != 1 or channels != out:
                    shortcut = (
                        torch.nn.Sequential(conv1x1(channels, out, s), norm(out))
                        if o["shortcut"] == "projection"
                        else Padding(channels, out - channels, s)
                    )
                made.append(block(channels, planes, s, shortcut, o["groups"], o["width_per_group"],
                                  before if k == 0 else dilation, norm))
                channels = out
            self.add_module(f"layer{i + 1}", torch.nn.Sequential(*made))
            self.stages.append(f"layer{i + 1}")
        self.fc = torch.nn.Linear(channels, classes)

    def forward(self, x):
        x = self.maxpool(F.relu(self.bn1(self.conv1(x))))
        for stage in self.stages:
            x = getattr(self, stage)(x)
        return self.fc(x.mean((2, 3)))


def build(options, classes):
    return Net(options, classes)
