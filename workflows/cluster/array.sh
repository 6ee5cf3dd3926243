#!/bin/bash
# Draws on a cluster with Slurm and without Snakemake: an array job of so many parts, then a merge that waits for it.
#
#   parts=$(sbatch --parsable --array=1-20 array.sh 20 draws.npz anchors.fa --model model --tether 0.4)
#   sbatch --dependency="afterok:$parts" --wrap='maxent merge draws.npz.parts/*.npz --out draws.npz'
#
# After the number of parts and the output come the arguments of `maxent sample`. What all parts together need,
# `maxent doctor` says with the same arguments. Two minutes before its time is over a part stops, goes back to the queue,
# and goes on from there when it runs again, as it does when its node fails.
#SBATCH --job-name=maxent
#SBATCH --cpus-per-task=1
#SBATCH --mem=2G
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --signal=B:USR1@120
#SBATCH --open-mode=append
#SBATCH --output=maxent-%A_%a.log
set -u
parts=$1 out=$2
shift 2
mkdir -p "$out.parts"

maxent sample "$@" --shard "$SLURM_ARRAY_TASK_ID/$parts" --threads "$SLURM_CPUS_PER_TASK" \
    --out "$out.parts/$SLURM_ARRAY_TASK_ID.npz" &
again=no
trap 'again=yes; kill -USR1 $!' USR1
trap : TERM # maxent hears it too, and writes what it has
while kill -0 $! 2>/dev/null; do # a signal ends the wait, not maxent
    wait $!
    code=$?
done
if [ "$again" = yes ] && { [ "$code" = 4 ] || [ "$code" = 138 ]; }; then # 138: it did not listen yet
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
fi
exit "$code"
