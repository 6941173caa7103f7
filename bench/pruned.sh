#!/usr/bin/env bash
# What pruned models gain in ONNX Runtime on the CPU, form by form, at 25% and 50%:
#
#   bench/pruned.sh [FORM...]
#
# Made-up models of 2 blocks of 16 experts, 4 a token, hidden and inner width 1,024, and made-up plans
# and tokens. The environment may say otherwise: TOP_K, EXPERTS, WIDTH, RATIOS, ROUNDS, THREADS;
# ROUTER=cut cuts the routers; TIMED_WITH puts a command before those that are timed.
source "$(dirname "$0")/common.sh"

experts=${EXPERTS:-16} top_k=${TOP_K:-4} width=${WIDTH:-1024} router=${ROUTER:-keep}
forms=("$@")
[ $# -gt 0 ] || forms=(sparse-loop sorted-segments dense-loop stacked-dense gathered-weights fused-operator)

for form in "${forms[@]}"; do
  model=$work/model.onnx
  made_with MadeModel "$form" "$model" --experts "$experts" --top-k "$top_k" --hidden "$width" --inner "$width"
  made_with MadeProfile "$model" "$work/profile"
  # Each slot gathers weights of its own: 512 tokens would take 25 GB at once.
  tokens=512
  [ "$form" = gathered-weights ] && tokens=32
  for ratio in ${RATIOS:-0.25 0.5}; do
    "$home/mone-onnx" rewrite "$model" --profile "$work/profile" --ratio "$ratio" --router "$router" \
      --no-verify --force -o "$work/pruned.onnx" > /dev/null 2>&1
    ${TIMED_WITH:-} "$home/mone-onnx" bench "$model" "$work/pruned.onnx" --device cpu \
      --threads "${THREADS:-1}" --tokens "$tokens" --runs "${ROUNDS:-5}" > "$work/found" 2> "$work/said" ||
      { cat "$work/said" >&2; exit 4; }
    awk -v form="$form" -v ratio="$ratio" -v tokens="$tokens" '
      { last[$1] = $NF; before[$1] = $(NF - 2); after[$1] = $(NF - 1) }
      END {
        printf "%-17s %5s  %s  %s  %6d  %s  %8s %8s %s  %s\n", form, ratio, last["file"], last["load"],
          tokens, last["prefill,"], before["decode,"], after["decode,"], last["decode,"], last["peak"]
      }' "$work/found" | tee -a "$work/table" >&2
  done
  rm -f "$work"/model.onnx* "$work"/pruned.onnx* "$work/profile"
done

echo
echo "pruned over original, medians of ${ROUNDS:-5} rounds; $experts experts, $top_k a token, width $width, router $router"
printf '%-17s %5s  %5s  %5s  %6s  %7s  %8s %8s %5s  %s\n' form ratio file load tokens prefill 'ms/token' pruned decode memory
cat "$work/table"
