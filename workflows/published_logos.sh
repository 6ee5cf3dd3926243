#!/bin/sh
# The published experiment on CTCF: does the motif's core stand in the logos of the paper's ten demo anchors?
#   workflows/published_logos.sh paper_demo_onehot_GCAT.npy MODEL OUT
# The array is (anchors, bp, 4) with letters in the order G, C, A, T; MODEL is a CTCF model folder (ctcf_training.sh).
# OUT/RUN.npz are the draws, OUT/RUN/logos their logos, OUT/logos.tsv a row an anchor and run, OUT/logos.md the page.
# Beta is 50. `from_anchor` is the paper's sampler: 50 chains, single letters, no warm-up discarded;
# `from_background` is the same from random starts; `default` is the sampler of this package at the same beta. Each is
# run for the published law and with the background leaning to the anchor (tether 0.4). `beta_0` is the background alone:
# what the criterion finds where there is nothing. BETA, THREADS: other values.
set -eu
usage='usage: published_logos.sh ANCHORS.npy MODEL OUT'
array=${1:?$usage}
model=${2:?$usage}
out=${3:?$usage}
maxent=${MAXENT:-maxent}
python=${PYTHON:-python3}
page=$(dirname "$0")/published_logos.py
published='--preset published'

run() {
    name=$1
    shift
    "$maxent" sample "$out/anchors.fa" --model "$model" --crop --beta "${BETA:-50}" --threads "${THREADS:-2}" \
        --out "$out/$name.npz" "$@"
    "$maxent" motifs "$out/$name.npz" --out "$out/$name"
}

mkdir -p "$out"
"$python" "$page" anchors "$array" "$out/anchors.fa"
for start in anchor background; do
    # shellcheck disable=SC2086 # the options are words
    run "from_$start" $published --start "$start" --tether none
    # shellcheck disable=SC2086
    run "from_${start}_tether" $published --start "$start" --tether 0.4
done
# shellcheck disable=SC2086
run beta_0 $published --start background --beta 0 --tether none
run default --tether none
run default_tether --tether 0.4
"$python" "$page" page "$out"
