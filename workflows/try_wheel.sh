#!/bin/sh
# Does an installed `maxent` work where the source is not?
#   try_wheel.sh MAXENT
set -eu
maxent=${1:?usage: try_wheel.sh MAXENT}
work=$(mktemp -d)
trap 'cat "$work/log"; rm -rf "$work"' EXIT
"$maxent" --version
"$maxent" simulate --count 200 --length 60 --plant CTCF --out "$work/positives.fa" 2>"$work/log"
"$maxent" train --positives "$work/positives.fa" --epochs 1 --threads 1 --out "$work/model" 2>>"$work/log"
"$maxent" predict "$work/positives.fa" --model "$work/model" --out "$work/scores.tsv" --select "$work/anchors.fa" --top 1 \
    2>>"$work/log"
test "$(wc -l <"$work/scores.tsv")" = 201
: >"$work/log"  # which is for when something fails
echo 'the wheel works'
