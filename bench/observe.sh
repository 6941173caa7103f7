#!/usr/bin/env bash
# What observing costs, by form and by sequences x tokens: CPU seconds and most memory of plain and of
# observed runs, in turns. Needs Linux and some 10 GB of memory; each model has up to 1 GB.
source "$(dirname "$0")/common.sh"

observe() {
  local form=$1
  shift
  made_with MadeModel "$form" "$work/model.onnx" --blocks 2 --experts 32 --top-k 4 --hidden 1024 --inner 1024
  made_with ObserveTime "$work/model.onnx" "$@" | sed "s/^/$form  /" | tee -a "$work/table"
  rm "$work"/model.onnx*
}

observe sparse-loop 1x1 1x64 1x512 1x2048 4x512
observe stacked-dense 1x1 1x64 1x512
observe fused-operator 1x1 1x64 1x512 1x2048
observe gathered-weights 1x1 1x64 # a plain run of 512 tokens copies 24 GB of weights
echo
cat "$work/table"
