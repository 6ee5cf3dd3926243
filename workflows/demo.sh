#!/bin/sh
# The whole pipeline on simulated data: CTCF sites planted in random DNA, a network trained to see them, and what
# sampling reads back out of that network.
#   workflows/demo.sh FOLDER
# All choices are here. FOLDER is made anew; the table at the end is FOLDER/table.txt too.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
out=${1:?usage: demo.sh FOLDER}
step() { printf '\n== %s (%d s)\n' "$1" "$(($(date +%s) - started))" >&2; }
started=$(date +%s)

rm -rf "$out"
mkdir -p "$out"

step '1/7 simulate: 3,000 sequences of 101 bp, nine tenths with a CTCF site anywhere, on either strand'
maxent simulate --count 3000 --length 101 --plant CTCF:density=0.9 \
    --out "$out/positives.fa" --truth "$out/planted.bed"

step '2/7 train: against dinucleotide-preserving shuffles'
maxent train --positives "$out/positives.fa" --epochs 12 --out "$out/model"

step '3/7 predict: held-out positives; twelve that stand for all that are called correctly become anchors'
maxent predict "$out/model/test.positives.fa" --model "$out/model" --label 1 --out "$out/scores.tsv" \
    --select "$out/anchors.fa" --correct --diverse 12

step '4/7 sample: what the network cannot tell from each anchor (the first run compiles for about half a minute)'
maxent sample "$out/anchors.fa" --model "$out/model" --out "$out/draws.npz"

step '5/7 motifs: letter frequencies, information, motifs and logos of the draws; how many records have the motifs'
maxent motifs "$out/draws.npz" --records "$out/model/test.positives.fa" --out "$out/motifs"

step '6/7 gc-probe: does the network hold GC content?'
maxent gc-probe "$out/anchors.fa" --model "$out/model" --out "$out/gc"

step '7/7 report: all of it on one page'
maxent report "$out/draws.npz" --motifs "$out/motifs" --gc-probe "$out/gc" --out "$out/report.html"

step 'done'
python "$here/demo_table.py" "$out" | tee "$out/table.txt"
