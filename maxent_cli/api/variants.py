"""Variants: what single-letter changes do to a network's output, in the anchors and over draws around them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import numpy as np

from maxent_cli.alphabet import LETTERS
from maxent_cli.analysis.contexts import SHARE
from maxent_cli.analysis.jackknife import Estimate
from maxent_cli.analysis.variants import VariantEffect
from maxent_cli.api.drawn import law_of, reader_of
from maxent_cli.api.draws import Draws, GivenDraws, opened, path_of
from maxent_cli.api.jobs import in_order, outputs_of
from maxent_cli.api.listening import Listener, Progress, listener_of
from maxent_cli.api.networks import Network, Reader, place
from maxent_cli.api.precision import whole_products
from maxent_cli.api.results import Results, results_folder, tell
from maxent_cli.api.runs import MOST_SAID, Run, rejected_beside, settings_of
from maxent_cli.api.variant_alleles import Alleles, Asked, in_genome, read_alleles
from maxent_cli.data import WHOLE, Interval, SampleSet, Shard
from maxent_cli.errors import InputError, SettingsError, require_range, shown
from maxent_cli.interpret.sampling import over_rows, ready
from maxent_cli.interpret.variants import CONTEXTS, Scanned, Site, VariantSettings, scan_anchor, single_sites
from maxent_cli.io.digests import noted, run_digests
from maxent_cli.io.growing_tables import growing_table
from maxent_cli.io.machine import granted_cpus, require_memory
from maxent_cli.io.outputs import planned
from maxent_cli.io.tables import read_table
from maxent_cli.io.unfinished import Unfinished, packed, unfinished, unpacked
from maxent_cli.io.variant_files import Allele, annotate
from maxent_cli.laws import is_table
from maxent_cli.tables.variants import ANCHORS, FIGURE, VARIANTS

FEWEST, MOST = 20, 100_000  # contexts
SHARES = (0.01, 1.0)
PLAIN, COMPRESSED, NONE = "vcf", "vcf.gz", "none"

Row = dict[str, Any]


@dataclass(frozen=True)
class VariantJob:
    """A network to be asked of some anchors, by number; what a VCF asks of each, None for every single change."""

    model: Reader
    name: str
    settings: VariantSettings
    anchors: Sequence[int]
    asked: Mapping[int, Sequence[Asked]] | None
    threads: int
    listener: Listener


@whole_products()
def variants(
    network: Network,
    draws: GivenDraws,
    vcf: str | None = None,
    *,
    all_single: bool = False,
    genome: str | None = None,
    output: int | str | None = None,
    contexts: int = CONTEXTS,
    contexts_share: float = SHARE,
    annotated: Literal["vcf.gz", "vcf", "none"] = "vcf.gz",
    seed: int = 1,
    device: str = "cpu",
    out: str | None = None,
    shard: Shard = WHOLE,
    threads: int | None = None,
    progress: Progress = True,
) -> Results:
    """What single-letter changes do to a network's output: in the anchors, averaged over draws around them, to the law.

    Each allele is put into draws of its anchor, its contexts. Errors are taken over chains.

    Parameters
    ----------
    network, draws
        The network, and draws around anchors that `sample` gave of it, or the path of what it wrote.
    vcf, all_single
        VCF (plain, bgzip or BCF) of changes, in anchors whose place in the genome is known; or every single change.
    genome
        FASTA that REF is compared with, beside the anchors.
    output
        Of what the effects are, as `Law` names it; by default what the law of the draws holds, of several the mean.
    contexts
        Draws of each anchor that letters are put into, 20 to 100,000 at most; a quarter as many of its background.
    contexts_share
        Share of the draws that is in effect when they are weighed towards the anchor, by a firmer tether at the
        positions that they hold; 1: draws as they are.
    annotated
        The VCF with what was found in INFO: 'vcf.gz' (bgzip, with an index), 'vcf' or 'none'.
    seed
        Of the background's sequences.
    device, out, shard, threads, progress
        As `sample` takes them; `out` is a folder, and shards are of the draws' anchors.

    Returns
    -------
    Results
        Tables 'variants' (effects in units of the output, free energy in bits; `position` is 0-based in the anchor,
        `pos` 1-based in the genome) and 'anchors', as `maxent variants --help-all` tells.

    Raises
    ------
    InputError
        Where an input cannot be used, or the draws are of another network.

    Examples
    --------
    >>> import maxent_cli as mx
    >>> found = mx.variants(mx.network("model"), "draws.npz", "variants.vcf.gz")  # doctest: +SKIP
    >>> found.to_frame()[["record", "pos", "ref", "alt", "anchor_effect", "effect", "effect_error"]]  # doctest: +SKIP
    """
    _check(vcf, all_single, genome, contexts, contexts_share, annotated)
    listener, threads = listener_of(progress), threads or granted_cpus()
    rejected = rejected_beside(out) if vcf else None
    plain = {"vcf": vcf, "annotated": annotated, "all_single": all_single, "contexts": contexts, "seed": seed}
    settings = settings_of(
        **plain, contexts_share=contexts_share, output=output, device=device, reading=network.reading
    )
    weights = str(output) if is_table(output) else None
    read = [*network.files, path_of(draws), vcf, genome, weights]
    outputs = planned(read, folders=[out], implied=[rejected], noting=False)
    with opened(draws) as anchors:
        law = law_of(anchors, network)
        block = shard.block(len(anchors))
        alleles = read_alleles(vcf, anchors, genome, shard, rejected, listener) if vcf else None
        digests = {"model": network.digest, "draws": noted(anchors.path)}
        digests |= run_digests(vcf=vcf, genome=genome, weights=weights)
        run = Run("variants", settings, digests, shard, *_counts(alleles, anchors, shard))
        run.announce(listener)
        model = reader_of(anchors, network)
        place(model, device, listener)
        names = network.outputs(model.outputs)
        held = law.outputs if output is None else outputs_of(network, output, names)
        asked = VariantSettings(law, held, contexts, seed, device, contexts_share)
        here = list(block) if alleles is None else sorted(alleles.asked)
        job = VariantJob(
            model, network.name, asked, here, None if alleles is None else alleles.asked, threads, listener
        )
        _require_memory(anchors, job)
        with unfinished(out, run.identity, listener.stop) as work:
            kept = read_off(anchors, job, work)
            made = {"seed": seed, "device": device, "part": run.part("folder")}
            with results_folder(out, outputs, **made) as folder:
                rows = put_together(folder, in_order(work, kept, unpacked, listener.stop))
                pooled = list(pool(folder, run.settings)) if shard.count == 1 else []
    return tell(folder, out, "variants", [*account(rows), *pooled], listener)


def _check(vcf: str | None, all_single: bool, genome: str | None, contexts: int, share: float, annotated: str) -> None:
    """Raise SettingsError for what excludes another, or is out of range."""
    if (vcf is None) != all_single:
        raise SettingsError("vcf", "", "either it or all-single is needed, not both", "give one of them")
    if genome is not None and vcf is None:
        raise SettingsError("genome", "", "is what the REF of a VCF is compared with", "leave it out")
    if annotated not in (COMPRESSED, PLAIN, NONE):
        raise SettingsError("annotated", "", f"{annotated} is none that is known", "give vcf.gz, vcf or none")
    require_range("contexts", contexts, FEWEST, MOST)
    require_range("contexts-share", share, *SHARES)


def _counts(alleles: Alleles | None, draws: Draws, shard: Shard) -> tuple[int, int, int]:
    """How many alleles, or anchors where every change is tried, were read; and in this part kept and rejected."""
    if alleles is None:
        return len(draws), len(shard.block(len(draws))), 0
    return alleles.read, alleles.kept, alleles.rejected if shard.number == 1 else 0


def _require_memory(draws: Draws, job: VariantJob) -> None:
    if not job.anchors:
        return
    length, workers = len(draws.letters(0)), max(1, min(job.threads, len(job.anchors)))
    what = f"letters in {job.settings.contexts} contexts of {length} letters, in {workers} anchors at once,"
    require_memory(workers * job.settings.bytes_held(length), what, "give fewer --contexts or --threads")


def read_off(draws: Draws, job: VariantJob, work: Unfinished) -> list[str]:
    """Try the changes in each anchor, keep the rows of its tables, and name these in order."""
    names, left = work.left_of(len(job.anchors), job.listener.say)
    reading = Lock()
    ready(job.model)

    def one(row: int, _threads: int) -> None:
        with reading:
            samples = draws[job.anchors[row]]
        work.finish(names[row], _look_at(draws, samples, job, job.anchors[row]))

    results = over_rows(one, left, job.threads, job.listener.stop)
    with job.listener.progress("variants", len(left), "anchors") as ticker:
        for _ in left:
            try:
                next(results)
            except InputError as error:
                work.useless = error.path in (draws.path, job.name)  # they must change
                raise
            ticker.advance()
        next(results, None)  # so that it ends, rather than is stopped
    return [f"{name}.result" for name in names]


def _look_at(draws: Draws, samples: SampleSet, job: VariantJob, number: int) -> bytes:
    """One anchor's rows of each table, to be kept."""
    asked = None if job.asked is None else sorted(job.asked[number], key=lambda one: one.position)
    sites = list(single_sites(samples)) if asked is None else _sites(asked)
    try:
        found = scan_anchor(job.model, samples, sites, job.settings)
    except InputError as error:
        if error.path != samples.name:
            raise
        raise InputError(job.name, f"anchor {samples.name}", error.problem, error.cure) from error
    diagnosis = draws.diagnosis(samples)
    told = {"converged": diagnosis.converged, "rhat": diagnosis.worst_rhat}
    each = [(position, change) for position, changes in sites for change in changes]
    identifiers = [""] * len(each) if asked is None else [one.identifier for one in asked]
    rows = [
        _row(samples, position, change, effect) | {"id": identifier, "df": found.contexts.freedom} | told
        for (position, change), effect, identifier in zip(each, found.effects, identifiers, strict=True)
    ]
    return packed({}, {VARIANTS.file: rows, ANCHORS.file: _anchor_row(samples, found, job) | told})


