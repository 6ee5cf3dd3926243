#!/bin/sh
# `maxent run` on simulated data: CTCF sites planted in random DNA, a network trained to see them, and what sampling
# reads back out of that network.
#   workflows/demo.sh FOLDER
# FOLDER is made anew; the table at the end is FOLDER/table.txt too.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
out=${1:?usage: demo.sh FOLDER}

rm -rf "$out"
mkdir -p "$out"
maxent simulate --count 3000 --length 101 --plant CTCF:density=0.9 --out "$out/positives.fa" --truth "$out/planted.bed"
maxent run "$out/positives.fa" --epochs 12 --out "$out"
python "$here/demo_table.py" "$out" | tee "$out/table.txt"
