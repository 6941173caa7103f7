#!/usr/bin/env bash
# How long a rewrite takes for the graph alone, by the number of its nodes.
source "$(dirname "$0")/common.sh"
made_with CompileTime "$home/mone-onnx" "$work"
