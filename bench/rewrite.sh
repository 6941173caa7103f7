#!/usr/bin/env bash
# Times rewriting against copying: bench/rewrite.sh [small|large] [ROUNDS]
# small: 1.6 GB, stacked; large: 12.9 GB, unrolled, float16. Half of the experts go. Models are made
# in BENCH_FOLDER (target/ if not set) and removed again. DROP_CACHES=1 begins each run cold (as root); otherwise files are warm.
source "$(dirname "$0")/common.sh"
size=${1:-small}
rounds=${2:-5}
case $size in
  small) made="stacked-dense --blocks 4 --experts 32 --hidden 1024 --inner 1024" ;;
  large) made="sparse-loop --blocks 16 --experts 64 --top-k 8 --hidden 2048 --inner 1024 --type float16" ;;
  *) echo "usage: bench/rewrite.sh [small|large] [ROUNDS]" >&2; exit 2 ;;
esac

cd "$work"
# shellcheck disable=SC2086
made_with MadeModel $made model.onnx
made_with MadeProfile model.onnx model.profile
"$home/mone-onnx" plan model.profile --ratio 0.5 -o plan.json > /dev/null

prepare="rm -f out.* copy.*; sync; cat model.onnx* > /dev/null"
state=warm
if [ "${DROP_CACHES:-}" = 1 ]; then
  prepare="rm -f out.* copy.*; sync; echo 3 > /proc/sys/vm/drop_caches"
  state=cold
fi
rewrite="'$home/mone-onnx' rewrite model.onnx --profile model.profile --plan plan.json --no-verify -o out.onnx"
commands=(cp "cp --reflink=never model.onnx.data copy.data" rewrite "$rewrite" "rewrite --link" "$rewrite --link")
if [ "$size" = small ]; then
  for peer in onnx onnx_ir; do
    if python3 -c "import numpy, $peer" 2> /dev/null; then
      commands+=("$peer" "python3 '$home/bench/slice_experts.py' $peer model.onnx plan.json out.onnx")
    fi
  done
fi
echo "$size: $(du -cbL model.onnx* | tail -1 | cut -f1) bytes, $state, medians of $rounds interleaved runs"
made_with TimedCommands "$rounds" "$prepare" "${commands[@]}"
