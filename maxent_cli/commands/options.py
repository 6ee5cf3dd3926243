"""Options that several commands share, declared once; each group becomes one value that the command is given."""

import inspect
from collections.abc import Callable
from copy import copy
from functools import wraps
from typing import TYPE_CHECKING, Any, Literal

import click

from maxent_cli.choices import PICTURES, PRESETS
from maxent_cli.commands.configuration import read_config
from maxent_cli.commands.params import (
    AUTO,
    NONE,
    Finite,
    FiniteRange,
    FrequenciesType,
    InputPath,
    KnownMotifs,
    NumberOrAuto,
    OutputsType,
    ShardType,
    Tether,
)
from maxent_cli.laws import LAWS, LawKind
from maxent_cli.tables import WRITTEN

if TYPE_CHECKING:
    from maxent_cli.api.anchors import Anchors
    from maxent_cli.api.networks import Network
    from maxent_cli.interpret.law import Law
    from maxent_cli.interpret.sampling import Sampling

Decorator = Callable[[Any], Any]

OF_PRESET = "the preset's"
HELP = "Help"
ORDER = ("Network", "Anchors", "Options", "Law", "Sampling", "Output", HELP)  # of sections; a command's own come first
FIRST = -1
ALL = "maxent.help_all"  # in a context's meta: whether to show every option


class Option(click.Option):
    """An option with the section of the help that it stands in; everyday: --help shows it, not --help-all alone."""

    def __init__(self, *given: Any, section: str = "Options", everyday: bool = False, **more: Any) -> None:
        self.section, self.everyday = section, everyday
        super().__init__(*given, **more)


class Command(click.Command):
    """A command whose help shows everyday options in sections, and all of them by --help-all.

    rare: names of options that are everyday elsewhere. details: what --help-all says beyond --help. steps: commands
    that it calls, whose sections of a file it heeds.
    """

    def __init__(
        self, *given: Any, rare: tuple[str, ...] = (), details: str = "", steps: tuple[str, ...] = (), **more: Any
    ) -> None:
        super().__init__(*given, **more)
        self.rare, self.details, self.steps = rare, details, steps

    @property
    def everyday(self) -> list[Option]:
        """The options that --help shows."""
        own = [param for param in self.params if isinstance(param, Option)]
        return [option for option in own if option.everyday and option.name not in self.rare]

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        shown, written = copy(self), WRITTEN.get(str(self.name), ())
        about = inspect.cleandoc(self.help or "")  # or what is put behind it would set its margin
        if ctx.meta.get(ALL):
            shown.help = f"{about}\n\n{inspect.cleandoc(self.details)}"
        elif written and not self.details:
            names = ", ".join(output.file for output in written)
            shown.help = f"{about}\n\nWritten are {names}; --help-all says what is in them."
        click.Command.format_help_text(shown, ctx, formatter)
        if ctx.meta.get(ALL) and written:
            with formatter.section("Files"):
                formatter.write_dl([(output.file, f"{output.about}.") for output in written])

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        shown = self.everyday
        for param in (param for param in self.get_params(ctx) if isinstance(param, click.Option)):
            record = param.get_help_record(ctx)
            if record is not None and (ctx.meta.get(ALL) or param in shown or not isinstance(param, Option)):
                sections.setdefault(getattr(param, "section", HELP), []).append(record)
        for title in sorted(sections, key=lambda title: ORDER.index(title) if title in ORDER else FIRST):
            with formatter.section(title):
                formatter.write_dl(sections[title])


def _show_all(ctx: click.Context, _param: click.Parameter, asked: bool) -> None:
    if asked:
        ctx.meta[ALL] = True
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()


def command(name: str, rare: tuple[str, ...] = (), details: str = "", steps: tuple[str, ...] = ()) -> Decorator:
    """A command of that name, with --config and --help-all; rare, details: what the latter alone shows."""

    def apply(function: Any) -> Any:
        several = click.option(
            "--help-all", is_flag=True, is_eager=True, expose_value=False, callback=_show_all, help="Show every option."
        )
        more: dict[str, Any] = {"rare": rare, "details": details, "steps": steps}
        return click.command(name, cls=Command, **more)(config_option(several(function)))

    return apply


def option(*names: str, section: str = "Options", everyday: bool = False, **more: Any) -> Decorator:
    """An option in a section of the help."""
    return click.option(*names, cls=Option, section=section, everyday=everyday, **more)


def group(name: str, build: Callable[..., Any], *options: Decorator) -> Decorator:
    """Options, or arguments, whose values `build` makes into one, which the command is given by name."""
    own = frozenset(inspect.signature(build).parameters)

    def apply(function: Any) -> Any:
        wanted = getattr(function, "wanted", frozenset[str]())  # by groups further in, which may share an option

        @wraps(function)
        def gathered(**given: Any) -> Any:
            rest = {each: value for each, value in given.items() if each not in own - wanted}
            return function(**{name: build(**{each: given[each] for each in own})}, **rest)

        gathered.wanted = wanted | own  # type: ignore[attr-defined]
        return stack(*options)(gathered)

    return apply


