"""The report: what is in it, in which order, and that nothing in a name or a damaged file gets out of hand."""

import base64
import hashlib
import json
import re
import shutil
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filled import write_filled
from hostile_files import HOSTILE_NAMES, check_reader
from report_files import island_of, provenance, without, write_crossing, write_parts

from maxent_cli.alphabet import decode
from maxent_cli.data import Interval
from maxent_cli.errors import InputError
from maxent_cli.io import report
from maxent_cli.io import report_drawing as drawing
from maxent_cli.io.report import chance, page_of, significant, with_error
from maxent_cli.io.report_cards import packed
from maxent_cli.io.report_inputs import READ, Sources, read_metrics, read_sites, require_kin
from maxent_cli.io.report_parts import PARTS, Explained, PagePart, Shown, Tile
from maxent_cli.io.samples import open_draws
from maxent_cli.io.tables import read_table
from maxent_cli.tables import SHOWN, design
from maxent_cli.tables.attribution import READING
from maxent_cli.tables.motifs import POSITIONS

NAMES = ("first", "second", "third")
NASTY = (
    *HOSTILE_NAMES,
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "{{ 7 * 7 }}",
    "\u202egnp.exe",
)


class Page(HTMLParser):
    """Tags, attributes, and the text of the page, of its script and of its style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str]] = []
        self.inside = {"script": "", "style": "", "other": "", "data": ""}
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(name, value or "") for name, value in attrs]
        self._open.append("data" if ("id", "data") in attrs else tag)

    def handle_endtag(self, tag: str) -> None:
        self._open.append(f"/{tag}")
        self.inside["other"] += " " * (tag == "td")

    def handle_data(self, data: str) -> None:
        last = self._open[-1] if self._open else ""
        self.inside[last if last in self.inside else "other"] += data

    @property
    def text(self) -> str:
        return " ".join(self.inside["other"].split())


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    return write_parts(tmp_path_factory.mktemp("parts"), NAMES)


def test_what_was_found_is_on_the_page(parts: Sources) -> None:
    text = Page(page_of(parts)).text
    for said in (
        *NAMES,
        "2 of 3",  # converged
        "bound \u2212 unbound",
        "A 0.250, C 0.250, G 0.250, T 0.250; tethered: an anchor's own letter has frequency 0.4",
        "falls by the share 0.8",
        "maxent sample 'my anchors.fa' --model ctcf_model",
        "CACGTG",
        "MA0001.1 <Known> p 1e\u221209, q 2e\u221207, 6 bp, \u2212",
        "stand for 41.3 %",
        "66 to 84;",
        "shuffled 6.2,3.1 to 12 77 9.50 ± 0.25",
        "MA0001.1 <Known> (motif_1) in 93.0 ± 2.0 % of draws; background 1.50 ± 0.40 %",
        "AUROC 0.9321 0.9111 to 0.9512 41 82",
        "It does well: test AUROC 0.932, 95 % interval 0.911 to 0.951, on 41 positives and 82 negatives",
        "MA0001.1 <Known> in 3 of 3 anchors, which stand for 41 % of the data.",
        "With care: chains agree in 2 of 3 anchors; do not rely on the other 1.",
        "AUROC, held out0.93295 %: 0.911 to 0.951",
        "a> <b 17 31.0 ± 1.2 1 0.0001 3",
        "first\u22121.25 ± 0.12 2 3.00 ± 0.20 \u2013",  # all positions hold as many bits
        "7.57.1 to 7.9 6.25",
        "Against chance: anchors whose draws hold a motif: 2 of 3.",
        "Ranked by the bits that the law holds",
        "follows",
        "beyond its local features",
        "By chance 9.6 % of anchors would peak there",
        "draws, phase-free",
        "10.200 ± 0.020",
        "1.40 ± 0.30",
        "0.1 to 0.3",
        "1 of 2 z-scores within 3",
        "near (not reached) 1.5 1.250 ± 0.010",
        "7.500 ± 0.020",
        "3.50 ± 0.10 2",
        "One Monte Carlo standard error",
    ):
        assert said in text, said
    assert "/somewhere/bin" not in text
    assert "a> <b 21" not in text  # q is 0.3


@pytest.mark.parametrize(
    ("part", "section"),
    [
        ("motifs", "motifs"),
        ("motifs", "card-1"),
        ("motifs", "syntax"),
        ("compare", "compare"),
        ("dependence", "dependence"),
        ("gc-probe", "gc"),
        ("train", "network"),
        ("attribute", "attribution"),
        ("design", "design"),
        ("learning", "learning"),
        ("periodicity", "periodicity"),
    ],
)
def test_a_part_that_is_not_given_is_absent(parts: Sources, part: str, section: str) -> None:
    assert f'id="{section}"' in page_of(parts)
    other = page_of(without(parts, part))
    assert f'id="{section}"' not in other
    assert f'href="#{section}"' not in other


def test_each_command_that_is_offered_has_a_part_and_no_other(parts: Sources) -> None:
    assert {part.command for part in PARTS if part.command} == set(SHOWN)
    assert set(parts.parts) == set(SHOWN)
    page = Page(page_of(replace(parts, parts={}))).text
    assert all(f"maxent {command}not given; it would show {about}" in page for command, about in SHOWN.items())


def test_attribution_and_draws_agree_by_their_ranks_with_an_error(tmp_path: Path) -> None:
    """Information that rises with the score where there is next to no noise, and falls where there is much."""
    sources = write_parts(tmp_path, ["a", "b"], length=12)
    table = tmp_path / "motifs" / "positions.tsv"
    lines = [line.split("\t") for line in table.read_text().splitlines()]
    information, error = (lines[0].index(name) for name in ("information", "information_error"))
    for place, line in enumerate(lines[1:]):
        score = (-1.0) ** (place % 12) * (1 + place % 3)
        line[information], line[error] = (str(score), "0") if place < 12 else (str(-score), "3")
    table.write_text("".join("\t".join(line) + "\n" for line in lines))
    found = re.findall(r">([^>]+) ± ([^>]+)</td></tr>", page_of(sources).partition('id="attribution"')[2])[:2]
    assert found[0] == ("1.0000", "0.0000")
    assert found[1][0].startswith("\u22121.0")
    assert 0.05 < float(found[1][1]) < 0.5


def test_the_method_of_scores_is_named_where_a_record_says_it(tmp_path: Path) -> None:
    sources = write_parts(tmp_path, ["a"])
    assert "by a method in common use" in page_of(sources)
    made = {**provenance(tmp_path), "command": ["maxent", "attribute", "a.fa", "--method", "<deep>lift"]}
    Path(f"{sources.parts['attribute']}.provenance.json").write_text(json.dumps(made))
    assert "by <bdi>&lt;deep&gt;lift</bdi>" in page_of(sources)


def test_every_column_says_what_it_is(parts: Sources, tmp_path: Path) -> None:
    """By a sentence, of the schema where it is a column there; but the numbers of networks over their matrix."""
    pages = page_of(parts) + page_of(crossed(parts, tmp_path / "crossed", NAMES, ("fold0", "fold1")))
    headers = re.findall(r'<th scope="col"[^>]*>(.*?)</th>', pages, re.DOTALL)
    buttons = [header for header in headers if not re.fullmatch(r"<span>(No\.|\d+)</span>", header)]
    assert len(buttons) > 80
    for button in buttons:
        told = re.search('data-tip="([^"]*)"', button)
        assert told or button == "<span>Logo</span>", button
        assert not told or re.fullmatch(r"[A-Z+0-9].*[.]", told[1]), button


def test_what_was_read_along_anchors_stands_on_their_cards(parts: Sources) -> None:
    cards = cards_of(page_of(parts))
    rows = list(read_table(f"{parts.parts['attribute']}/reading.tsv", READING, ""))
    for card in cards:
        own = [row for row in rows if row["record"] == card["record"]]
        found = {track["name"]: unpacked(track["values"]) for track in card["more"]}
        assert {"attribution", "saliency", "bits in order"} <= set(found)
        for column, error, name, _ in READ:
            wanted = np.array([row[column] for row in own], float)
            if np.isfinite(wanted).any():
                np.testing.assert_allclose(found[name], wanted, atol=np.ptp(wanted) / 2000)
            else:
                assert name not in found
            (errors,) = [track["errors"] for track in card["more"] if track["name"] == name] or [None]
            assert (errors is None) == (not error or name not in found)
            if errors:
                np.testing.assert_allclose(unpacked(errors), [row[error] for row in own], rtol=1e-6)


def test_the_highest_outputs_found_are_listed(tmp_path: Path) -> None:
    sources = write_parts(tmp_path, NAMES)
    write_filled(tmp_path / "design" / "summary.tsv", design.SUMMARY, [{"record": "design", "law": "best"}])
    rows = [{"design": f"d{number}", "output": number, "sequence": "ACGT"[number] * 9} for number in range(3)]
    write_filled(tmp_path / "design" / "designs.tsv", design.DESIGNS, rows)
    page = page_of(sources)
    places = [page.index(f"<code>{letter * 9}</code>") for letter in "GCA"]
    assert places == sorted(places)


@pytest.mark.parametrize("command", SHOWN)
def test_a_foreign_or_missing_part_is_named(parts: Sources, command: str) -> None:
    """Every folder that is offered is read."""
    for folder in ("nowhere", next(path for other, path in parts.parts.items() if other != command)):
        with pytest.raises(InputError, match=f"the folder that `maxent {command}` wrote") as caught:
            page_of(replace(parts, parts=dict(parts.parts) | {command: folder}))
        assert caught.value.path.startswith(folder)


OWN, OTHER = "ab" * 32, "cd" * 32
OF_DRAWS = {"dependence", "motifs", "periodicity", "variants"}


@pytest.mark.parametrize("command", SHOWN)
def test_a_part_of_another_network_or_of_other_draws_is_named(parts: Sources, tmp_path: Path, command: str) -> None:
    """By what its record says that it was made of; nothing is said of checkpoints, nor where no record says it."""
    folder, header = str(tmp_path / "part"), {"model": {"weights.safetensors": OWN}}
    drawn = hashlib.sha256(Path(parts.draws).read_bytes()).hexdigest()

    def ask(weights: str, draws: str, **more: object) -> None:
        inputs = {"a model": {"weights.safetensors": weights}, "draws": draws, "known": OTHER}
        record = {**provenance(tmp_path), "inputs": inputs, **more}
        Path(f"{folder}.provenance.json").write_text(json.dumps(record))
        require_kin(parts, header, command, folder)

    require_kin(parts, header, command, folder)
    ask(OWN, drawn)
    expected = {
        (OTHER, drawn): "is of another network than the draws" if command != "learning" else None,
        (OWN, OTHER): "is of other draws" if command in OF_DRAWS else None,
    }
    for found, said in expected.items():
        with pytest.raises(InputError, match=f"{said}; give the folder") if said else nullcontext() as caught:
            ask(*found)
        assert not said or caught.value.path == folder
    ask(OWN, OTHER, parts={})  # put together from shards, whose draws are parts of these


def test_a_network_that_is_not_that_of_the_draws_is_refused(tmp_path: Path) -> None:
    sources = write_parts(tmp_path, NAMES)
    inputs = {"another.npz": OTHER}
    Path(f"{sources.parts['motifs']}.provenance.json").write_text(
        json.dumps({**provenance(tmp_path), "inputs": inputs})
    )
    with pytest.raises(InputError, match=r"motifs: is of other draws; give the folder that `maxent motifs` wrote"):
        page_of(sources)
    (tmp_path / "trained" / "weights.safetensors").write_text("others")
    with pytest.raises(InputError, match="trained: is of another network than the draws"):
        read_metrics(sources.parts["train"], {"weights.safetensors": OTHER})


def crossed(sources: Sources, folder: Path, names: Sequence[str], networks: Sequence[str]) -> Sources:
    """With networks that read each other's draws in place of two sides."""
    return replace(sources, parts=dict(sources.parts) | {"compare": write_crossing(folder, names, networks)})


