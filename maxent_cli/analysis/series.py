"""The beta series of an anchor: what the law holds at each replica of its ladder."""

import numpy as np

from maxent_cli.analysis.diagnostics import Diagnosis, mcse_mean
from maxent_cli.analysis.free_energy import bits_held
from maxent_cli.analysis.information import bits_of_counts
from maxent_cli.analysis.summary import energy_reduction
from maxent_cli.data import SampleSet

Row = dict[str, object]


def beta_series(samples: SampleSet, diagnosis: Diagnosis, is_distance: bool = True) -> list[Row]:
    """A row for each replica: energy, share kept, output, bits of the positions and bits held by the law, with errors.

    The share is nan where the energy is no distance (the law of an output). beyond_positions is what the law holds
    that no logo shows: bits held less the sum over positions. converged and rhat are those of the draws.
    """
    replicas, free = samples.replicas, samples.mutable
    held = bits_held(replicas.betas, replicas.energy)
    rows = list[Row]()
    for replica, beta in enumerate(replicas.betas):
        energy, output = replicas.energy[..., replica], replicas.output[..., replica]
        bits = bits_of_counts(replicas.letters[:, replica, free].astype(float), samples.background[free])
        rows.append(
            {
                "record": samples.name,
                "beta": beta,
                "energy": energy.mean(),
                "energy_error": float(mcse_mean(energy)),
                "energy_reduction": energy_reduction(energy.mean(), samples.energy_background)
                if is_distance
                else np.nan,
                "output": output.mean(),
                "output_error": float(mcse_mean(output)),
                "bits": float(bits.value),
                "bits_error": float(bits.error),
                "bits_held": held.value[replica],
                "bits_held_error": held.error[replica],
                "beyond_positions": held.value[replica] - float(bits.value),
                "beyond_positions_error": float(np.hypot(held.error[replica], bits.error)),
                "converged": diagnosis.converged,
                "rhat": diagnosis.worst_rhat,
            }
        )
    return rows