def stack(*decorators: Decorator) -> Decorator:
    """Several options as one decorator, shown in this order."""

    def apply(function: Any) -> Any:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return apply


config_option = option(
    "--config",
    metavar="TOML",
    is_eager=True,
    expose_value=False,
    callback=read_config,
    section="Output",
    everyday=True,
    help="Read options from a file: sections as here, or of a command. Options given here go before.",
)
seed_option = option(
    "--seed",
    default=1,
    show_default=True,
    type=click.IntRange(0, 2**32 - 1),
    metavar="N",
    section="Sampling",
    everyday=True,
    help="Random seed; same seed, same run.",
)
threads_option = option(
    "--threads",
    type=click.IntRange(1, 1024),
    metavar="N",
    section="Sampling",
    everyday=True,
    help="CPU threads.  [default: the CPUs granted]",
)
device_option = option(
    "--device",
    default="cpu",
    show_default=True,
    metavar="cpu|cuda|cuda:N",
    section="Sampling",
    everyday=True,
    help="Where the network runs.",
)
assembly_option = option(
    "--assembly",
    default="",
    metavar="NAME",
    section="Output",
    help="Genome of the anchors' places as the UCSC browser names it (hg38): the page links to it.",
)
shard_option = option(
    "--shard",
    type=ShardType(),
    default="1/1",
    show_default="all",
    section="Output",
    everyday=True,
    help="Only part I of N (near-equal, consecutive); join with `maxent merge`.",
)


def known_option(default: str | None = None) -> Decorator:
    """The known motifs that found ones are named by."""
    return option(
        "--known",
        type=KnownMotifs(),
        default=default,
        show_default=default is not None,
        everyday=True,
        help="Known motifs to name the found ones by: jaspar-vertebrates, jaspar-fungi, jaspar for both (they are "
        "included), or a MEME file.",
    )


def asked_motifs_option(otherwise: str = "") -> Decorator:
    """The motifs that are asked about."""
    return option(
        "--test",
        type=KnownMotifs(),
        everyday=True,
        help=f"Motifs to ask about, named like --known{otherwise}: is each held, not held or avoided, at --rate "
        "(tested.tsv)?",
    )


def similarity_option(same: str, everyday: bool = True) -> Decorator:
    """From which similarity two motifs are the same."""
    return option(
        "--similarity",
        default=0.65,
        show_default=True,
        type=FiniteRange(0, 1),
        everyday=everyday,
        help=f"{same} aligned columns correlate at least this much (Pearson r).",
    )