def test_networks_on_each_other_are_shown(parts: Sources, tmp_path: Path) -> None:
    page = page_of(crossed(parts, tmp_path / "crossed", NAMES, ("fold0", "fold1", "fold2")))
    assert 'id="crossing"' in page
    assert 'id="compare"' not in page
    text = Page(page).text
    unknown = "(\u2013 to \u2013)"
    told = f"its invariances are its own 1.5 (1.25 to 1.75) 0.5 {unknown} 0.5 {unknown} 0.25 (0.125 to 0.375)"
    assert f"1 fold0{told}" in text
    assert "fold2its invariances are shared" in text
    assert "10.5 2.5 2.5 22.5 0.5 2.5 32.5 2.5 0.5" in text
    assert re.findall(r'class="num deep(\d)"', page) == list("155515551")
    tree = re.findall(r'<path class="bold blue" d="M52 [^L]+L([\d.]+)', page.partition('id="crossing"')[2])[:2]
    assert np.allclose([float(x) - 52 for x in tree], [288 * height / 2.625 for height in (1, 2.5)], atol=0.06)
    assert "compare/tree.tsv" in page


def test_names_of_networks_are_text_and_nothing_else(parts: Sources, tmp_path: Path) -> None:
    tame = Page(page_of(crossed(parts, tmp_path / "tame", NAMES, [f"n{row}" for row in range(len(NASTY))])))
    page = Page(page_of(crossed(parts, tmp_path / "nasty", NAMES, NASTY)))
    assert page.tags == tame.tags
    assert page.inside["script"] == tame.inside["script"]
    titles = {value for name, value in page.attributes if name == "title"}
    for name in NASTY:
        spelled = name.replace("\u202e", "[U+202E]")
        assert spelled in page.text if len(name) <= 60 else name in titles