def _sites(asked: Sequence[Asked]) -> list[Site]:
    """Changes in order of their positions as sites."""
    changes = dict[int, list[tuple[int, int]]]()
    for one in asked:
        changes.setdefault(one.position, []).append(one.change)
    return [(position, tuple(some)) for position, some in changes.items()]


def _row(samples: SampleSet, position: int, change: tuple[int, int], found: VariantEffect) -> Row:
    row: Row = {"record": samples.name, "position": position, "anchor_effect": found.in_anchor}
    row |= _place(samples.interval, len(samples.anchor), position, change)
    for name in ("effect", "flips", "free_energy", "effect_beta_0", "flips_beta_0"):
        estimate: Estimate = getattr(found, name)
        row |= {name: float(estimate.value), f"{name}_error": float(estimate.error)}
    return row


def _place(interval: Interval | None, length: int, position: int, change: tuple[int, int]) -> Row:
    """Where a change lies, if that is known, and its letters there."""
    if interval is None or interval.end - interval.start != length:
        return {"chromosome": "", "pos": None, "ref": LETTERS[change[0]], "alt": LETTERS[change[1]]}
    pos, ref, alt = in_genome(interval, position, change)
    return {"chromosome": interval.chromosome, "pos": pos, "ref": ref, "alt": alt}


