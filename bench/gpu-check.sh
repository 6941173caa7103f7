#!/usr/bin/env bash
# Checks the program on an NVIDIA GPU: profiles against those of the CPU, proofs on the GPU, outputs of
# pruned models against those of the CPU, and what pruned models gain there. Exits with 3 where there is
# no GPU, with 1 where a check failed.
#
#   bench/gpu-check.sh [FORM...]
#
# DEVICE=tensorrt checks TensorRT. Where the program is not to be built, MONE_CLASSES is the class path of
# the program, its tests (target/test-classes) and its libraries, and MONE_JAVA the java to run it with;
# options of the JVM, such as -Donnxruntime.native.path=FOLDER, go into JAVA_TOOL_OPTIONS.
gpu=
for trace in /dev/nvidiactl /proc/driver/nvidia /dev/dxg; do
  [ -e "$trace" ] && gpu=$trace
done
if [ -z "$gpu" ]; then
  echo "no NVIDIA GPU here: nothing was checked"
  exit 3
fi

if [ -n "${MONE_CLASSES:-}" ]; then
  set -euo pipefail
  work=$(realpath "$(mktemp -d "${BENCH_FOLDER:-${TMPDIR:-/tmp}}/bench.XXXXXX")")
  trap 'rm -rf "$work"' EXIT
  java_here() { "${MONE_JAVA:-java}" -XX:+UseSerialGC ${java_options:-} -cp "$MONE_CLASSES" "$@"; }
  mone() { java_here io.moneonnx.cli.Main "$@"; }
  made_with() { local name=$1; shift; java_here "io.moneonnx.bench.$name" "$@"; }
else
  source "$(dirname "$0")/common.sh"
  mone() { "$home/mone-onnx" "$@"; }
fi

device=${DEVICE:-cuda} width=${WIDTH:-1024}
forms=("$@")
[ $# -gt 0 ] || forms=(sparse-loop sorted-segments dense-loop stacked-dense gathered-weights fused-operator)
mkdir "$work/data"

# Runs a step; says whether it went well and keeps the last words of one that did not.
step() {
  local name=$1
  shift
  if "$@" > "$work/out" 2> "$work/err"; then
    echo ok
  else
    : > "$work/failed"
    { echo "$form: $name failed"; tail -n 5 "$work/out" "$work/err"; } >&2
    echo FAILED
  fi
}

# The ratio of one row of what bench printed.
ratio() {
  awk -v row="$1" '$1 == row { print $NF }' "$work/out"
}

for form in "${forms[@]}"; do
  model=$work/model.onnx pruned=$work/pruned.onnx data=$work/data/input_ids.npy
  tokens=512
  [ "$form" = gathered-weights ] && tokens=64
  made_with MadeModel "$form" "$model" --hidden "$width" --inner "$width"
  made_with MadeTokens "$data" 8 "$tokens" 256
  words="$form"
  for on in cpu "$device"; do
    words="$words $(step "calibrate on $on" mone calibrate "$model" --data "$data" --device "$on" --target cuda --force -o "$work/$on.profile")"
  done
  apart=$(made_with ProfileDistance "$work/cpu.profile" "$work/$device.profile" 2> /dev/null || echo "- - - - - -")
  words="$words $(echo "$apart" | cut -d' ' -f2,4)"
  words="$words $(step rewrite mone rewrite "$model" --profile "$work/$device.profile" --ratio 0.5 --device "$device" -o "$pruned")"
  words="$words $(step 'golden record' mone golden record "$pruned" --data "$data" --device cpu -o "$work/golden")"
  words="$words $(step 'golden check' mone golden check "$pruned" "$work/golden" --device "$device")"
  words="$words $(step bench mone bench "$model" "$pruned" --device "$device" --tokens "$tokens")"
  echo "$words $(ratio load) $(ratio prefill,) $(ratio decode,)" >> "$work/table"
  cat "$work/out" >&2
  if [ "$form" != gathered-weights ]; then
    echo "$form: $(java_options=-Ddevice=$device step observing made_with ObserveTime "$model" 1x512 1x2048)" >&2
    sed "s/^/$form /" "$work/out" >> "$work/observed"
  fi
  rm -f "$work"/*.onnx* "$work"/*.profile "$work/golden"
done

echo
printf '%-17s %-6s %-6s %-8s %-8s %-7s %-6s %-6s %-6s %s %s %s\n' \
  form cpu "$device" calls means rewrite record check bench load prefill decode
while read -r line; do
  # shellcheck disable=SC2086
  printf '%-17s %-6s %-6s %-8s %-8s %-7s %-6s %-6s %-6s %s %s %s\n' $line
done < "$work/table"
echo
echo "observed over plain runs on $device, seconds"
[ ! -e "$work/observed" ] || cat "$work/observed"
[ ! -e "$work/failed" ]
