"""What of a network a law holds: one table of laws, and the forms in which outputs are asked for.

A law is p(x) ∝ q(x) · exp(-beta · E(x)). Adding one is an entry in LAWS: all that commands, summaries, merged parts and
the report need to know of it stands there. Nothing here imports a heavy package: help asks for the sentences.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from maxent_cli.errors import InputError, SettingsError, printable

Term = Callable[[Any], Any]  # codes (..., L) -> (...), both tensors
Combination = tuple[tuple[int, float], ...]  # a weighted sum of outputs: the number of each, from 0, and its weight
Outputs = tuple[Combination, ...]

ONE_LESS_ZERO: Outputs = (((1, 1.0), (0, -1.0)),)  # what is held of two outputs, unless something else is asked for
MOSTLY_KEPT = 0.95  # share of the anchor's letters that stay in the background of edits
REACHED = 0.01  # of the way from the background's mean output to the wanted one, within which it is reached
NEAR = 0.1  # spread of the output, in units of how far the anchor's is from the one that is wanted
MOST_SPELLED = 4  # outputs of a weighted sum, and weighted sums, that are named
TABLES = (".tsv", ".tsv.gz")


class Around(Protocol):
    """A network around an anchor, as energies see it."""

    @property
    def distance(self) -> Term:
        """Of the representation from the anchor's, weighted as the outputs held read it."""

    @property
    def profile(self) -> Term:
        """Distance of the outputs held from the anchor's, each set less its own mean."""

    @property
    def output(self) -> Term:
        """The output held, or the mean of several."""

    @property
    def anchor_output(self) -> float:
        """The same at the anchor."""

    @property
    def to(self) -> float | None:
        """The output that is wanted, if one is."""


class Energy(NamedTuple):
    """An energy, and its value at the anchor where it is linear in the representation (None: it is a distance).

    squared: the energy is the square of what is linear and has that value.
    """

    term: Term
    offset: float | None = None
    squared: bool = False


@dataclass(frozen=True)
class LawKind:
    """What a law is, whatever network and anchor it is of.

    is_distance: the energy is 0 at the anchor and nowhere less, so that a beta can be found that keeps a share of it.
    needs: settings without which it cannot be, of 'A or B' one. least_outputs, most_outputs: that it can hold together;
    None: any number. tether: by default. held: what it holds, a clause with {output} in it, and
    {weighted} where that is a weighted representation. reading: the law in a sentence or two, for people. all_outputs:
    unless some are asked for, it holds all. of_outputs: energies take the network's outputs, and not its representation
    alone. output_of: the output by the energy, where that tells it. own_beta: where none is given, by the output that
    is wanted and the anchor's.
    """

    name: str
    energy: Callable[[Around], Energy]
    is_distance: bool
    needs: tuple[str, ...]
    most_outputs: int | None
    tether: float | Literal["auto"] | None
    held: str
    reading: str
    least_outputs: int = 1
    all_outputs: bool = False
    of_outputs: bool = False
    output_of: Callable[[Any], Any] | None = None
    own_beta: Callable[[float, float], float] | None = None

    def holding(self, output: str, layer: str | None = None) -> str:
        """What it holds, of an output or outputs so spelled; layer: the one asked for as representation."""
        at = "by the output layer" if layer is None else "by its gradient"
        weighted = f"representation{f' at layer {printable(layer)}' if layer else ''}, weighted {at}"
        return self.held.format(output=output, weighted=weighted)