def _anchor_row(samples: SampleSet, found: Scanned, job: VariantJob) -> Row:
    contexts = found.contexts
    row: Row = {"record": samples.name, "variants": len(found.effects), "contexts": len(contexts.blocks)}
    row |= {"effective": contexts.effective, "firmer": contexts.firmer}
    row |= {"backgrounds": job.settings.backgrounds, "kernel": found.kernel, "drift": found.drift}
    return row


def put_together(folder: Path, found: Iterable[tuple[Any, Any]]) -> list[Row]:
    """Write the tables of all anchors; give the rows of anchors.tsv."""
    rows = list[Row]()
    with ExitStack() as stack:
        tables = [stack.enter_context(growing_table(str(folder / table.file), table)) for table in (VARIANTS, ANCHORS)]
        for _, facts in found:
            rows.append(facts[ANCHORS.file])
            tables[0]({name: row[name] for name in VARIANTS.names} for row in facts[VARIANTS.file])
            tables[1](rows[-1:])
    return rows


def account(rows: Sequence[Row]) -> Iterator[str]:
    """What was tried, and where draws have not converged."""
    yield f"{sum(row['variants'] for row in rows)} changes in {len(rows)} anchors"
    unsettled = [row for row in rows if not row["converged"]]
    if unsettled:
        yield f"  {len(unsettled)} of {len(rows)} anchors have not converged: there, errors may be larger than said"
    for row in unsettled[:MOST_SAID]:
        yield f"    {shown(row['record'])}: R-hat {row['rhat']:.3g}"


def pool(folder: Path, settings: Mapping[str, Any]) -> Iterator[str]:
    """Write into a folder the figure and the annotated VCF, by its table of variants; and say what these say."""
    effects, found = list[tuple[float, ...]](), dict[Allele, list[Row]]()
    wanted = ("record", "chromosome", "pos", "ref", "alt", *EFFECTS, *SHOWN)
    annotated = settings["vcf"] is not None and settings["annotated"] != NONE
    for row in read_table(str(folder / VARIANTS.file), VARIANTS, "give whole parts", wanted):
        effects.append(tuple(row[name] for name in EFFECTS))
        if annotated:
            found.setdefault((row["chromosome"], row["pos"] - 1, row["ref"], row["alt"]), []).append(row)
    if effects:
        from maxent_cli.io.variants_figure import VariantsFigure, write_variants_figure  # imports matplotlib

        in_anchor, effect, free_energy, flips = np.array(effects, float).T
        write_variants_figure(str(folder / FIGURE.file), VariantsFigure(in_anchor, effect, free_energy))
        yield _told(flips)
    if annotated:
        name = f"annotated.{settings['annotated']}"
        if not annotate(settings["vcf"], str(folder / name), found):
            yield f"  {name} has no index, since its records are not in order"


EFFECTS = ("anchor_effect", "effect", "free_energy", "flips")
SHOWN = ("effect_error", "free_energy_error", "effect_beta_0")


def _told(flips: Any) -> str:
    several = int((flips > 0.5).sum())
    return f"  {several} of {len(flips)} have the other sign in most contexts than in the anchor"
