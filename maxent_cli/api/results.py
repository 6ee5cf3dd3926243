"""Results that are a folder of tables, pictures and matrices, read when asked for."""

import html
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maxent_cli.api.listening import Listener
from maxent_cli.errors import InputError
from maxent_cli.io.outputs import Outputs, copy_recorded, planned
from maxent_cli.io.tables import text_of

if TYPE_CHECKING:
    import pandas as pd

MOST_SHOWN = 20  # rows in a notebook


class Results:
    """A folder that a call has filled: results["motifs"] is its motifs.tsv, and account what there is to say of it.

    Of a call without `out` the folder is gone when nobody holds the results; save() keeps it.
    """

    def __init__(self, path: Path, account: Sequence[str], main: str, temporary: bool = False) -> None:
        self.path, self.account, self.main = path, tuple(account), main
        if temporary:
            weakref.finalize(self, shutil.rmtree, path.parent, ignore_errors=True)

    @property
    def tables(self) -> list[str]:
        """Names of the tables."""
        return sorted(path.stem for path in self.path.glob("*.tsv"))

    def __getitem__(self, table: str) -> "pd.DataFrame":
        if table not in self.tables:
            raise InputError(self.path, "", f"holds no table named {table}", f"its tables are {', '.join(self.tables)}")
        import pandas as pd

        found = pd.read_csv(self.path / f"{table}.tsv", sep="\t", true_values=["yes"], false_values=["no"])
        texts = found.select_dtypes(exclude=["number", "bool"]).columns
        return found.assign(**{str(name): found[name].map(_plain) for name in texts})

    def to_frame(self) -> "pd.DataFrame":
        """The table that answers the question."""
        return self[self.main]

    def save(self, path: str) -> None:
        """Copy the folder, and write the record of its making beside it (PATH.provenance.json)."""
        planned([str(self.path)], folders=[path], noting=False)
        copy_recorded(str(self.path), path)

    def __repr__(self) -> str:
        return f"<Results in {self.path}: {', '.join(self.tables)}>"

    def _repr_html_(self) -> str:
        lines = "<br>".join(map(html.escape, self.account))
        return f"<p>{lines}</p>{in_notebook(self.to_frame())}"


def in_notebook(table: "pd.DataFrame") -> str:
    """The first rows of a table as HTML."""
    return str(table.head(MOST_SHOWN).to_html(index=False, float_format="{:.3g}".format))


@contextmanager
def results_folder(out: str | None, outputs: Outputs, **made: Any) -> Iterator[Path]:
    """The folder to fill: OUT, moved into place when whole, or, without it, a temporary one that is left.

    made: facts for its record.
    """
    if out is not None:
        with outputs.writing_folder(out, **made) as folder:
            yield folder
        return
    folder = Path(tempfile.mkdtemp(prefix="maxent-")) / "results"
    try:
        folder.mkdir()
        yield folder
        outputs.record(str(folder), **made)
    except BaseException:
        shutil.rmtree(folder.parent, ignore_errors=True)
        raise


def _plain(cell: Any) -> Any:
    return text_of(cell) if isinstance(cell, str) else cell


def tell(folder: Path, out: str | None, main: str, account: Iterable[str], listener: Listener) -> Results:
    """The results in a folder that `results_folder` gave and has left, after saying their account."""
    lines = list(account)
    for line in lines:
        listener.say(f"{out}: {line}" if out and not line.startswith(" ") else line)
    return Results(Path(out or folder), lines, main, temporary=out is None)
