"""Forward passes on synthetic pictures in each precision, against the better of onnxruntime and OpenVINO."""
import collections
import re

from .measure import PEER_SCRIPTS, PEERS_PYTHON, ratio_row, resflow_score, run

BATCHES = (32, 1)
PEERS_OF = {"f32": ("onnxruntime", "openvino"), "bf16": ("openvino",), "int8": ("onnxruntime", "openvino")}


def peer_rates(model, precisions):
    """img/s by (batch, engine, precision), from lines such as `resnet34 32 onnxruntime 1.32 f32 66.1 img/s`."""
    text = ""
    if "f32" in precisions or "bf16" in precisions:
        batches = ",".join(str(batch) for batch in BATCHES)
        text += run([PEERS_PYTHON, f"{PEER_SCRIPTS}/score_peers.py", model, "ort,ov", batches])[0]
    if "int8" in precisions:
        text += run([PEERS_PYTHON, f"{PEER_SCRIPTS}/int8_peers.py", model])[0]
    lines = re.findall(rf"^{model} (\d+) (onnxruntime|openvino)\b.*?\b(f32|bf16|int8)\b.*?([0-9.]+) img/s$", text, re.MULTILINE)
    return {(int(batch), engine, precision): float(rate) for batch, engine, precision, rate in lines}


def rows(rounds, wanted):
    for model in ("resnet34", "resnet50"):
        cases = {(batch, precision): f"score {model} batch {batch} {precision}" for precision in PEERS_OF for batch in BATCHES}
        cases = {case: name for case, name in cases.items() if wanted(name)}
        if not cases:
            continue
        theirs, ours = collections.defaultdict(list), collections.defaultdict(list)
        for _ in range(rounds):
            for key, rate in peer_rates(model, {precision for _, precision in cases}).items():
                theirs[key].append(rate)
            for batch, precision in cases:
                ours[batch, precision].append(resflow_score(model, batch, precision)[0])
        for (batch, precision), name in cases.items():
            # The better one by its median.
            engine = max(PEERS_OF[precision], key=lambda name: sorted(theirs[batch, name, precision])[rounds // 2])
            yield ratio_row(name, 1.0, engine, theirs[batch, engine, precision], ours[batch, precision])
