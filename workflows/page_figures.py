"""The manual's pictures of a report, taken in Chromium, which must be on PATH with chromedriver.

python workflows/page_figures.py REPORT.html FOLDER
"""

import shutil
import sys
from pathlib import Path

from selenium import webdriver

PICTURES = {"page-verdict.png": "header", "page-card.png": "#anchor-1"}


def main(page: str, folder: str) -> None:
    """Save a picture of each of these elements."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "window-size=1200,2000"):
        options.add_argument(f"--{argument}")
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        driver.get(Path(page).resolve().as_uri())
        for name, selector in PICTURES.items():
            driver.find_element("css selector", selector).screenshot(str(Path(folder) / name))
    finally:
        driver.quit()


if __name__ == "__main__":
    main(*sys.argv[1:])
