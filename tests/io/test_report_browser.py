"""The report in a real browser: opened from disk it asks for nothing, and does what buttons, keys and fields say."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import axe_core_python
import numpy as np
import pytest
from report_files import write_parts
from selenium import webdriver
from selenium.common.exceptions import NoAlertPresentException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select

from maxent_cli.data import Interval
from maxent_cli.io.motif_files import read_meme
from maxent_cli.io.report import page_of
from maxent_cli.io.report_inputs import Sources
from maxent_cli.io.tables import read_table
from maxent_cli.tables.motifs import POSITIONS

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no chromium or chromedriver on PATH")

NAMES = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "\"'><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "plain",
)
AXE = Path(axe_core_python.__file__).with_name("axe.min.js")
PLACE = Interval("chr7", 1000, 1040, "-")


def opened(folder: Path) -> webdriver.Chrome:
    """A browser without a window, which saves into a folder."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "window-size=1280,900"):
        options.add_argument(f"--{argument}")
    options.add_experimental_option("prefs", {"download.default_directory": str(folder)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=DRIVER))


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    found = write_parts(tmp_path_factory.mktemp("report"), NAMES, intervals={4: PLACE})
    sites = Path(found.parts["motifs"]) / "sites.tsv"
    lines = sites.read_text().splitlines(keepends=True)
    sites.write_text("".join([*lines[:-1], lines[-1].replace("x\t10\t16", "chr7\t1010\t1016")]))
    return Sources(found.draws, found.parts, assembly="hg38")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("saved")


