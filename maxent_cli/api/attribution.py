"""Attribution: from a network and its anchors to a folder of scores by position and letter."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, nullcontext
from math import inf
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import numpy as np

from maxent_cli.api import attribution_results as results
from maxent_cli.api.anchors import Given, anchors
from maxent_cli.api.drawn import law_of, reader_of
from maxent_cli.api.draws import GivenDraws, opened, path_of
from maxent_cli.api.jobs import Task, in_order, keep_each, take_up
from maxent_cli.api.listening import Progress, listener_of
from maxent_cli.api.networks import Network
from maxent_cli.api.precision import whole_products
from maxent_cli.api.results import Results, results_folder, tell
from maxent_cli.api.runs import settings_of
from maxent_cli.choices import PICTURES
from maxent_cli.data import WHOLE, Anchor, Shard, Stop
from maxent_cli.errors import InputError, SettingsError, StoppedError, require_one_of, require_range
from maxent_cli.interpret.attribution import (
    METHODS,
    REFERENCES,
    AttributionSettings,
    Question,
    attribute_anchor,
    make_ready,
)
from maxent_cli.interpret.law import Law, require_few
from maxent_cli.interpret.prefix_mass import prefix_bits
from maxent_cli.io.attribution_files import read_reading, read_scores, write_arrays
from maxent_cli.io.digests import noted
from maxent_cli.io.machine import granted_cpus
from maxent_cli.io.outputs import planned
from maxent_cli.io.tracks import SESSION, write_session, write_signal
from maxent_cli.io.unfinished import unfinished
from maxent_cli.tables.attribution import POSITIONS, READING

STEPS = 50
MOST = 10_000  # of either
SUMMED = ("deeplift", "integrated-gradients", "prefix")  # methods whose scores must add up, over references
STEPPED = ("integrated-gradients",)


@whole_products()
def attribute(
    network: Network,
    given: Given,
    method: str,
    law: Law | None = None,
    *,
    draws: GivenDraws | None = None,
    references: int | None = None,
    steps: int | None = None,
    max_delta: float | None = None,
    logos: Literal["png", "svg", "pdf", "none"] = "png",
    max_logos: int = 10,
    seed: int = 1,
    device: str = "cpu",
    out: str | None = None,
    shard: Shard = WHOLE,
    threads: int | None = None,
    progress: Progress = True,
) -> Results:
    """Attribution scores per position: by gradients, DeepLIFT, integrated gradients, mutagenesis, or reading along.

    Parameters
    ----------
    network, given
        As `sample` takes them.
    method
        'saliency', 'input-x-gradient', 'deeplift' (Shrikumar et al. 2017, rescale rule), 'integrated-gradients'
        (Sundararajan et al. 2017), 'mutagenesis' or 'prefix', which reads from left to right and back.
    law
        Which output is attributed, and the background q that references are drawn from; nothing else of it is heeded.
    draws
        By 'prefix': draws around these anchors, whose law is read so too. It takes four to seven times their time.
    references, steps
        Sequences drawn from q that the last three methods but one compare with (20), and points on the way from one
        at which the latter takes the gradient (50).
    max_delta
        Share of the difference of outputs by which a sum of scores may be off; by default 0.001 for deeplift and 0.05
        for integrated-gradients.
    logos, max_logos
        Format of the logos, or 'none'; of so many anchors, the first ones.
    seed, device, out, shard, threads, progress
        As `sample` takes them; `out` is a folder, and unfinished work lies in OUT.partial.

    Returns
    -------
    Results
        Tables 'positions' (scores in units of the output before the sigmoid or softmax; positions are 0-based) and
        'anchors'; by 'prefix' also 'reading'; as `maxent attribute --help-all` tells.

    Raises
    ------
    InputError
        Where an input cannot be used, or a setting has no effect by this method.

    Examples
    --------
    >>> import maxent_cli as mx
    >>> found = mx.attribute(mx.network("model"), "anchors.fa", "deeplift")  # doctest: +SKIP
    >>> found.to_frame()[["record", "position", "letter", "score"]]  # doctest: +SKIP
    """
    _check(method, references, steps, max_delta, draws)
    require_one_of("logos", logos, PICTURES)
    task = Task("attribute", listener_of(progress), out, shard, threads or granted_cpus())
    numbers = {"references": references or REFERENCES, "steps": steps or STEPS}
    asked = law or Law()
    plain = {"method": method, "max_delta": max_delta, "logos": logos, "max_logos": max_logos, "seed": seed}
    shaping = settings_of(output=asked.output, reading=network.reading, device=device, **numbers, **plain)
    source = anchors(given)
    read = [*network.files, *source.files, *asked.files, *([] if draws is None else [path_of(draws)])]
    shaping |= {} if draws is None else {"draws": noted(path_of(draws))}
    outputs = planned(read, folders=[out], implied=[task.rejected_table], noting=False)
    subject = take_up(network, source, asked, device, shaping, task)
    require_few(subject.law.outputs, 1, "attribution is of")
    settled = subject.law.outputs, subject.law.background
    settings = AttributionSettings(method, *settled, numbers["references"], numbers["steps"], seed, device)
    make_ready(subject.model)

    drawn = None if draws is None else DrawnLaws(draws, network, seed, device, task.listener.stop)

    def result(anchor: Anchor) -> bytes:
        found = attribute_anchor(Question(subject.model, anchor, settings))
        return results.pack(found, None if drawn is None else drawn.read(anchor))

    with closing(drawn) if drawn else nullcontext(), unfinished(out, subject.identity, task.listener.stop) as work:
        found = in_order(
            work, keep_each(work, subject, "attributing", result, task), results.unpack, task.listener.stop
        )
        with results_folder(out, outputs, seed=seed, device=device, part=subject.run.part("folder")) as folder:
            job = results.AttributionJob(folder, settings, max_delta, logos, subject.anchors.numbered.tolist())
            rows = results.write(found, job, max_logos)
            lines = [*results.account(rows, job), *pool(folder, subject.run.settings)]
    return tell(folder, out, "positions", lines, task.listener)


def complete(found: Results) -> bool:
    """Whether the scores of all anchors add up, as far as the method says that they must."""
    return not found["anchors"]["complete"].eq(False).any()


class DrawnLaws:
    """The laws of draws around anchors, each read from left to right."""

    def __init__(self, draws: GivenDraws, network: Network, seed: int, device: str, stop: Stop) -> None:
        self._open = ExitStack()
        self._draws = self._open.enter_context(opened(draws))
        self._law, self._model = law_of(self._draws, network), reader_of(self._draws, network)
        self._asked, self._stop, self._reading = (seed, device), stop, Lock()
        self._model.to(device)
        make_ready(self._model)
        self._names = {name: row for row, name in reversed(list(enumerate(self._draws.names())))}

    def close(self) -> None:
        """Leave the file."""
        self._open.close()

    def read(self, anchor: Anchor) -> results.LawRead:
        """The bits of each prefix. Raises InputError where the draws are not around the anchor."""
        row = self._names.get(anchor.name)
        with self._reading:
            samples = None if row is None else self._draws[row]
        if samples is None or not np.array_equal(samples.anchor, anchor.codes):
            problem = f"holds no draws around {anchor.name}, or around another sequence of that name"
            raise InputError(self._draws.path, "", problem, "give draws of these anchors")
        bits = prefix_bits(self._model, samples, self._law, *self._asked, self._listen)
        return results.LawRead(bits, self._draws.diagnosis(samples).converged)

    def _listen(self) -> None:
        if self._stop.asked:
            raise StoppedError


def pool(folder: Path, _settings: Mapping[str, Any]) -> Iterator[str]:
    """Write into a folder what its table of positions says over all anchors, if there are any; and say it."""
    table = read_scores(str(folder / POSITIONS.file))
    if not len(table):
        return
    (folder / "modisco").mkdir(exist_ok=True)
    write_arrays(folder / "modisco", table)
    places, several = write_signal(folder, "scores", table, "score")
    if not places:
        yield "no tracks, since no anchor has coordinates"
        return
    tracks = [str(folder / "scores.bw")]
    if (folder / READING.file).exists():
        read = read_reading(str(folder / READING.file))
        tracks += [str(folder / "bits.bw")] if write_signal(folder, "bits", read, "bits")[0] else []
    write_session(str(folder / SESSION), tracks)
    yield f"tracks of {places} bp" + (f", {several} of them the mean of several anchors" if several else "")


def _check(
    method: str, references: int | None, steps: int | None, max_delta: float | None, draws: GivenDraws | None
) -> None:
    """Refuse what is out of range or would have no effect."""
    if method not in METHODS:
        raise SettingsError("method", "", f"{method} is none that is known", f"give one of {', '.join(METHODS)}")
    if draws is not None and method != "prefix":
        raise SettingsError("draws", "", "is heeded by prefix alone", "leave it out")
    counts = (("references", references, 2, MOST, SUMMED), ("steps", steps, 2, MOST, STEPPED))
    for name, value, least, most, methods in (*counts, ("max_delta", max_delta, 0, inf, SUMMED)):
        if value is not None:
            require_range(name, value, least, most)
            if method not in methods:
                raise SettingsError(name, "", f"is heeded by {', '.join(methods)} alone", "leave it out")
