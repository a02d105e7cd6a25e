"""A headless Chromium, and pages made once for all tests of a session."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from symgru.document import Document
from symgru.explanation import explain
from symgru.network import Tensor
from symgru.readers import read, read_input
from tests.conftest import ROOT, need, need_installed

PHONE, DESKTOP = (375, 812), (1280, 900)


def worked(path, given, **options):
    """The page of a network, as a document."""
    network = read(path)
    x = read_input(given, network)
    return Document(explain(network, Tensor(x.value, x.text), **options))


@pytest.fixture(scope="session")
def browser():
    chromium, chromedriver = need("chromium"), need("chromedriver")
    need_installed("selenium", "test")
    need_installed("ziamath", "documents")
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--hide-scrollbars", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(chromedriver))
    yield Browser(driver)
    driver.quit()


class Browser:
    """What the tests do with a page."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, path: Path, size=DESKTOP, dark=False, script=True):
        width, height = size
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )
        theme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [theme]})
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not script})
        self.driver.get("about:blank")
        self.driver.get_log("browser"), self.driver.get_log("performance")
        self.driver.get(path.as_uri())
        return self

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def texts(self, selector):
        return self.run("return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)", selector)

    def find(self, selector):
        return self.driver.find_element("css selector", selector)

    def exact(self):
        """The last state in double precision."""
        return self.run('return JSON.parse(document.querySelector("#calculator .exact").dataset.exact)')

    def slide(self, name, value):
        """Move a slider as a person would."""
        return self._put("range", name, value)

    def type(self, name, text):
        return self._put("text", name, text)

    def _put(self, kind, name, value):
        script = """const [kind, name, value] = arguments;
            const all = [...document.querySelectorAll(`input[type=${kind}]`)];
            const field = all.find((e) => e.dataset.name === name);
            field.value = value;
            field.dispatchEvent(new Event("input", { bubbles: true }));
            return field.value"""
        return self.run(script, kind, name, value)

    def complaints(self):
        """Everything in the console."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self):
        """Every address that was asked for."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        sent = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
        return [url for url in sent if url != "about:blank"]


@pytest.fixture(scope="session")
def seed_page(tmp_path_factory):
    need_installed("ziamath", "documents")
    path = tmp_path_factory.mktemp("page") / "seed.html"
    return worked(ROOT / "examples" / "seed.json", "1,2,9,8", digits=6).save(path)


@pytest.fixture(scope="session")
def empty_page(tmp_path_factory):
    need_installed("ziamath", "documents")
    from symgru.backends.html import empty_page

    path = tmp_path_factory.mktemp("page") / "gru.html"
    path.write_text("".join(empty_page()), encoding="utf-8")
    return path
