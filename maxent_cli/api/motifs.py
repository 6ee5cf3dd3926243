"""Motifs that draws hold: from draws to a folder of tables, matrices and logos."""

from typing import Literal

from maxent_cli.analysis.discovery import Calling
from maxent_cli.api import motif_tables, question_tables
from maxent_cli.api.draws import GivenDraws, opened, path_of
from maxent_cli.api.listening import Progress, listener_of
from maxent_cli.api.motif_questions import ask
from maxent_cli.api.motif_results import MotifsJob, read_off, share
from maxent_cli.api.results import Results, results_folder, tell
from maxent_cli.errors import require_range
from maxent_cli.io.machine import granted_cpus
from maxent_cli.io.motif_files import DATABASES, read_meme
from maxent_cli.io.outputs import planned


def motifs(
    draws: GivenDraws,
    *,
    calling: Calling | None = None,
    known: str | None = None,
    test: str | None = None,
    similarity: float = 0.65,
    unconverged: bool = False,
    draw_sites: bool = False,
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
        What `sample` gives, or the path of what it wrote.
    calling
        When columns make a motif and draws hold it.
    known
        Known motifs to name the found ones by: 'jaspar-vertebrates', 'jaspar-fungi' (JASPAR 2022 CORE, which come with
        the package), or a MEME file.
    test
        Motifs to ask about, named like `known`: of each, whether it is held, not held or avoided (table 'tested').
    similarity
        Pearson r of aligned columns from which motifs of different anchors are one.
    unconverged
        Let anchors whose draws have not converged count for what comes again.
    draw_sites
        Also write every site of every draw (draw_sites.tsv.gz).
    logos, max_logos
        Format of the logos, or 'none'; of so many anchors, the first ones.
    out
        Folder for the results; without it they are kept until nobody holds them.
    threads, progress
        CPU threads, by default those granted; bars on stderr, none, or a function that is given each step.

    Returns
    -------
    Results
        Tables 'motifs', 'occupancy', 'tested' (with `test`), 'spacing', 'rates', 'anchors', 'positions', 'pwm',
        'segments' and the matrices as tables, as `maxent motifs --help-all` tells; positions are 0-based, start and
        end half-open; in bits.

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
    listener, database = listener_of(progress), DATABASES.get(known or "", known)
    asked_file = DATABASES.get(test or "", test)
    outputs = planned([path_of(draws), database, asked_file], folders=[out])
    named, given = (read_meme(path) if path else [] for path in (database, asked_file))
    with opened(draws) as anchors, results_folder(out, outputs) as folder:
        ways = (logos, max_logos, draw_sites, threads or granted_cpus(), listener, unconverged)
        job = MotifsJob(folder, calling or Calling(), similarity, *ways)
        found = read_off(anchors, job)
        shared = share(anchors, found, job)
        final = motif_tables.final_motifs(shared, job)
        questions = ask(anchors, found, shared, given, job)
        names, others = motif_tables.write_motifs(final, shared, questions, named, job)
        motif_tables.write_places(final, shared, questions, job)
        if test:
            question_tables.write_tested(questions, shared, job)
        if draw_sites:
            motif_tables.write_draw_sites(final, shared, job)
        motif_tables.write_rates(final, found, shared, questions, job)
        motif_tables.write_attributions(found, job)
    account = [
        *motif_tables.account(final, found, shared, names, job),
        *question_tables.account(questions, others, job),
    ]
    return tell(folder, out, "motifs", account, listener)
