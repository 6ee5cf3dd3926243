"""maxent series: what the law keeps and holds as beta rises."""

from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from maxent_cli.commands import options

if TYPE_CHECKING:
    from maxent_cli.data import Shard


@click.command("series")
@click.argument("draws", type=options.InputPath())
@options.out_option("Folder for the results; an older one is replaced.")
@click.option("--figures", default=20, show_default=True, type=click.IntRange(0), help="Figures of the first anchors.")
@options.shard_option
def command(draws: str, out: str, figures: int, shard: "Shard") -> None:
    """What each anchor's law keeps and holds as beta rises, from the ladder's rungs.

    DRAWS is what sample wrote, with --rungs of 3 or more. Bits held is the divergence of the law from its background
    in bits, integrated along the ladder; the positions' bits are the part of it that a logo can show. In the folder:

    \b
    series.tsv  energy, share kept, output, bits of the positions and bits held, an anchor and beta a line
    figures/    the same as a figure an anchor
    """
    from maxent_cli.analysis.series import beta_series
    from maxent_cli.io.digests import noted
    from maxent_cli.io.outputs import planned
    from maxent_cli.io.samples import open_draws
    from maxent_cli.io.series_figure import write_series_figure
    from maxent_cli.io.tables import write_table

    outputs = planned([draws], folders=[out])
    with open_draws(draws) as anchors, ExitStack() as stack:
        rows, block = [], shard.block(len(anchors))
        part = options.part_asked(shard, len(anchors), len(shard.block(len(anchors))), 0, {"draws": noted(draws)}) | {
            "kind": "folder"
        }
        folder = stack.enter_context(outputs.writing_folder(out, part=part))
        (folder / "figures").mkdir()
        is_distance = anchors.header.get("law", {}).get("held") != "output"
        for number in block:
            samples = anchors[number]
            series = beta_series(samples, is_distance)
            rows += series
            if number < figures:
                path = folder / "figures" / f"series_{number + 1:06d}.png"
                write_series_figure(str(path), samples.name, series, samples.anchor_output)
        write_table(str(folder / "series.tsv"), rows)
    options.say(f"{out}: {len(rows)} rungs of {len(block)} anchors")