def out_option(help_text: str, pipe: bool = False) -> Decorator:
    """The output that every command has; '-' only where it may be a pipe."""

    def check(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
        if value == "-" and not pipe:
            raise click.BadParameter("this output cannot be a pipe: give a path")
        return value

    return option(
        "--out", "-o", required=True, callback=check, section="Output", everyday=True, metavar="PATH", help=help_text
    )


logo_options = stack(
    option(
        "--logos",
        type=click.Choice(PICTURES),
        default="png",
        show_default=True,
        section="Output",
        help="Format of the logos, about half a second each.",
    ),
    option(
        "--max-logos",
        default=10,
        show_default=True,
        type=click.IntRange(0),
        section="Output",
        help="Logos of the first anchors.",
    ),
)


def _network_if_any(model: tuple[str, ...], trust_code: bool) -> "Network | None":
    return _network(model, trust_code) if model else None


def _network(model: tuple[str, ...], trust_code: bool) -> "Network":
    from maxent_cli.api.networks import network

    return network(model, trust_code=trust_code)


trust_option = option(
    "--trust-code",
    is_flag=True,
    section="Network",
    help="Run the code that the model folder holds, if it holds any: you trust whoever wrote it.",
)


def _model_option(required: bool, more: str = "") -> Decorator:
    return option(
        "--model",
        required=required,
        multiple=True,
        metavar="FOLDER",
        section="Network",
        everyday=True,
        help=f"Model folder, as train or adopt wrote it{more}; several: what all hold.",
    )


network_options = group("network", _network, _model_option(required=True), trust_option)
network_if_any_options = group(
    "network", _network_if_any, _model_option(required=False, more=", for --syntax"), trust_option
)
layer_option = option(
    "--layer",
    section="Law",
    help="Module whose input is the representation, or 'output': the outputs themselves.  [default: the model "
    "folder's; `maxent doctor` prints it]",
)


def reading_options(centre: str) -> tuple[Decorator, ...]:
    """How intervals and records of several lengths become windows; centre: the default of what they are around."""
    return (
        option(
            "--genome",
            type=InputPath(),
            section="Anchors",
            everyday=True,
            help="FASTA that BED intervals refer to.",
        ),
        option(
            "--centre",
            type=click.Choice(["centre", "summit"]),
            default=centre,
            show_default=True,
            section="Anchors",
            help="What of a BED interval the window is centred on; a narrowPeak without summit takes the centre.",
        ),
        option(
            "--crop",
            is_flag=True,
            section="Anchors",
            help="Keep the middle of longer records; without it they are rejected.",
        ),
        option(
            "--map-chromosomes",
            is_flag=True,
            section="Anchors",
            help="Take chr4, 4, chrIV and IV for one, and chrM, MT and Mito: whichever the genome has.",
        ),
    )


genome_options = stack(*reading_options("centre"))


def read_anchors(
    anchors: str | None,
    genome: str | None,
    centre: Literal["centre", "summit"],
    crop: bool,
    flank: Literal["genome", "background"] | None = None,
    fix: str | None = None,
    n_policy: Literal["reject", "fix", "sample"] = "reject",
    map_chromosomes: bool = False,
) -> "Anchors | None":
    """Anchors as the options ask for them, where there are any."""
    from maxent_cli.api.anchors import anchors as read

    if anchors is None:
        return None
    how: dict[str, Any] = {"flank": flank, "fix": fix, "n_policy": n_policy, "map_chromosomes": map_chromosomes}
    return read(anchors, genome=genome, centre=centre, crop=crop, **how)


anchor_reading_options = stack(
    genome_options,
    option(
        "--flank",
        type=click.Choice(["genome", "background"]),
        section="Anchors",
        help="Anchors are shorter than the network's input: put them into windows of the genome around them, or into "
        "letters drawn from the background once; these do not change.  [default: anchors fill the input]",
    ),
    option(
        "--fix",
        metavar="BED|POSITIONS",
        section="Anchors",
        everyday=True,
        help="Positions that do not change: BED, or as in 3,40-60 (0-based, end excluded).",
    ),
    option(
        "--n-policy",
        type=click.Choice(["reject", "fix", "sample"]),
        default="reject",
        show_default=True,
        section="Anchors",
        help="Records with N (or R, Y and the like): reject them; fix: N stays, as a column of zeros; sample: N is "
        "drawn like any letter; the anchor itself encodes it as zeros.",
    ),
)
anchors_options, anchors_if_any_options = (
    group(
        "anchors",
        read_anchors,
        click.argument("anchors", required=required, type=InputPath(pipe=True)),
        anchor_reading_options,
    )
    for required in (True, False)
)
output_option = option(
    "--output",
    type=OutputsType(),
    section="Law",
    help="Of several outputs, before the softmax: one by number from 0 or name; a difference, A-B; several together, "
    "A,B,C; or weighted sums from a TSV (columns output, weight; row).  [default: 1-0 of two]",
)
background_options = stack(
    option(
        "--background",
        type=FrequenciesType(),
        default="data",
        show_default=True,
        section="Law",
        help="Letter frequencies q: of A, C, G and T, or those of the training data.",
    ),
    option(
        "--gc",
        type=FiniteRange(0, 1, True, True),
        metavar="SHARE",
        section="Law",
        everyday=True,
        help="G+C fraction of the background.  [default: that of the training data]",
    ),
)
asked_options = stack(output_option, background_options)  # of a law, but for how firmly it holds


hold_options = stack(
    option(
        "--hold",
        type=OutputsType(),
        section="Law",
        help="Of the laws output and near: another output, in --output's forms, that is held as in the record "
        "meanwhile: p ∝ q·exp(-beta·E + gamma·output), E as of the law anchor. Needs --hold-beta and records.",
    ),
    option("--hold-beta", type=FiniteRange(0), section="Law", help="How firmly --hold does, in 1/E."),
)


def law_of(
    held: str,
    output: str | None,
    background: Any,
    gc: float | None,
    tether: Any,
    beta: Any,
    keep: float | None,
    layer: str | None,
    to: float | None = None,
    hold: str | None = None,
    hold_beta: float | None = None,
) -> "Law":
    """What the options of the law ask for."""
    from maxent_cli.interpret.law import Law

    return Law(
        held,
        output,
        background,
        gc,
        None if tether == NONE else tether,
        None if beta == AUTO else beta,
        keep,
        layer,
        to,
        hold,
        hold_beta,
    )


def _told(kind: LawKind) -> str:
    """What a law holds, for the help."""
    needs = " and ".join(" or ".join(f"--{one}" for one in need.split(" or ")) for need in kind.needs)
    needs = f" Needs {needs}." if needs else ""
    return f"{kind.name}: {kind.holding('--output')}.{needs}"


def law_options(tether: str) -> Decorator:
    """All of a law; the tether's default depends on what the draws are for."""
    return group(
        "law",
        law_of,
        option(
            "--law",
            "held",
            type=click.Choice(list(LAWS)),
            default="anchor",
            show_default=True,
            section="Law",
            help=f"What is held. {' '.join(map(_told, LAWS.values()))}",
        ),
        option(
            "--keep",
            type=FiniteRange(0, 1, True, True),
            metavar="SHARE",
            section="Law",
            everyday=True,
            help="Choose beta so that the mean energy is (1 - KEEP) of the background's: 0 is background, near 1 "
            "almost the anchor.  [default: 0.75]",
        ),
        option(
            "--beta",
            type=NumberOrAuto(),
            default=AUTO,
            show_default=True,
            section="Law",
            everyday=True,
            help="Inverse temperature, in 1/energy, instead of --keep.",
        ),
        option(
            "--tether",
            type=Tether(),
            default=tether,
            show_default=True,
            section="Law",
            everyday=True,
            help="How far the background leans to the anchor: none, or the frequency of its letter; auto: twice the "
            "letter's odds.",
        ),
        option(
            "--to",
            type=Finite(),
            metavar="OUTPUT",
            section="Law",
            help="Of the law output: its mean output, for which beta is found; of the law near: the output, beta "
            "being 1/(2 s²) for a spread s.  [default: s is a tenth of how far the anchor's output is from it]",
        ),
        asked_options,
        layer_option,
        hold_options,
    )


def _sampling(
    preset: str,
    chains: int | None,
    replicas: int | None,
    draws: int | None,
    thin: int | None,
    warmup: int | None,
    start: str | None,
    moves: str | None,
    min_ess: float | None,
    max_rhat: float | None,
    max_steps: int | None,
    max_replicas: int | None,
    device: str,
    seed: int,
) -> "Sampling":
    from dataclasses import replace

    from maxent_cli.api.sampling import preset_of

    asked: dict[str, Any] = {"chains": chains, "replicas": replicas, "draws": draws, "thin": thin, "warmup": warmup}
    asked |= {"start": start, "moves": moves, "min_ess": min_ess, "max_rhat": max_rhat, "max_steps": max_steps}
    asked["max_replicas"] = max_replicas
    chosen = {name: value for name, value in asked.items() if value is not None}
    return replace(preset_of(preset), device=device, seed=seed, **chosen)


def _of_preset(*names: str, help: str, **more: Any) -> Decorator:
    return option(*names, section="Sampling", show_default=OF_PRESET, help=help, **more)


sampling_options = group(
    "sampling",
    _sampling,
    option(
        "--preset",
        type=click.Choice(PRESETS),
        default="standard",
        show_default=True,
        section="Sampling",
        everyday=True,
        help="How much is drawn; standard and thorough run until converged, published is the paper's sampler.",
    ),
    _of_preset("--chains", type=click.IntRange(2, 10_000), help="Chains an anchor, 2 to 10,000."),
    _of_preset(
        "--replicas",
        type=click.IntRange(1, 64),
        help="Replica exchange: replicas a chain, 1 to 64, at inverse temperatures from 0 to beta. Only the coldest is "
        "reported. 1 turns it off.",
    ),
    _of_preset(
        "--max-replicas",
        type=click.IntRange(1, 64),
        help="Where neighbouring replicas exchange seldom, warm-up begins again with more of them, up to so many.",
    ),
    _of_preset("--draws", type=click.IntRange(4, 10**6), help="Draws kept of each chain, from 4."),
    _of_preset("--thin", type=click.IntRange(1, 10**6), help="Steps between kept draws, at first."),
    _of_preset(
        "--warmup",
        type=click.IntRange(0, 10**9),
        help="Steps of each replica discarded first, from 0; temperatures and moves settle in them.",
    ),
    _of_preset(
        "--start",
        type=click.Choice(["both", "anchor", "background"]),
        help="Where chains start: at the anchor, at random background, or half and half.",
    ),
    _of_preset(
        "--moves",
        type=click.Choice(["all", "letters"]),
        help="Proposals: single letters with shifted, reverse-complemented and refilled windows, or single letters as "
        "published.",
    ),
    _of_preset(
        "--min-ess",
        type=FiniteRange(1),
        help="Converged means: every effective sample size is at least this, from 1, and every R-hat at most "
        "--max-rhat. Chains go on until then; as many draws are kept, further apart.",
    ),
    _of_preset("--max-rhat", type=FiniteRange(1, min_open=True), help="R-hat up to which chains agree, above 1."),
    _of_preset(
        "--max-steps",
        type=click.IntRange(1, 10**9),
        help="Steps of each replica after the warm-up at which to stop all the same, from 1.",
    ),
    device_option,
    seed_option,
)
