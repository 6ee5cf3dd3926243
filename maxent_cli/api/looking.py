"""Looking at a run that is under way: the draws of the anchors that it has finished, as if they were all."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from maxent_cli.errors import InputError
from maxent_cli.io.samples import DrawsFile, members_of, unpacked, writing_draws
from maxent_cli.io.tables import Row, write_table
from maxent_cli.io.unfinished import finished, is_unfinished
from maxent_cli.laws import LAWS
from maxent_cli.tables.sampling import SERIES, SUMMARY

DRAWS = "draws.npz"


@contextmanager
def so_far(path: str, wanted: Sequence[str] | None = None) -> Iterator[tuple[str, str]]:
    """Draws that lie at a path, or a copy of those that an unfinished run has finished, for as long as the block lasts.

    The copy has its summary and series beside it. wanted: records of these names alone. Gives the path, and what there
    is to say: "4 of 6 anchors so far", or nothing. Raises InputError where nothing is finished.
    """
    if not is_unfinished(path):
        yield path, ""
        return
    from maxent_cli.analysis.diagnostics import diagnose  # numba, which what is finished is looked at without
    from maxent_cli.analysis.series import beta_series
    from maxent_cli.analysis.summary import summarise

    header, results = finished(path)
    with tempfile.TemporaryDirectory(prefix="maxent-") as temporary:
        copy, rows, series = str(Path(temporary) / DRAWS), list[Row](), list[Row]()
        count, of = 0, header.pop("anchors")
        distance, run = LAWS[header["law"]["held"]].is_distance, header["run"]
        said = f"{len(results)} of {of} anchors so far"
        with writing_draws(copy, header | {"so_far": said}) as draws:
            for result in results:
                if wanted is not None and _name(result) not in wanted:
                    continue
                samples = unpacked(result)
                diagnosis = diagnose(samples, run["max_rhat"], run["min_ess"])
                draws.add(samples)
                rows.append(summarise(samples, diagnosis, distance))
                series += beta_series(samples, diagnosis, distance)
                count += 1
        if not count:
            raise InputError(path, "", f"has finished none of {of} anchors", "wait until it has")
        write_table(f"{copy}.tsv", rows, SUMMARY)
        write_table(f"{copy}.series.tsv", series, SERIES)
        yield copy, said


def _name(result: Path) -> str:
    with members_of(str(result), noting=False) as members:
        return DrawsFile(str(result), members).names()[0]
