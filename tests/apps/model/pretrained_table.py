"""Prints what torchvision says of the ResNets' weights, as JSON: entries, DEFAULTs and ImageNet's class names.

Prints "absent: ..." where torchvision is not installed.
"""
import json
import sys

try:
    import torchvision
except ImportError as error:
    print("absent:", error)
    sys.exit()

enums = [e for e in vars(torchvision.models).values() if isinstance(e, type) and e.__name__.endswith("_Weights")]
entries = []
for model in sys.argv[1:]:
    (enum,) = [e for e in enums if e.__name__.lower() == model + "_weights"]
    for member in enum:
        weights = member.value
        (accuracy,) = weights.meta["_metrics"].values()
        transform = weights.transforms()
        entries.append(
            {
                "name": f"{model}:{member.name}",
                "default": member is enum.DEFAULT,
                "url": weights.url,
                "acc@1": accuracy["acc@1"],
                "acc@5": accuracy["acc@5"],
                "parameters": weights.meta["num_params"],
                "preprocessing": {
                    "resize": transform.resize_size[0],
                    "crop": transform.crop_size[0],
                    "interpolation": transform.interpolation.value,
                    "mean": transform.mean,
                    "std": transform.std,
                },
                "mebibytes": weights.meta.get("_file_size"),  # torchvision 0.15 and later
            }
        )
        classes = weights.meta["categories"]
json.dump({"entries": entries, "classes": classes}, sys.stdout)