@pytest.fixture(scope="module")
def page(sources: Sources) -> Path:
    path = Path(sources.draws).with_name("report.html")
    path.write_text(page_of(sources), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def driver(page: Path, saved: Path) -> Iterator[webdriver.Chrome]:
    """One for all tests; what one of them changes on the page it changes back, or it opens the page anew."""
    driver = opened(saved)
    try:
        open_page(driver, page)
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def browser(driver: webdriver.Chrome) -> Iterator[webdriver.Chrome]:
    """After each test nothing was asked for but the page, and the browser had nothing to say."""
    yield driver
    assert {url.rpartition("/")[2] for url in requested(driver)} <= {"report.html"}
    assert driver.get_log("browser") == []


@pytest.fixture
def elsewhere(browser: webdriver.Chrome, page: Path) -> Iterator[webdriver.Chrome]:
    """For another page; in the end there is the first one again."""
    yield browser
    open_page(browser, page)


def open_page(driver: webdriver.Chrome, page: Path | None = None) -> float:
    """Open a page, or the one that is there anew; seconds until it did what it is told."""
    if page is None:
        driver.refresh()
    else:
        driver.get(page.as_uri())
    assert after(lambda: driver.execute_script("return document.documentElement.dataset.ready") == "yes")
    return float(driver.execute_script("return performance.getEntriesByName('ready')[0].startTime")) / 1000


def requested(browser: webdriver.Chrome) -> list[str]:
    """Addresses that were asked for since the browser opened or this was last called, but for what it saved itself."""
    messages = (json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    return [address for address in asked if not address.startswith("blob:")]


def shown(browser: webdriver.Chrome) -> list[str]:
    """Names of the cards that are to be seen, from above."""
    found = "return [...document.querySelectorAll('#cards article:not([hidden]) h3 bdi')].map((one) => one.textContent)"
    names: list[str] = browser.execute_script(found)
    return names


def press(browser: webdriver.Chrome, selector: str) -> WebElement:
    """Press what a selector finds first, as a mouse does."""
    found = browser.find_element(By.CSS_SELECTOR, selector)
    for _ in range(2):  # what comes into sight takes its true height, and moves what is below
        browser.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", found)
        browser.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    found.click()
    return found


def after(happened: Callable[[], bool], seconds: float = 10) -> bool:
    """Whether something happens in time."""
    end = time.monotonic() + seconds
    while not happened() and time.monotonic() < end:
        time.sleep(0.02)
    return happened()


def saving(browser: webdriver.Chrome, saved: Path, selector: str, name: str) -> str:
    """What lies in the file that a press saves."""
    (saved / name).unlink(missing_ok=True)
    press(browser, selector)
    assert after((saved / name).is_file), f"{name} was not saved"
    return (saved / name).read_bytes().decode()


def faults(browser: webdriver.Chrome, *rules: str) -> list[tuple[str, list[str]]]:
    """What axe finds wrong with the page, by all of its rules or by some, and where."""
    browser.execute_script(AXE.read_text(encoding="utf-8"))
    found = browser.execute_async_script(
        "axe.run(arguments[0]).then(arguments[1])", {"runOnly": rules} if rules else {}
    )
    return [(one["id"], [str(node["target"]) for node in one["nodes"]]) for one in found["violations"]]


def test_opening_it_asks_for_nothing_and_says_nothing(browser: webdriver.Chrome) -> None:
    requested(browser)
    open_page(browser)
    browser.execute_script("window.scrollTo(0, document.body.scrollHeight)")
    assert [url.rpartition("/")[2] for url in requested(browser)] == ["report.html"]
    heard: list[str] = []
    browser.execute_script("fetch('http://127.0.0.1:9/').catch(() => 0)")  # would be heard, and is not let out
    assert after(lambda: heard.extend(entry["message"] for entry in browser.get_log("browser")) or len(heard) == 2)
    assert "violates" in heard[0]


def test_it_begins_with_a_verdict(browser: webdriver.Chrome) -> None:
    open_page(browser)
    verdict = browser.find_element(By.ID, "verdict")
    assert verdict.location["y"] + verdict.size["height"] < 900  # on the first screen
    assert "test AUROC 0.932, 95 % interval 0.911 to 0.951" in verdict.text
    assert not browser.find_element(By.ID, "convergence").is_displayed()  # R-hat and ESS: a click away
    press(browser, "#fold-convergence > summary")
    assert browser.find_element(By.ID, "convergence").is_displayed()


def test_hostile_names_are_shown_and_do_nothing(browser: webdriver.Chrome) -> None:
    assert set(shown(browser)) == set(NAMES)
    for button in browser.find_elements(By.CSS_SELECTOR, ".unfold[aria-expanded=false]"):
        browser.execute_script("arguments[0].click()", button)
    assert browser.find_elements(By.TAG_NAME, "img") == []
    assert len(browser.find_elements(By.TAG_NAME, "script")) == 2
    with pytest.raises(NoAlertPresentException, match="no such alert"):
        _ = browser.switch_to.alert


def test_cards_fold_and_unfold_by_keyboard(browser: webdriver.Chrome) -> None:
    button = browser.find_element(By.CSS_SELECTOR, "#anchor-1 .unfold")
    card = browser.find_element(By.CSS_SELECTOR, "#card-1")
    for key, open_ in ((Keys.ENTER, False), (Keys.SPACE, True)):
        button.send_keys(key)
        assert (button.get_attribute("aria-expanded"), card.is_displayed()) == (str(open_).lower(), open_)


def test_search_filter_and_sort_are_over_all_cards(browser: webdriver.Chrome) -> None:
    search = browser.find_element(By.ID, "search")
    search.send_keys("PLAIN")
    assert shown(browser) == ["plain"]
    assert browser.find_element(By.ID, "count").text == "1 of 5 shown"
    search.clear()
    search.send_keys("chr7")
    assert shown(browser) == ["plain"]
    search.clear()
    search.send_keys(Keys.SPACE, Keys.BACKSPACE)
    only = Select(browser.find_element(By.ID, "only"))
    only.select_by_value("unsettled")  # every other one
    assert shown(browser) == [NAMES[3], NAMES[1]]
    only.select_by_value("")
    Select(browser.find_element(By.ID, "with")).select_by_value("motif_1")
    assert shown(browser) == list(NAMES[::-1])
    order = Select(browser.find_element(By.ID, "order"))
    order.select_by_value("record")
    names = shown(browser)
    assert names.index("javascript:alert(1)") < names.index("plain")
    order.select_by_value("bits_held")
    assert shown(browser) == list(NAMES[::-1])
    order.select_by_value("rank")
    assert shown(browser) == list(NAMES[::-1])


def test_a_position_says_its_numbers_to_pointer_and_keys(browser: webdriver.Chrome, sources: Sources) -> None:
    picture = browser.find_element(By.CSS_SELECTOR, "#card-1 .card svg")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", picture)
    picture.send_keys(*[Keys.ARROW_RIGHT] * 12)  # from before the first one
    tip = browser.find_element(By.ID, "tip")
    letter = next(
        row["letter"]
        for row in read_table(f"{sources.parts['motifs']}/positions.tsv", POSITIONS, "")
        if (row["record"], row["position"]) == ("plain", 11)
    )
    for said in (
        f"position 11, the anchor has {letter}",
        "chr7:1028 (0-based)",
        "A in 40.0",
        "T in 10.0",
        "0.50 ± 0.05 bits",
        "attribution: \u22123.00 ± 0.20 (output)",
    ):
        assert said in tip.text, tip.text
    picture.send_keys(Keys.ESCAPE)
    assert not tip.is_displayed()
    press(browser, "#motifs h2")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", picture)
    webdriver.ActionChains(browser).move_to_element(picture).move_by_offset(5, 0).perform()
    assert after(lambda: tip.text.startswith("position "))


def test_terms_are_the_sentences_of_the_schema(browser: webdriver.Chrome) -> None:
    header = browser.find_element(By.XPATH, "//section[@id='motifs']//th/button[text()='Sites']")
    browser.execute_script("arguments[0].focus()", header)
    time.sleep(0.1)  # it scrolls
    assert browser.find_element(By.ID, "tip").text.startswith("Sites of it in those anchors' draws;")
    assert header.get_attribute("aria-describedby") == "tip"


def test_zoom_shows_fewer_positions_and_all_again(browser: webdriver.Chrome) -> None:
    sequence = "#card-1 .sequence"
    whole = browser.find_element(By.CSS_SELECTOR, sequence).text
    press(browser, "#card-1 [aria-label='Zoom in']")
    assert browser.find_element(By.CSS_SELECTOR, sequence).text == whole[10:30]
    press(browser, "#card-1 [aria-label='To the right']")
    assert browser.find_element(By.CSS_SELECTOR, sequence).text == whole[20:]
    press(browser, "#card-1 [aria-label='Show all positions']")
    assert browser.find_element(By.CSS_SELECTOR, sequence).text == whole


def test_the_place_leads_to_the_genome_browser(browser: webdriver.Chrome) -> None:
    (link,) = browser.find_elements(By.CSS_SELECTOR, "#cards a[href^=http]")
    address = "https://genome.ucsc.edu/cgi-bin/hgTracks?db=hg38&position=chr7%3A1001-1040"
    assert link.get_attribute("href") == address
    assert link.get_attribute("rel") == "noopener noreferrer"


def test_saved_tables_are_those_of_the_commands(browser: webdriver.Chrome, sources: Sources, saved: Path) -> None:
    buttons = browser.find_elements(By.CSS_SELECTOR, "[data-file]")
    names = {button.get_attribute("data-file") for button in buttons}
    assert {"OUT.tsv", "motifs/motifs.tsv", "train/learning_curve.tsv", "compare/summary.tsv"} <= names
    for name in sorted(set(filter(None, names)) - {"OUT.tsv", "OUT.series.tsv"}):
        command, _, file = name.partition("/")
        text = saving(browser, saved, f"[data-file='{name}']", name.replace("/", "_"))
        assert text == (Path(sources.parts[command]) / file).read_bytes().decode()
    assert saving(browser, saved, "#anchors [data-file='OUT.tsv']", "OUT.tsv") == Path(sources.summary).read_text()


def test_a_saved_motif_is_read_back(browser: webdriver.Chrome, sources: Sources, saved: Path) -> None:
    saving(browser, saved, "[data-text='motif_1.meme']", "motif_1.meme")
    (found,), (wanted,) = (
        read_meme(str(path)) for path in (saved / "motif_1.meme", f"{sources.parts['motifs']}/motifs.meme")
    )
    assert found.name == wanted.name
    np.testing.assert_allclose(found.probabilities, wanted.probabilities, atol=1e-6)


def test_saved_positions_are_those_of_the_table(browser: webdriver.Chrome, sources: Sources, saved: Path) -> None:
    text = saving(browser, saved, "#card-1 [aria-label='Save the positions of this card']", "anchor_1.tsv")
    names, *lines = [line.split("\t") for line in text.splitlines()]
    rows = [
        row for row in read_table(f"{sources.parts['motifs']}/positions.tsv", POSITIONS, "") if row["record"] == "plain"
    ]
    assert len(lines) == len(rows) == 40
    for line, row in zip(lines, rows, strict=True):
        found = dict(zip(names, line, strict=True))
        assert (found["record"], found["letter"], int(found["position"])) == ("plain", row["letter"], row["position"])
        for name in ("information", "information_error", "p_A", "p_C", "p_G", "p_T"):
            assert float(found[name]) == pytest.approx(row[name], abs=2e-4)


def test_a_saved_picture_stands_alone(browser: webdriver.Chrome, saved: Path) -> None:
    text = saving(browser, saved, "#card-1 [aria-label='Save the picture of this card']", "anchor_1.svg")
    root = ElementTree.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    assert root.tag == f"{space}svg"
    used = {each.get("href", "")[1:] for each in root.iter(f"{space}use")}
    assert used == {each.get("id") for each in root.iter(f"{space}path") if each.get("id")}
    assert used
    assert root.find(f"{space}style") is not None
    saving(browser, saved, "#network figure button", "network.svg")


def test_a_press_sorts_a_table_and_another_turns_it_round(browser: webdriver.Chrome) -> None:
    button = browser.find_element(By.XPATH, "//section[@id='attribution']//th/button[text()='Record']")
    table = button.find_element(By.XPATH, "ancestor::table")
    first = [row.text for row in table.find_elements(By.CSS_SELECTOR, "tbody th")]
    button.send_keys(Keys.ENTER)
    rising = [row.text for row in table.find_elements(By.CSS_SELECTOR, "tbody th")]
    assert {each.text for each in browser.find_elements(By.CSS_SELECTOR, "tbody th button")} == {"MEME", "SVG"}
    button.send_keys(Keys.SPACE)
    falling = [row.text for row in table.find_elements(By.CSS_SELECTOR, "tbody th")]
    assert rising == falling[::-1]
    assert sorted(rising) == sorted(first)
    assert button.find_element(By.XPATH, "..").get_attribute("aria-sort") == "descending"


def test_the_page_passes_axe_in_light_and_in_dark(browser: webdriver.Chrome) -> None:
    assert faults(browser) == []
    press(browser, "#theme")
    assert browser.execute_script("return document.documentElement.dataset.theme") == "dark"
    assert faults(browser, "color-contrast") == []
    browser.execute_script(
        "document.querySelector('#search').closest('label').replaceWith(search); search.placeholder = ''"
    )
    assert [name for name, _ in faults(browser, "label")] == ["label"]  # it does find faults
    open_page(browser)


def test_drawings_have_size_and_alternative_text_and_the_page_fits(browser: webdriver.Chrome) -> None:
    drawings = browser.find_elements(By.CSS_SELECTOR, "svg[role=img]")
    seen = [each for each in drawings if each.is_displayed()]
    assert len(seen) >= 5
    assert all(each.size["width"] > 50 and each.get_attribute("aria-label") for each in seen)
    assert browser.find_element(By.CSS_SELECTOR, "#card-1 use").size["width"] > 4
    width = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert browser.execute_script(width) == 0


def test_print_unfolds_what_is_folded_and_folds_it_again(browser: webdriver.Chrome) -> None:
    open_page(browser)
    opened = "return document.querySelectorAll('.unfold[aria-expanded=true]').length"

    def in_print_and_after() -> tuple[int, int]:
        browser.execute_script("dispatchEvent(new Event('beforeprint'))")
        printed = browser.execute_script(opened)
        assert browser.find_element(By.ID, "convergence").is_displayed()
        browser.execute_script("dispatchEvent(new Event('afterprint'))")
        return printed, browser.execute_script(opened)

    assert in_print_and_after() == (len(NAMES), 1)  # nobody has chosen any
    press(browser, "#anchor-2 .unfold")
    assert in_print_and_after() == (2, 2)
    press(browser, "#anchor-2 .unfold")
    press(browser, "#anchor-1 .unfold")
    assert in_print_and_after() == (len(NAMES), 0)
    open_page(browser)


SECONDS = 10.0  # to wait for a page on machines that do other work; what it takes by itself is in the README


@pytest.mark.parametrize("count", [pytest.param(100, id="100"), pytest.param(1000, marks=pytest.mark.slow, id="1000")])
def test_many_anchors_open(elsewhere: webdriver.Chrome, tmp_path: Path, count: int) -> None:
    page = tmp_path / "report.html"
    page.write_text(page_of(write_parts(tmp_path, [f"a{number}" for number in range(count)], length=101)))
    assert page.stat().st_size < 5_000_000
    driver = elsewhere
    assert open_page(driver, page) < SECONDS * max(1, count / 500)
    assert len(shown(driver)) == count
    assert driver.find_element(By.ID, "count").text == f"{count} of {count} shown"
    driver.find_element(By.ID, "search").send_keys("a7")
    wanted = [f"a{number}" for number in range(count) if "a7" in f"a{number}"]
    assert shown(driver) == wanted[::-1]
    press(driver, f"#anchor-{count - 7} .unfold")
    assert driver.find_element(By.CSS_SELECTOR, f"#card-{count - 7} .sequence").text


@pytest.mark.parametrize(
    ("count", "length"),
    [
        pytest.param(1, 600, id="1 of 600 bp"),
        pytest.param(100, 1000, marks=pytest.mark.slow, id="100 of 1000 bp"),
        pytest.param(12, 2114, marks=pytest.mark.slow, id="12 of 2114 bp"),
    ],
)
def test_long_anchors_are_shown_in_part_and_as_a_whole(
    elsewhere: webdriver.Chrome, tmp_path: Path, count: int, length: int
) -> None:
    """Around the site that most draws have; from there on by buttons, or by a press on the whole."""
    page = tmp_path / "report.html"
    page.write_text(page_of(write_parts(tmp_path, [f"a{number}" for number in range(count)], length, noisy=True)))
    assert page.stat().st_size < 5_000_000
    driver = elsewhere
    assert open_page(driver, page) < SECONDS
    letters = read_sequence(driver)
    where = driver.find_element(By.CSS_SELECTOR, "#card-1 .tools [aria-live]")
    assert (len(letters), where.text) == (240, f"positions 0 to 239 of {length}")
    press(driver, "#card-1 [aria-label='To the right']")
    assert where.text == f"positions 120 to 359 of {length}"
    press(driver, "#card-1 [aria-label='Zoom in']")
    assert where.text == f"positions 180 to 299 of {length}"
    whole = driver.find_element(By.CSS_SELECTOR, "#card-1 .overview")
    assert f"All {length} positions, of which 180 to 299 are shown" in str(whole.get_attribute("aria-label"))
    webdriver.ActionChains(driver).move_to_element(whole).click().perform()  # its middle, beside a margin on the left
    assert after(lambda: abs(int(where.text.split()[1]) + 60 - length // 2) < 0.06 * length), where.text
    press(driver, "#card-1 [aria-label='Show all positions']")
    assert where.text == f"positions 0 to {length - 1} of {length}"
    assert len(read_sequence(driver)) == length


def read_sequence(driver: webdriver.Chrome) -> str:
    """The letters of the anchor that the first card shows."""
    found = "return [...document.querySelectorAll('#card-1 text.sequence')].map((one) => one.textContent).join('')"
    return str(driver.execute_script(found))
