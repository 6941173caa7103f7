# What all scripts here begin with: builds the program and what makes models, and gives a folder to work in.
set -euo pipefail
home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
(cd "$home" && mvn -q -B -DskipTests package >&2)
"$home/mone-onnx" --version > /dev/null
work=$(realpath "$(mktemp -d "${BENCH_FOLDER:-$home/target}/bench.XXXXXX")")
trap 'rm -rf "$work"' EXIT

# Runs a class of src/test/java/io/moneonnx/bench, with java_options.
made_with() {
  local name=$1
  shift
  java -XX:+UseSerialGC ${java_options:-} -cp "$home/target/test-classes:$home/target/classes:$(cat "$home/target/classpath")" \
    "io.moneonnx.bench.$name" "$@"
}