@pytest.mark.parametrize(
    ("name", "pattern", "new", "said"),
    [
        ("crossed.tsv", "second", "fourth", "its anchors are not those of the draws"),
        ("pairs.tsv", r"\nb\ta.*", "", "its tables do not go together"),
        ("tree.tsv", r"\n3\t0", "\n3\t3", "its tables do not go together"),
        ("tree.tsv", r"\n3\t0", "\n3\t1", "its tables do not go together"),
        ("tree.tsv", None, "", "give the folder that `maxent compare` wrote"),
    ],
)
def test_a_broken_reading_of_networks_is_named(
    parts: Sources, tmp_path: Path, name: str, pattern: str | None, new: str, said: str
) -> None:
    sources = crossed(parts, tmp_path / "crossed", NAMES, "abc")
    path = tmp_path / "crossed" / name
    text = path.read_text()
    path.unlink()
    if pattern is not None:
        assert re.search(pattern, text)
        path.write_text(re.sub(pattern, new, text, count=1))
    with pytest.raises(InputError, match=re.escape(said)) as caught:
        page_of(sources)
    assert caught.value.path.startswith(str(tmp_path / "crossed"))


def test_more_networks_than_a_matrix_holds_are_listed(parts: Sources, tmp_path: Path) -> None:
    page = page_of(crossed(parts, tmp_path / "crossed", NAMES, [f"n{row}" for row in range(31)]))
    assert "There are too many networks for a matrix here" in page
    assert "n30" in Page(page).text


