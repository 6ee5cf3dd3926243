"""Motifs that draws hold: from draws to a folder of tables, matrices and logos."""

from typing import TYPE_CHECKING, Literal

from maxent_cli.analysis.discovery import Calling
from maxent_cli.analysis.syntax import Syntax
from maxent_cli.api import motif_tables, question_tables
from maxent_cli.api.anchors import Given
from maxent_cli.api.anchors import anchors as anchors_of
from maxent_cli.api.draws import GivenDraws, opened, path_of
from maxent_cli.api.listening import Progress, listener_of
from maxent_cli.api.looking import so_far
from maxent_cli.api.motif_questions import ask
from maxent_cli.api.motif_results import MotifsJob, read_off, share
from maxent_cli.api.results import Results, results_folder, tell
from maxent_cli.choices import PICTURES
from maxent_cli.errors import SettingsError, require_one_of, require_range
from maxent_cli.io.machine import granted_cpus
from maxent_cli.io.motif_files import databases, read_meme
from maxent_cli.io.outputs import planned
from maxent_cli.io.unfinished import is_unfinished

if TYPE_CHECKING:
    from maxent_cli.api.networks import Network


def motifs(
    draws: GivenDraws,
    *,
    calling: Calling | None = None,
    known: str | None = None,
    test: str | None = None,
    similarity: float = 0.65,
    unconverged: bool = False,
    draw_sites: bool = False,
    records: Given | None = None,
    syntax: Syntax | None = None,
    network: "Network | None" = None,
    device: str = "cpu",
    logos: Literal["png", "svg", "pdf", "none"] = "png",
    max_logos: int = 10,
    out: str | None = None,
    threads: int | None = None,
    progress: Progress = True,
) -> Results:
    """Motifs that the draws hold, wherever they are and on either strand, and motifs that they avoid.

    They are found in each anchor's draws against its background, the tether included, merged over anchors and looked
    for in all draws.

    Parameters
    ----------
    draws
        What `sample` gives, or the path of what it wrote; or of what it is at work on (OUT.partial): the anchors that
        are finished.
    calling
        When columns make a motif and draws hold it.
    known
        Known motifs to name the found ones by: 'jaspar-vertebrates', 'jaspar-fungi' or 'jaspar', both of them (JASPAR
        2022 CORE, which come with the package), or a MEME file.
    test
        Motifs to ask about, named like `known`: of each, whether it is held, not held or avoided (table 'tested').
    similarity
        Pearson r of aligned columns from which motifs of different anchors are one.
    unconverged
        Let anchors whose draws have not converged count for what comes again.
    draw_sites
        Also write every site of every draw (draw_sites.tsv.gz).
    records
        Also look for the motifs in records (as `sample` takes them; of the anchors' length), and say how common they
        are: table 'records'.
    syntax, network, device
        Also put pairs of motifs into backgrounds, by order, strand and distance, and say what the law makes of them
        (tables 'interactions' and 'syntax'); the network that the draws are of, and where to run it.
    logos, max_logos
        Format of the logos, or 'none'; of so many anchors, the first ones.
    out
        Folder for the results; without it they are kept until nobody holds them.
    threads, progress
        CPU threads, by default those granted; bars on stderr, none, or a function that is given each step.

    Returns
    -------
    Results
        Tables 'motifs', 'known', 'sites', 'occupancy', 'tested' (with `test`), 'spacing', 'rates', 'records',
        'anchors', 'positions', 'pwm', 'segments' and the matrices as tables, as `maxent motifs --help-all` tells;
        positions are 0-based, start and end half-open; in bits.

    Raises
    ------
    InputError
        Where a file cannot be read, or a setting is out of range.

    Examples
    --------
    >>> import maxent_cli as mx
    >>> found = mx.motifs("draws.npz", known="jaspar-vertebrates", out="motifs")  # doctest: +SKIP
    >>> found.to_frame()[["motif", "consensus", "anchors", "known_1", "q_1"]]  # doctest: +SKIP
    """
    require_range("similarity", similarity, 0, 1)
    require_one_of("logos", logos, PICTURES)
    listener, files, asked_files = listener_of(progress), databases(known), databases(test)
    data = None if records is None else anchors_of(records)
    _check_syntax(syntax, network)
    pairs_file = syntax.file if syntax else None
    path = path_of(draws)
    named, asked = ([motif for file in some for motif in read_meme(file)] for some in (files, asked_files))
    pairs_of = read_meme(pairs_file) if pairs_file else None
    read = [None if is_unfinished(path) else path, *files, *asked_files, pairs_file]
    outputs = planned([*read, *(data.files if data else ()), *(network.files if network else ())], folders=[out])
    with so_far(path) as (place, unfinished), opened(draws if place == path else place) as anchors:
        if unfinished:
            listener.say(f"{path}: {unfinished}")
        network = network if syntax else None
        if network is not None:
            from maxent_cli.api.drawn import law_of, reader_of  # torch, which nothing else here needs
            from maxent_cli.api.precision import whole_products

            with whole_products():
                drawn = law_of(anchors, network), reader_of(anchors, network)
        with results_folder(out, outputs) as folder:
            ways = (logos, max_logos, draw_sites, threads or granted_cpus(), listener, unconverged)
            job = MotifsJob(folder, calling or Calling(), similarity, *ways)
            found = read_off(anchors, job)
            shared = share(anchors, found, job)
            final = motif_tables.final_motifs(shared, job)
            questions = ask(anchors, found, shared, asked, job)
            names, others = motif_tables.write_motifs(final, shared, questions, named, job)
            motif_tables.write_places(final, shared, questions, names, job)
            if test:
                question_tables.write_tested(questions, shared, job)
            if draw_sites:
                motif_tables.write_draw_sites(final, shared, job)
            motif_tables.write_rates(final, found, shared, questions, job)
            motif_tables.write_attributions(found, job)
            motif_tables.write_tracks(job)
            more = motif_tables.write_records(final, shared, data, job) if data else []
            if network is not None and syntax is not None:
                from maxent_cli.api.syntax import write_syntax

                pairs = [one.motif for one in final] if pairs_of is None else pairs_of
                with whole_products():
                    more += write_syntax(anchors, (syntax, pairs), (*drawn, device), shared.reference, job)
    account = [
        *motif_tables.account(final, found, shared, names, job),
        *question_tables.account(questions, others, job),
    ]
    account += more
    return tell(folder, out, "motifs", account, listener)


def _check_syntax(syntax: Syntax | None, network: "Network | None") -> None:
    if syntax is not None and network is None:
        raise SettingsError("syntax", "", "needs the network that the draws are of", "give model")
