"""Public networks for CIFAR-10 beside PyTorch, on a few of its test pictures.

cifar_models.py SHARED FOLDER: lays pictures into FOLDER/pictures/CLASS and writes FOLDER/NAME.txt for the two files in
SHARED/data/cifar_resnet: a line "CLASS/PICTURE CLASS-SAID PROBABILITY" for each picture. The networks are those of
variants.py, which gives akamaster/pytorch_resnet_cifar10's values.
"""
import pathlib
import subprocess
import sys

import torch
import torchvision
from torchvision import transforms

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "graph"))
import variants

shared, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
pictures = folder / "pictures"
pictures.mkdir(parents=True)
subprocess.run(
    ["tar", "--zstd", "-xf", shared / "data/cifar10.tar.zst", "-C", pictures, "--strip-components=1", "--wildcards",
     "test/*/000[0-4].jpg"],
    check=True,
)
normal = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
data = torchvision.datasets.ImageFolder(str(pictures), transforms.Compose([transforms.ToTensor(), normal]))
batch = torch.stack([picture for picture, _ in data])
for name, blocks in (("resnet20-12fca82f", 3), ("resnet44-014dd654", 7)):
    values = torch.load(shared / f"data/cifar_resnet/{name}.th", map_location="cpu")["state_dict"]
    options = {"layers": [blocks] * 3, "channels": 16, "stem": "cifar", "shortcut": "padding"}
    model = variants.build(options, 10)
    names = {key[len("module.") :].replace("linear.", "fc."): value for key, value in values.items()}
    missing, unexpected = model.load_state_dict(names, strict=False)
    assert not unexpected and all(key.endswith("num_batches_tracked") for key in missing), (missing, unexpected)
    model.eval()
    with torch.no_grad():
        best, index = torch.softmax(model(batch), 1).max(1)
    lines = (
        f"{pathlib.Path(path).parent.name}/{pathlib.Path(path).name} {data.classes[i]} {p:.8f}\n"
        for (path, _), p, i in zip(data.samples, best.tolist(), index.tolist())
    )
    (folder / f"{name}.txt").write_text("".join(lines))