def test_a_reading_adds_its_part_by_an_entry_and_a_template(
    parts: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(report.TEMPLATES, tmp_path / "templates")
    (tmp_path / "templates" / "report" / "names.html").write_text('<section id="names">{{ names }}</section>')
    tiles, terms = (Tile("Longest", 6, "<b>", "second"),), (Explained("A name", "<i>what is said</i>"),)
    mine = PagePart("names", "All <names>", lambda base, _: Shown({"names": f"<u>{base.records}"}, tiles, terms))
    monkeypatch.setattr(report, "TEMPLATES", tmp_path / "templates")
    monkeypatch.setattr(report, "PARTS", (*PARTS, mine))
    page = page_of(parts)
    assert '<section id="names">&lt;u&gt;[&#39;first&#39;' in page
    assert '<li><a href="#names">All &lt;names&gt;</a></li>' in page
    assert "<dt>Longest</dt><dd>6<small>&lt;b&gt;second</small></dd>" in page
    assert "<dt>A name</dt><dd>&lt;i&gt;what is said" in page


def test_the_beta_series_is_shown_where_it_lies_beside_the_draws_and_tells_something(tmp_path: Path) -> None:
    sources = write_parts(tmp_path, NAMES)
    assert 'id="series"' in page_of(sources)
    table = Path(str(sources.series))
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join(lines[:1] + lines[1::2]))  # the background alone
    assert 'id="series"' not in page_of(sources)
    table.unlink()
    assert sources.series is None
    assert 'id="series"' not in page_of(sources)


