"""Cuts stacked expert weights down to what a plan keeps, as one would do it without mone-onnx.

slice_experts.py onnx|onnx_ir MODEL PLAN OUT: only weights are cut, the graph is left as it is.
"""

import json
import os
import sys


def kept_experts(plan):
    """For each block, in order, the experts that stay."""
    for block in json.load(open(plan))["blocks"]:
        pruned = set(block["pruned"])
        yield [e for e in range(block["experts"]) if e not in pruned]


def with_onnx(path, kept, out):
    import onnx
    from onnx import numpy_helper

    model = onnx.load(path)
    for tensor in model.graph.initializer:
        if len(tensor.dims) == 3:
            experts = kept[int(tensor.name.split(".")[1])]
            cut = numpy_helper.to_array(tensor)[experts]
            tensor.CopyFrom(numpy_helper.from_array(cut, tensor.name))
    onnx.save(model, out, save_as_external_data=True, location=os.path.basename(out) + ".data")


def with_onnx_ir(path, kept, out):
    import onnx_ir

    model = onnx_ir.load(path)
    for name, value in model.graph.initializers.items():
        if len(value.const_value.shape) == 3:
            experts = kept[int(name.split(".")[1])]
            value.const_value = onnx_ir.tensor(value.const_value.numpy()[experts], name=name)
    onnx_ir.save(model, out, external_data=os.path.basename(out) + ".data")


if __name__ == "__main__":
    way, path, plan, out = sys.argv[1:]
    {"onnx": with_onnx, "onnx_ir": with_onnx_ir}[way](path, list(kept_experts(plan)), out)
