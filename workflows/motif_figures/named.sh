#!/bin/sh
# Which known motif does a network hold that was trained on a table of ChIP-seq peaks?
#   workflows/motif_figures/named.sh TRAIN.tsv[.gz] TEST.tsv[.gz] KNOWN.meme[.gz] OUT
# The tables have a column of sequences and one of labels. OUT/motifs/motifs.tsv has the motifs and their names. The
# anchors are fifty at most, spread from the surest down, of the records of TEST that the network calls rightly with a
# contrast of 2 or more (probability 0.88): the surest alone may be of one kind. OUT/scores.tsv has its outputs on TEST; the motifs
# are printed.
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
    --min-contrast 2 --correct --select "$out/sure.fa"
every=$((($(grep -c '>' "$out/sure.fa") + 49) / 50))
awk -v every="$every" '/^>/ { kept = number++ % every == 0 } kept' "$out/sure.fa" >"$out/anchors.fa"
"$maxent" sample "$out/anchors.fa" --model "$out/model" --threads "$threads" --out "$out/draws.npz"
"$maxent" motifs "$out/draws.npz" --known "$known" --logos none --threads "$threads" --out "$out/motifs"
