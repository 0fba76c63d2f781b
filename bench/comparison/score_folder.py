"""What a user would write to score a folder: torchvision's DataLoader with a worker a core, OpenVINO in throughput mode with
as many requests in flight as it asks for, one row a picture.

    python3 score_folder.py MODEL.onnx FOLDER REPEATS OUT.csv

Runs under the Python that has torchvision; OpenVINO is taken from the peers' own folder."""
import csv
import os
import sys
import time

import torch
import torchvision

version = f"python{sys.version_info.major}.{sys.version_info.minor}"
sys.path.append(os.path.join(os.environ["PEERS"], "lib", version, "site-packages"))
import openvino  # noqa: E402

model, folder, repeats, out = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
batch, cores = 32, len(os.sched_getaffinity(0))
torch.set_num_threads(1)

normalize = torchvision.transforms.Normalize([.485, .456, .406], [.229, .224, .225])
transform = torchvision.transforms.Compose([torchvision.transforms.Resize(256), torchvision.transforms.CenterCrop(224),
                                            torchvision.transforms.ToTensor(), normalize])
data = torchvision.datasets.ImageFolder(folder, transform=transform)
data.samples = data.samples * repeats
compiled = openvino.Core().compile_model(model, "CPU", {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": "f32"})
queue = openvino.AsyncInferQueue(compiled, compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
results = {}


def take(request, first):
    results[first] = torch.from_numpy(request.get_output_tensor().data.copy()).softmax(1).max(1)


queue.set_callback(take)
began = time.perf_counter()
first = 0
for pixels, _ in torch.utils.data.DataLoader(data, batch_size=batch, num_workers=cores):
    queue.start_async({0: pixels.numpy()}, first)
    first += len(pixels)
queue.wait_all()
with open(out, "w", newline="") as file:
    rows = csv.writer(file)
    rows.writerow(["path", "class", "probability"])
    for first, (probabilities, classes) in sorted(results.items()):
        for i, (probability, label) in enumerate(zip(probabilities.tolist(), classes.tolist())):
            rows.writerow([data.samples[first + i][0], label, probability])
print(f"{len(data) / (time.perf_counter() - began):.1f} img/s")
