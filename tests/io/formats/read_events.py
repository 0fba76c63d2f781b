"""Prints what TensorBoard's own reader finds in FOLDER's event files, a line a value: read_events.py FOLDER"""
import io
import logging
import sys

from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

logging.disable(logging.CRITICAL)
events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "images": 0})
events.Reload()
for tag in sorted(events.Tags()["scalars"]):
    for event in events.Scalars(tag):
        print("scalar", tag, event.step, event.value)
for tag in sorted(events.Tags()["images"]):
    for event in events.Images(tag):
        picture = Image.open(io.BytesIO(event.encoded_image_string)).convert("RGB")
        print("image", tag, event.step, f"{event.width}x{event.height}", f"{picture.width}x{picture.height}",
              picture.getpixel((3, 3)))