LAWS = {
    kind.name: kind
    for kind in (
        LawKind(
            name="anchor",
            energy=lambda around: Energy(around.distance),
            is_distance=True,
            needs=(),
            most_outputs=None,
            tether="auto",
            held="the anchor's {weighted} for {output}",
            reading="p(x) ∝ q(x) · exp(-beta · E(x)). E(x) is the distance of the network's representations of x and "
            "of the anchor, weighted by what its output makes of them; q is a background of independent letters "
            "(Finnegan & Song 2017). What stays the same in the draws is what the network uses; all else is free.",
        ),
        LawKind(
            name="output",
            energy=lambda around: Energy(lambda codes: -around.output(codes), -around.anchor_output),
            is_distance=False,
            needs=("beta or to",),
            most_outputs=1,
            tether=None,
            held="{output}, by q(x) · exp(beta · output(x)); anchors are only where chains start",
            reading="p(x) ∝ q(x) · exp(beta · output(x)): what drives the output, tied to no anchor's representation; "
            "q is a background of independent letters. Of all laws of that mean output it has the most entropy.",
            output_of=lambda energy: -energy,
        ),
        LawKind(
            name="near",
            energy=lambda around: Energy(_square_from(around), _wanted(around) - around.anchor_output, True),
            is_distance=False,
            needs=("to",),
            most_outputs=1,
            tether=MOSTLY_KEPT,
            held="{output} near a value, by q(x) · exp(-beta · (output(x) - value)²), and as much of the anchor as the "
            "tether asks for",
            reading="p(x) ∝ q(x) · exp(-beta · (output(x) - value)²): sequences whose output is near a value; q is a "
            "background of independent letters that leans to the anchor, so that few of them change.",
            own_beta=lambda wanted, anchor: beta_of_spread(abs(wanted - anchor) * NEAR),
        ),
        LawKind(
            name="profile",
            energy=lambda around: Energy(around.profile),
            is_distance=True,
            needs=(),
            most_outputs=None,
            tether="auto",
            held="the shape of the profile of {output}, whatever its total",
            reading="p(x) ∝ q(x) · exp(-beta · E(x)). E(x) is the distance of the predicted profiles of x and of the "
            "anchor: logits, each profile less its mean, so that the total count is free; q is a background of "
            "independent letters. What stays the same in the draws is what shapes the profile.",
            least_outputs=2,
            all_outputs=True,
            of_outputs=True,
        ),
    )
}


def _wanted(around: Around) -> float:
    assert around.to is not None  # the law needs it
    return around.to


def _square_from(around: Around) -> Term:
    output, wanted = around.output, _wanted(around)
    return lambda codes: (output(codes) - wanted) ** 2


def beta_of_spread(spread: float) -> float:
    """The beta of a square at which what is squared has a standard deviation of `spread`, but for its background."""
    return 1 / (2 * spread**2)


def is_reached(output: float, wanted: float, background: float) -> bool:
    """Whether a mean output is the one wanted, on the way there from the background's."""
    return abs(output - wanted) <= REACHED * abs(wanted - background)


def law_named(name: str) -> LawKind:
    """The law of a name. Raises SettingsError where there is none."""
    if name not in LAWS:
        raise SettingsError("law", "", f"there is none named {name}", f"give one of {', '.join(LAWS)}")
    return LAWS[name]


def asked_outputs(asked: int | str | None, names: Sequence[str], every: bool = False) -> Outputs:
    """The outputs asked for, among those of these names; by default 1 less 0 of two, or the only one; every: all.

    A number from 0 or a name; a difference, 'A-B'; a list of such, 'A,B,C', whose energies are added in squares; or
    numbers from one up to another, 'A:B', the last not among them. Raises SettingsError where there are none such, and
    where a difference can be read in two ways.
    """
    if asked is None and every:
        return _single(range(len(names)))
    if asked is None:
        if len(names) > 2:
            cure = "say which, by output: a number or name, A-B, A,B,C, or a TSV of weights"
            raise SettingsError("output", "", f"the network has {len(names)}", cure)
        return ONE_LESS_ZERO if len(names) == 2 else (((0, 1.0),),)
    text = str(asked).strip()
    first, colon, last = text.partition(":")
    if colon and text not in names and first.isascii() and last.isascii() and first.isdigit() and last.isdigit():
        numbers = range(len(names))[int(first) : int(last)]
        if not numbers or int(last) > len(names):
            raise SettingsError("output", "", f"there are no outputs {text}", _known(names))
        return _single(numbers)
    parts = [text] if _number(text, names) is not None else [part.strip() for part in text.split(",")]
    found = tuple(_combination(part, names) for part in parts)
    if len(set(found)) < len(found):
        raise SettingsError("output", "", f"{text} names an output twice", "name each once")
    return found