def test_links_lead_somewhere_on_the_page_and_nothing_is_asked_for(parts: Sources) -> None:
    page = page_of(parts)
    parsed = Page(page)
    ids = {value for name, value in parsed.attributes if name == "id"}
    links = [value for name, value in parsed.attributes if name in ("href", "src", "action", "data", "srcset")]
    assert {link[0] for link in links} == {"#"}
    assert {link[1:] for link in links} <= ids
    linked = (
        "https://genome.ucsc.edu/",
        "http://www.w3.org/2000/svg",
    )  # made where asked for; a namespace
    rest = page.replace(linked[0], "").replace(linked[1], "")
    assert not re.search(r"url\(|@import|https?:|\bfetch\(|XMLHttpRequest|innerHTML|insertAdjacent|\beval\(", rest)
    assert not parsed.tags.keys() & {"link", "img", "iframe", "object", "embed", "image", "base", "form"}


def test_only_our_style_and_script_may_run(parts: Sources) -> None:
    parsed = Page(page_of(parts))
    policy = next(value for name, value in parsed.attributes if value.startswith("default-src 'none'"))
    for kind in ("style", "script"):
        assert parsed.tags[kind] == 1 + (kind == "script")  # and one that holds data
        digest = base64.b64encode(hashlib.sha256(parsed.inside[kind].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy


def test_any_name_is_text_and_nothing_else(tmp_path: Path) -> None:
    plain, hostile = tmp_path / "plain", tmp_path / "hostile"
    tame = Page(page_of(write_parts(plain, [f"a{row}" for row in range(len(NASTY))])))
    page = Page(page_of(write_parts(hostile, NASTY)))
    assert page.tags == tame.tags
    assert page.inside["script"] == tame.inside["script"]
    assert re.fullmatch("[A-Za-z0-9+/=]+", page.inside["data"])
    assert {card["record"] for card in cards_of(page_of(write_parts(hostile, NASTY)))} == {
        name.replace("\u202e", "[U+202E]") for name in NASTY
    }
    assert {name for name, _ in page.attributes} - {name for name, _ in tame.attributes} <= {"title"}
    titles = {value for name, value in page.attributes if name == "title"}
    for name in NASTY:
        spelled = name.replace("\u202e", "[U+202E]")
        assert spelled in page.text if len(name) <= 60 else name in titles
    assert not re.search("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]", page_of(write_parts(hostile, NASTY)))
    assert f"{'n' * 59}\u2026" in page.text
    assert "n" * 61 not in page.text


def cards_of(page: str) -> list[dict[str, Any]]:
    """What the cards are drawn from."""
    cards: list[dict[str, Any]] = island_of(page)["cards"]
    return cards


def unpacked(track: dict[str, Any]) -> np.ndarray:
    """The numbers of a track, as the page reads them."""
    lower, higher = np.frombuffer(base64.b64decode(track["codes"]), np.uint8).astype(float).reshape(2, -1)
    codes = lower + 256 * higher
    return np.where(codes == 65535, np.nan, (codes + track["offset"]) * track["step"])


@pytest.mark.parametrize(
    "values", [[0.5, 1e-3, -2.0, 0.0, np.nan, 7.25], [3.0, 3.0], [-3.0, 0.0], [1e6, 1e6 + 1e-7], [np.nan], []]
)
def test_packed_numbers_come_back(values: list[float]) -> None:
    """To half a step, and 0 as 0: no small number stands for it."""
    array = np.array(values, float)
    span = np.ptp(array[np.isfinite(array)]) if np.isfinite(array).any() else 0.0
    found = unpacked(packed(array))
    np.testing.assert_allclose(found, array, rtol=1e-12, atol=span / 8180)
    assert (found[array == 0] == 0).all()


def test_anchors_are_ranked_and_a_hundred_take_less_than_five_megabytes(tmp_path: Path) -> None:
    names = [f"a{number}" for number in range(120)]
    sources = write_parts(tmp_path, names, length=101)
    page = page_of(sources)
    assert re.findall(r'class="unfold"[^>]*><bdi>(\w+)</bdi>', page) == names[::-1]
    cards = cards_of(page)
    assert [card["record"] for card in cards] == names[::-1]
    assert re.findall(r"In print, the first (\d+) of 120 rows", page) == ["30"]
    assert len(page.encode()) < 5_000_000
    assert page.count("<path id=") == 4
    rows = [
        row for row in read_table(f"{sources.parts['motifs']}/positions.tsv", POSITIONS, "") if row["record"] == "a7"
    ]
    card = next(card for card in cards if card["record"] == "a7")
    assert card["letters"] == "".join(row["letter"] for row in rows)
    np.testing.assert_allclose(unpacked(card["information"]), [row["information"] for row in rows])
    shares = np.array([[row[f"p_{letter}"] for letter in "ACGT"] for row in rows])
    np.testing.assert_allclose(unpacked(card["p"]).reshape(-1, 4), shares, atol=2e-4)
    with open_draws(sources.draws) as draws:
        own = {decode(code) for code in draws[7].codes.reshape(-1, 101)}
    assert set(card["draws"]) <= own
    assert len(card["draws"]) == 16  # all that there are


def test_where_bits_held_is_not_known_bits_rank(tmp_path: Path) -> None:
    sources = write_parts(tmp_path, NAMES)
    table = Path(sources.summary)
    lines = [line.split("\t") for line in table.read_text().splitlines()]
    held, bits = lines[0].index("bits_held"), lines[0].index("bits")
    lines[1][held] = "nan"
    for line, value in zip(lines[1:], ("3", "nan", "9"), strict=True):
        line[bits] = value
    table.write_text("".join("\t".join(line) + "\n" for line in lines))
    page = page_of(sources)
    assert "Ranked by the bits of their positions" in page
    assert re.findall(r'class="unfold"[^>]*><bdi>(\w+)</bdi>', page) == ["third", "first", "second"]


@pytest.mark.parametrize(
    ("strand", "start", "end", "drawn"), [("+", 110, 116, (10, 16, "-")), ("-", 110, 116, (24, 30, "+"))]
)
def test_sites_in_the_genome_come_back_to_their_anchor(tmp_path, strand, start, end, drawn) -> None:
    interval = Interval("chr1", 100, 140, strand)
    sources = write_parts(tmp_path, ["a"], intervals={0: interval})
    bed = Path(sources.parts["motifs"]) / "sites.tsv"
    bed.write_text(bed.read_text().replace("x\t10\t16", f"chr1\t{start}\t{end}"))
    ((site,),), _ = read_sites(sources.parts["motifs"], [{"record": "a", "interval": interval}])
    assert (site["start"], site["end"], site["strand"]) == drawn
    assert "chr1</bdi>:100\u2013140" in page_of(sources)


def test_anchors_of_one_name_are_drawn_without_sites(tmp_path: Path) -> None:
    page = page_of(write_parts(tmp_path, ["same", "other", "same"]))
    assert page.count("their sites cannot be told apart") == 2
    assert sorted(len(card["sites"]) for card in cards_of(page)) == [0, 0, 1]
    assert len(re.findall(r'<article class="anchor"', page)) == 3


def test_no_motif_is_said(tmp_path: Path, parts: Sources) -> None:
    folder = tmp_path / "motifs"
    folder.mkdir()
    for path in Path(parts.parts["motifs"]).iterdir():
        keep = 1 if path.name in ("motifs.tsv", "sites.tsv", "occupancy.tsv", "spacing.tsv") else None
        (folder / path.name).write_text("".join(path.read_text().splitlines(keepends=True)[:keep]))
    page = page_of(replace(parts, parts=dict(parts.parts) | {"motifs": str(folder)}))
    assert "No motif was found" in page
    assert page.count("No motif is told from its background here") == len(NAMES)


BREAKS = {  # file, what is replaced (None: the file itself), by what, and what is said of it
    "no summary": ("draws.npz.tsv", None, "", "is not there; put the table"),
    "another's summary": ("draws.npz.tsv", r"\nthird.*", "", "2 anchors where the draws have 3"),
    "no convergence": ("draws.npz.tsv", "converged", "settled", "line 1: has no column named converged"),
    "a word": ("draws.npz.tsv", r"\t7\t", "\tseven\t", "line 4, column bits_held: 'seven' cannot be read as number"),
    "no motifs": ("motifs/motifs.tsv", None, "", "give the folder that `maxent motifs` wrote"),
    "a motif without matrix": ("motifs/motifs.meme", "motif_1", "motif_2", "has no motif motif_1"),
    "other anchors": ("motifs/anchors.tsv", "second", "fourth", "its anchors are not those of the draws"),
    "other positions": ("motifs/positions.tsv", "third", "fourth", "its anchors are not those of the draws"),
    "a position missing": ("motifs/positions.tsv", r"\n.*$", "\nthird", "1 columns where the header has"),
    "a stranger's site": ("motifs/sites.tsv", "second", "fourth", "fourth is no anchor of the draws"),
    "a site turned round": ("motifs/sites.tsv", "x\t10\t16", "x\t16\t10", "lies outside its anchor"),
    "more than all": ("motifs/occupancy.tsv", r"0\.93", "1.93", "line 2, column occupancy: '1.93' cannot be read"),
    "infinite": ("motifs/positions.tsv", r"0\.05", "inf", "column information_error: 'inf' cannot be read"),
    "another's series": ("draws.npz.series.tsv", "second", "fourth", "its anchors are not those of the draws"),
    "no bits in the series": ("draws.npz.series.tsv", "bits_held", "held", "no column named bits_held"),
    "another's spectra": ("periodicity/spectra.tsv", "second", "fourth", "its anchors are not those of the draws"),
    "no spectra": ("periodicity/spectra.tsv", None, "", "give the folder that `maxent periodicity` wrote"),
    "one period": ("periodicity/spectra.tsv", r"\t(15|10|7.5|5)\t", "\t20\t", "holds fewer than two periods"),
    "one field": ("gc/response.tsv", r"\t-?1\t", "\t0\t", "holds fewer than two values of mu"),
    "no answer": ("gc/answer.tsv", "rigidity", "worth", "no column named rigidity"),
    "another's scores": ("scores/positions.tsv", "second", "fourth", "its anchors are not those of the draws"),
    "another's reading": ("scores/reading.tsv", "second", "fourth", "its anchors are not those of the draws"),
    "no measure": ("trained/metrics.tsv", "metric", "measure", "no column named metric"),
    "no JSON": ("draws.npz.provenance.json", r"\{", "", "is not JSON"),
    "no inputs": ("draws.npz.provenance.json", "inputs", "puts", "is not what maxent writes"),
}


@pytest.mark.parametrize(("name", "pattern", "new", "said"), BREAKS.values(), ids=BREAKS)
def test_a_broken_part_is_named(tmp_path: Path, name: str, pattern: str | None, new: str, said: str) -> None:
    sources, path = write_parts(tmp_path, NAMES), tmp_path / name
    if pattern is None:
        path.unlink()
    else:
        path.write_text(re.sub(pattern, new, path.read_text()))
    with pytest.raises(InputError, match=re.escape(said)) as caught:
        page_of(sources)
    assert caught.value.path == str(path)


@pytest.mark.parametrize("name", ["draws.npz.tsv", "motifs/positions.tsv", "draws.npz.series.tsv", "gc/response.tsv"])
def test_unknown_numbers_are_no_numbers_of_the_page(tmp_path: Path, name: str) -> None:
    sources, path = write_parts(tmp_path, NAMES), tmp_path / name
    text = path.read_text()
    path.write_text(re.sub(r"(?<=\t)\d+\.\d+(?=[\t\n])", "nan", text))
    assert path.read_text().count("nan") > text.count("nan") + 2
    for attribute, value in Page(page_of(sources)).attributes:
        assert attribute in ("data-value", "title") or "nan" not in value.split("(")[0]


def test_a_damaged_summary_is_an_answer_or_an_error(tmp_path: Path, parts: Sources) -> None:
    good, given = Path(parts.summary).read_bytes(), Sources(str(tmp_path / "draws.npz"))
    shutil.copy(parts.draws, given.draws)
    check_reader(lambda _: [page_of(given)], good, tmp_path, examples=40, place=Path(given.summary))


@pytest.mark.parametrize(
    ("value", "error", "shown"),
    [
        (9.0412, 0.3674, "9.04 ± 0.37"),
        (0.8464, 0.00563, "0.8464 ± 0.0056"),
        (1234.5, 12.3, "1234 ± 12"),
        (-1.5, 0.21, "\u22121.50 ± 0.21"),
        (2.0, 0.0, "2.00 ± 0.00"),
        (-2.05e-14, 0.0, "0.00 ± 0.00"),
        (-0.001, 0.1, "0.00 ± 0.10"),
        (2.345678, float("nan"), "2.35"),
        (float("nan"), 0.1, "\u2013"),
    ],
)
def test_numbers_are_shown_to_their_error(value: float, error: float, shown: str) -> None:
    assert with_error(value, error) == shown


def test_a_number_alone_has_three_digits() -> None:
    assert [significant(value) for value in (1234.4, 0.012345, -2.0, -2.05e-14)] == ["1234", "0.0123", "\u22122", "0"]
    assert chance(1e-9) == "1e\u221209"


def test_letters_stand_on_each_other_and_small_ones_are_left_out() -> None:
    found = drawing.letters_of(np.array([[0.5, 0.001, 0.2, 0.1], [0, 0, 0, 0]]), 0.01)
    assert [(each.letter, each.x, each.y, each.height) for each in found] == [
        ("T", 0, 0.001, 0.1),
        ("G", 0, 0.101, 0.2),
        ("A", 0, 0.301, 0.5),
    ]


def test_glyphs_fill_a_box_of_one_by_one() -> None:
    for outline in drawing.glyphs().values():
        points = np.array([float(value) for value in re.findall(r"-?\d+\.\d+", outline)]).reshape(-1, 2)
        assert points.min(axis=0) == pytest.approx([0.04, 0], abs=0.002)
        assert points.max(axis=0) == pytest.approx([0.96, 0.98], abs=0.002)
        assert outline[0] == "M"
        assert outline[-1] == "Z"
