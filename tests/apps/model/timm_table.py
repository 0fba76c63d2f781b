"""Prints what timm says of its entries of the models that are named, by name, as JSON: timm_table.py MODEL..."""
import json
import math
import sys

from timm.models import get_pretrained_cfg, list_models

entries = []
for model in sys.argv[1:]:
    for name in list_models(f"{model}.*", pretrained=True):
        cfg = get_pretrained_cfg(name)
        crop = (cfg.test_input_size or cfg.input_size)[1]
        entries.append(
            {
                "name": name.replace(".", ":", 1),
                "hub": cfg.hf_hub_id,
                "pth": cfg.url,
                "train_size": cfg.input_size[1],
                "crop": crop,
                "resize": math.floor(crop / (cfg.test_crop_pct or cfg.crop_pct)),
                "interpolation": cfg.interpolation,
                "mean": cfg.mean,
                "std": cfg.std,
            }
        )
json.dump({"entries": sorted(entries, key=lambda entry: entry["name"])}, sys.stdout)
