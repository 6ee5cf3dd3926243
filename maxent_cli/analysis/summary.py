"""One row of numbers for each anchor's draws, every estimate with its Monte Carlo error."""

import math
from collections.abc import Iterator

from maxent_cli.alphabet import UNKNOWN
from maxent_cli.analysis.diagnostics import Diagnosis, mcse_mean
from maxent_cli.analysis.free_energy import bits_of_law
from maxent_cli.analysis.information import information_of
from maxent_cli.analysis.reweighting import mean_error
from maxent_cli.data import SampleSet


def summarise(samples: SampleSet, diagnosis: Diagnosis, is_distance: bool = True) -> dict[str, object]:
    """Acceptance, convergence, energy, output and information of one anchor's draws.

    energy_reduction is 1 - <E>_beta / <E>_0: how far the mean energy has fallen from its value under the
    background; nan where the energy is no distance (the law of an output). bits is the total information of the
    positions against their background rows, bias-corrected, in bits; bits_held is the divergence of the whole law
    from the background, of which they are the part that a logo can show; its error is over ladders, with so many
    degrees of freedom (bits_held_df). unknown is the number of the anchor's letters that are not A, C, G or T.
    """
    share = energy_reduction(samples.energy.mean(), samples.energy_background) if is_distance else math.nan
    bits, held = information_of(samples), bits_of_law(samples)
    return {
        "record": samples.name,
        "beta": samples.beta,
        "beta_error": samples.beta_error,
        "acceptance": samples.acceptance,
        "converged": diagnosis.converged,
        "rhat": diagnosis.worst_rhat,
        "rhat_quantity": diagnosis.worst_rhat_quantity,
        "ess": diagnosis.least_ess,
        "ess_quantity": diagnosis.least_ess_quantity,
        "frequency_error": diagnosis.worst_error,
        "frequency_error_quantity": diagnosis.worst_error_quantity,
        "energy": samples.energy.mean(),
        "energy_error": mean_error(samples, samples.energy),
        "energy_background": samples.energy_background,
        "energy_reduction": share,
        "energy_reduction_error": energy_reduction_error(samples) if is_distance else math.nan,
        "distinguishable": samples.distinguishable,
        "output_anchor": samples.anchor_output,
        "output_background": samples.output_background[1],
        "output": samples.output.mean(),
        "output_error": mean_error(samples, samples.output),
        "bits": bits.total,
        "bits_error": bits.total_error,
        "bits_held": float(held.value),
        "bits_held_error": float(held.error),
        "bits_held_df": len(samples.codes) - 1,
        "kernel": samples.kernel,
        "drift_start": samples.drift_start,
        "drift": samples.drift,
        "unknown": int((samples.anchor == UNKNOWN).sum()),
        "steps": samples.thin * samples.codes.shape[1],
    }


def of_networks(samples: SampleSet) -> Iterator[dict[str, object]]:
    """A row for each network of an anchor's draws; none where the law is of one."""
    each = samples.networks
    for number in range(0 if each is None else len(each.anchor_output)):
        assert each is not None
        distance, output = each.distance[..., number], each.output[..., number]
        background = float(each.distance_background[number])
        yield {
            "record": samples.name,
            "network": number + 1,
            "distance": distance.mean(),
            "distance_error": float(mcse_mean(distance)),
            "distance_background": background,
            "reduction": energy_reduction(distance.mean(), background),
            "output_anchor": float(each.anchor_output[number]),
            "output": output.mean(),
            "output_error": float(mcse_mean(output)),
        }


def energy_reduction(energy: float, background: float) -> float:
    """1 - <E>_beta / <E>_0 of an energy that is a distance; nan if it is always 0."""
    return float(1 - energy / background) if background > 0 else math.nan


def energy_reduction_error(samples: SampleSet) -> float:
    """The standard error of the share that the law of the draws keeps, by the draws and by those of the background."""
    energy, background = samples.energy.mean(), samples.energy_background
    if not background > 0:
        return math.nan
    of_background = energy * samples.energy_background_error / background
    return float(math.hypot(float(mcse_mean(samples.energy)), of_background) / background)
