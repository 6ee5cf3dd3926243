"""From options to a network."""

from typing import Any

import click

from maxent_cli.io.networks import Network, Source
from maxent_cli.models.adapter import Reading


def source_asked(model: str, given: dict[str, Any]) -> Source:
    """Where the model options say that the network is."""
    named = (given["model_args"], given["weights"], given["weights_prefix"], given["trust_pickle"])
    return Source(model, *named, given["input_length"])


def reading_asked(given: dict[str, Any]) -> Reading:
    """How the model options say that the network is to be read."""
    last = given["layout"] == "channels-last"
    return Reading(given["letters"], last, given["head"], given["layer"], given["final"])


def background_asked(given: dict[str, Any], network: Network) -> tuple[float, float, float, float]:
    """Letter frequencies that --gc or --background name."""
    gc = given["gc"]
    if gc is not None and given["background"] != "data":
        raise click.UsageError("--gc and --background exclude each other: give one of them")
    if gc is not None:
        return ((1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2)
    if given["background"] != "data":
        return tuple(given["background"])
    if network.background is None:
        raise click.UsageError(f"{network.name} does not say on what letters it was trained: give --gc or --background")
    return network.background
