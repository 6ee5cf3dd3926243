#!/bin/sh
# How well the networks tell CTCF peaks from their dinucleotide shuffles, chr8 and chr9 held out.
#   workflows/ctcf_training.sh PEAKS.fa[.gz] OUT
# PEAKS names its records chrom:start-end. OUT/ARCHITECTURE are the model folders; OUT/results.tsv holds a row an
# architecture and metric: value and 95 % bootstrap interval on the held-out part, and the seconds that training took.
set -eu
peaks=${1:?usage: ctcf_training.sh PEAKS.fa OUT}
out=${2:?usage: ctcf_training.sh PEAKS.fa OUT}
maxent=${MAXENT:-maxent}

mkdir -p "$out"
printf 'architecture\tpart\tmetric\tvalue\tlower\tupper\tpositives\tnegatives\tseconds\n' >"$out/results.part"
for architecture in finnegan2017 convnet; do
    started=$(date +%s)
    "$maxent" train --positives "$peaks" --test-chromosomes chr8,chr9 --architecture "$architecture" \
        --out "$out/$architecture"
    seconds=$(($(date +%s) - started))
    awk -v first="$architecture" -v last="$seconds" -v OFS='\t' 'NR > 1 { print first, $0, last }' \
        "$out/$architecture/metrics.tsv" >>"$out/results.part"
done
mv "$out/results.part" "$out/results.tsv"
cat "$out/results.tsv"
