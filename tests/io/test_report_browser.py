"""The report in a real browser: opened from disk, it says nothing on the console, asks for nothing, and sorts."""

import json
import shutil
from collections.abc import Iterator

import pytest
from report_files import write_parts
from selenium import webdriver
from selenium.common.exceptions import NoAlertPresentException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from maxent_cli.io.report import page_of

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no chromium or chromedriver on PATH")

NAMES = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "\"'><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "plain",
)
TABLE = "#anchors table"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    folder = tmp_path_factory.mktemp("report")
    page = folder / "report.html"
    page.write_text(page_of(write_parts(folder, NAMES)), encoding="utf-8")
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "window-size=1280,900"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=DRIVER))
    try:
        driver.get(page.as_uri())
        yield driver
    finally:
        driver.quit()


def requested(browser: webdriver.Chrome) -> list[str]:
    """Addresses that were asked for since the browser opened or this was last called."""
    messages = (json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))
    return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]


def column(browser: webdriver.Chrome, number: int) -> list[str]:
    """What a column of the anchors' table shows, from above."""
    return [
        row.find_elements(By.XPATH, "./*")[number].text
        for row in browser.find_elements(By.CSS_SELECTOR, f"{TABLE} tbody tr")
    ]


def button(browser: webdriver.Chrome, text: str) -> webdriver.remote.webelement.WebElement:
    found = browser.find_elements(By.CSS_SELECTOR, f"{TABLE} thead button")
    return next(each for each in found if each.text.startswith(text))


def test_opening_it_asks_for_nothing_and_says_nothing(browser: webdriver.Chrome) -> None:
    assert [url.rpartition("/")[2] for url in requested(browser)] == ["report.html"]
    assert browser.get_log("browser") == []


def test_hostile_names_are_shown_and_do_nothing(browser: webdriver.Chrome) -> None:
    assert set(column(browser, 1)) == set(NAMES)
    assert browser.find_elements(By.TAG_NAME, "img") == []
    assert len(browser.find_elements(By.TAG_NAME, "script")) == 1
    with pytest.raises(NoAlertPresentException, match="no such alert"):
        _ = browser.switch_to.alert


def test_a_press_sorts_and_another_turns_round(browser: webdriver.Chrome) -> None:
    bits = sorted((f"{5 + number}" for number in range(len(NAMES))), key=float)
    header = button(browser, "Bits held")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", header)
    header.click()
    assert [cell.partition(".")[0] for cell in column(browser, 2)] == bits[::-1]
    header.click()
    assert [cell.partition(".")[0] for cell in column(browser, 2)] == bits
    cell = header.find_element(By.XPATH, "..")
    assert cell.get_attribute("aria-sort") == "ascending"
    assert len(browser.find_elements(By.CSS_SELECTOR, f"{TABLE} [aria-sort]")) == 1


def test_names_sort_by_keyboard(browser: webdriver.Chrome) -> None:
    header = button(browser, "Record")
    header.send_keys(Keys.ENTER)
    first = column(browser, 1)
    header.send_keys(Keys.SPACE)
    assert column(browser, 1) == first[::-1]
    assert first.index("javascript:alert(1)") < first.index("plain")


def test_drawings_have_size_and_alternative_text_and_the_page_fits(browser: webdriver.Chrome) -> None:
    drawings = browser.find_elements(By.CSS_SELECTOR, "svg[role=img]")
    assert len(drawings) >= 2 * len(NAMES)
    assert all(each.size["width"] > 50 and each.get_attribute("aria-label") for each in drawings)
    letter = browser.find_element(By.CSS_SELECTOR, "article use")
    assert letter.size["width"] > 4
    width = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert browser.execute_script(width) == 0


def test_after_all_of_it_nothing_was_asked_for_or_said(browser: webdriver.Chrome) -> None:
    browser.execute_script("window.scrollTo(0, document.body.scrollHeight)")
    assert requested(browser) == []
    assert browser.get_log("browser") == []
