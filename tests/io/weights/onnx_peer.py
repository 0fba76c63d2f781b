"""The ONNX project's own package beside io/weights/onnx.h.

  onnx_peer.py check FILE    checks the file, and prints what is in it; bytes of values as hexadecimal digits
  onnx_peer.py make FILE     writes a file with what other programs write and resflow does not
"""
import sys

import onnx
from onnx import TensorProto, helper, numpy_helper
import numpy as np


def dims_of(value):
    return ",".join(d.dim_param or str(d.dim_value) for d in value.type.tensor_type.shape.dim)


def check(path):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    print("version", model.ir_version, *((o.domain, o.version) for o in model.opset_import))
    print("producer", model.producer_name, model.producer_version)
    for prop in model.metadata_props:
        print("metadata", prop.key, prop.value)
    for kind, values in (("input", model.graph.input), ("output", model.graph.output)):
        for value in values:
            print(kind, value.name, value.type.tensor_type.elem_type, dims_of(value))
    for node in model.graph.node:
        attributes = [f"{a.name}={helper.get_attribute_value(a)}" for a in node.attribute]
        print("node", node.op_type, node.name, ",".join(node.input), ",".join(node.output), *attributes)
    for tensor in model.graph.initializer:
        print("initializer", tensor.name, tensor.data_type, list(tensor.dims), tensor.raw_data.hex())


def make(path):
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 2])
    w = helper.make_tensor_value_info("w", TensorProto.FLOAT, [2])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    words = helper.make_tensor_value_info("words", TensorProto.STRING, [1])
    far = numpy_helper.from_array(np.zeros(3, np.float32), "far")
    far.ClearField("raw_data")
    far.data_location = TensorProto.EXTERNAL
    far.external_data.add(key="location", value="elsewhere.bin")
    initializers = [
        helper.make_tensor("w", TensorProto.FLOAT, [2], [1.0, 2.0]),  # in float_data
        numpy_helper.from_array(np.zeros((2, 3), np.int8), "small"),
        helper.make_tensor("names", TensorProto.STRING, [1], [b"a"]),
        numpy_helper.from_array(np.float64(1), "scalar"),
        far,
    ]
    graph = helper.make_graph([helper.make_node("Mul", ["x", "w"], ["y"])], "g", [x, w, words], [y], initializers,
                              doc_string="d" * 10000)
    model = helper.make_model(graph, producer_name="peer", doc_string="of the model",
                              opset_imports=[helper.make_opsetid("com.example", 3), helper.make_opsetid("", 13)])
    helper.set_model_props(model, {"key": "text"})
    onnx.save(model, path)


{"check": check, "make": make}[sys.argv[1]](sys.argv[2])
