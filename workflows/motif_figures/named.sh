#!/bin/sh
# Which known motif does a network hold that was trained on a table of ChIP-seq peaks?
#   workflows/motif_figures/named.sh TRAIN.tsv[.gz] TEST.tsv[.gz] KNOWN.meme[.gz] OUT
# The tables have a column of sequences and one of labels. OUT/motifs/motifs.tsv has the motifs and their names, found in
# the draws of ten peaks of TEST that the network calls rightly; OUT/scores.tsv its outputs on TEST. The AUROC on TEST,
# and the motifs, are printed.
set -eu
usage='usage: named.sh TRAIN TEST KNOWN OUT'
train=${1:?$usage}
test=${2:?$usage}
known=${3:?$usage}
out=${4:?$usage}
maxent=${MAXENT:-maxent}
threads=${THREADS:-1}

mkdir -p "$out"
"$maxent" train --table "$train" --epochs 30 --threads "$threads" --out "$out/model"
"$maxent" predict --table "$test" --model "$out/model" --threads "$threads" --out "$out/scores.tsv" \
    --correct --top 10 --select "$out/anchors.fa"
"$maxent" sample "$out/anchors.fa" --model "$out/model" --chains 8 --draws 100 --thin 40 --warmup 2500 \
    --threads "$threads" --out "$out/draws.npz"
"$maxent" motifs "$out/draws.npz" --known "$known" --logos none --threads "$threads" --out "$out/motifs"
