"""onnx_check.py FILE: the ONNX project's checker and strict shape inference; prints inputs and outputs."""
import sys

import onnx
import onnx.shape_inference

onnx.checker.check_model(sys.argv[1])
model = onnx.load(sys.argv[1])
for tensor in model.graph.initializer:
    tensor.ClearField("raw_data")  # shapes need no values, and copies of them take time
graph = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True).graph
assert len(graph.value_info) == len(graph.node) - 1, "shapes of some nodes are not known"
for kind, values in (("input", graph.input), ("output", graph.output)):
    for value in values:
        tensor = value.type.tensor_type
        dims = ",".join(d.dim_param or str(d.dim_value) for d in tensor.shape.dim)
        print(kind, onnx.TensorProto.DataType.Name(tensor.elem_type).lower(), dims)