def _single(numbers: range) -> Outputs:
    return tuple(((number, 1.0),) for number in numbers)


def weighted_outputs(rows: Mapping[str, Mapping[str, float]], names: Sequence[str], path: str) -> Outputs:
    """Weighted sums of outputs by number, from weights by row and by output's number or name, as a table has them."""
    found = list[Combination]()
    for weights in rows.values():
        numbers = [_number(output, names) for output in weights]
        if None in numbers:
            raise InputError(path, "", f"there is no output {list(weights)[numbers.index(None)]}", _known(names))
        pairs = tuple((number, weight) for number, weight in zip(numbers, weights.values(), strict=True) if weight)
        if len(dict(pairs)) < len(pairs) or not pairs:
            raise InputError(path, "", "a row has no weights, or two of one output", "give each output a weight once")
        found.append(pairs)  # type: ignore[arg-type]
    return tuple(found)


def is_table(asked: int | str | None) -> bool:
    """Whether what is asked for is a path of a table of weights."""
    return str(asked).lower().endswith(TABLES)


def spelled(outputs: Sequence[Sequence[Sequence[Any]]], names: Sequence[str]) -> str:
    """The outputs in words: 'bound - unbound', 'A, B, C', '0.5 A + 0.5 B - C'."""
    if len(outputs) == len(names) > MOST_SPELLED:
        return f"all {len(names)} outputs"
    some = [_sum_of(combination, names) for combination in outputs[:MOST_SPELLED]]
    left = len(outputs) - len(some)
    return ", ".join(some) + (f" and {left} more" if left else "")


def _sum_of(combination: Sequence[Sequence[Any]], names: Sequence[str]) -> str:
    if len(combination) > MOST_SPELLED:
        return f"a weighted sum of {len(combination)} outputs"
    text = ""
    for number, weight in combination:
        sign = "- " if weight < 0 else "+ " if text else ""
        size = "" if abs(weight) == 1 else f"{abs(weight):g} "
        text += f"{' ' if text else ''}{sign}{size}{names[number]}"
    return text


def _combination(part: str, names: Sequence[str]) -> Combination:
    number = _number(part, names)
    if number is not None:
        return ((number, 1.0),)
    found = list(_differences(part, names))
    if len(found) > 1:
        raise SettingsError("output", "", f"{part} can be read as several differences", "give the outputs' numbers")
    if not found:
        raise SettingsError("output", "", f"there is no {part or 'output of no name'}", _known(names))
    plus, minus = found[0]
    if plus == minus:
        raise SettingsError("output", "", f"{part} is always 0", "give two different outputs")
    return (plus, 1.0), (minus, -1.0)


def _differences(part: str, names: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The ways to read A-B, where names may have '-' in them too."""
    for place in (place for place, letter in enumerate(part) if letter == "-"):
        plus, minus = _number(part[:place].strip(), names), _number(part[place + 1 :].strip(), names)
        if plus is not None and minus is not None:
            yield plus, minus


def _number(text: str, names: Sequence[str]) -> int | None:
    """The number of the output of that name or number; names go before."""
    if text in names:
        return list(names).index(text)
    return int(text) if text.isascii() and text.isdigit() and int(text) < len(names) else None


def _known(names: Sequence[str]) -> str:
    some = ", ".join(names[:MOST_SPELLED]) + (", ..." if len(names) > MOST_SPELLED else "")
    return f"the network's outputs are numbered 0 to {len(names) - 1} ({some})"
