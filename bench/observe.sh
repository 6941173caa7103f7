#!/usr/bin/env bash
# What observing costs, by form and number of tokens: CPU seconds and most memory of plain and observed runs, in turns.
# bench/observe.sh [FOLDER]   needs Linux and some 10 GB of memory; the models (3.3 GB) are removed when it ends.
set -euo pipefail
home=$(cd "$(dirname "$0")/.." && pwd)
[ -d "$home/target/test-classes" ] || (cd "$home" && mvn -q -B -DskipTests test-compile package)
folder=$(mktemp -d "${1:-${TMPDIR:-/tmp}}/observe.XXXXXX")
trap 'rm -rf "$folder"' EXIT

run() {
  java -XX:+UseSerialGC -cp "$home/target/test-classes:$home/target/classes:$(cat "$home/target/classpath")" \
    "io.moneonnx.bench.$@"
}

observe() {
  local form=$1
  shift
  run MadeModel "$form" "$folder/$form.onnx" --blocks 2 --experts 32 --top-k 4 --hidden 1024 --inner 1024
  run ObserveTime "$folder/$form.onnx" "$@" | sed "s/^/$form  /" | tee -a "$folder/table"
  rm "$folder/$form.onnx"*
}

observe sparse-loop 1x1 1x64 1x512 1x2048 4x512
observe stacked-dense 1x1 1x64 1x512
observe fused-operator 1x1 1x64 1x512 1x2048
observe gathered-weights 1x1 1x64 # a plain run of 512 tokens copies 24 GB of weights
echo
cat "$folder/table"
