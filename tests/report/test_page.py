from __future__ import annotations

import itertools
import re
from collections import Counter
from html.parser import HTMLParser
from importlib.resources import files

import pytest
import report_studies as made
from report_pages import page_of

from leadlift import report
from leadlift.report._canvas import PALETTE
from leadlift.report.page import key_numbers

VOID = {"meta", "br", "hr", "img", "link", "input", "path", "use", "rect"}


class Reader(HTMLParser):
    """Reads a page into elements and complains of tags that don't match."""

    def __init__(self, text: str):
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, names)
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attrs for tag, attrs in self.found if tag in tags]


@pytest.fixture
def read(page) -> Reader:
    return Reader(page)


def test_nothing_from_elsewhere(page, read):
    for _, attrs in read.found:
        for name in ("src", "href", "xlink:href", "action", "data"):
            assert (attrs.get(name) or "#").startswith("#")
    assert not read.all("script", "link", "iframe", "object", "img", "form")
    assert not re.search(r"url\((?!#)|@import", page)
    assert "default-src 'none'" in page


def test_no_handlers(read):
    assert not [name for _, attrs in read.found for name in attrs if name.startswith("on")]


def test_every_drawing_has_words(read):
    assert all(attrs.get("role") == "img" and attrs.get("aria-label") for attrs in read.all("svg"))


def test_every_table_has_a_caption_and_scoped_headers(page, read):
    tables = re.findall(r"<table.*?</table>", page, flags=re.DOTALL)
    assert tables
    assert all(len(re.findall(r"<caption>.", table)) == 1 for table in tables)
    assert all(attrs.get("scope") in {"col", "row", "rowgroup"} for attrs in read.all("th"))
    regions = [attrs for attrs in read.all("div") if attrs.get("role") == "region"]
    assert len(regions) == len(tables)
    assert all(attrs["tabindex"] == "0" and attrs["aria-label"] for attrs in regions)


def test_ids_are_unique_and_referred_to(page, read):
    ids = Counter(attrs["id"] for _, attrs in read.found if "id" in attrs)
    assert [name for name, n in ids.items() if n > 1] == []
    referred = set(re.findall(r'(?:url\(|href=")#([^)"]+)', page))
    referred |= {attrs["aria-labelledby"] for _, attrs in read.found if "aria-labelledby" in attrs}
    assert referred <= set(ids)


def test_headings_descend_in_order(page):
    levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_page_is_a_page(page):
    assert page.startswith("<!DOCTYPE html>")
    assert '<html lang="en">' in page
    assert '<meta name="color-scheme" content="light dark">' in page
    assert page.count("<main>") == 1
    assert 'class="skip"' in page


def test_no_colour_is_fixed(page):
    """Every colour in a drawing is a variable with a fallback, so that it follows the theme."""
    drawings = "".join(re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL))
    assert re.findall(r"#[0-9a-f]{6}\b", re.sub(r"var\(--\w+, #[0-9a-f]{6}\)", "", drawings)) == []


@pytest.mark.parametrize("name", ["study", "nasty"])
def test_same_bytes_twice(name):
    assert report.html(made.ALL[name]()) == page_of(name)


def test_names_are_escaped():
    page = page_of("nasty")
    assert "<script" not in page
    assert "&lt;script&gt;alert(" in page
    assert "hunter2" not in page


def test_figures_can_be_handed_in():
    study = made.study()
    assert report.html(study, figures=report.all_figures(study)) == page_of("study")


def test_a_figure_without_data_says_why():
    page = page_of("nulls")
    assert "The six-group figure is left out: no effect could be given for any score group." in page
    assert "The curves are left out: Too few outcomes: 11 of 20 needed." in page


def test_stopped_page_shows_what_stopped_it_first():
    page = page_of("stopped")
    assert "Stopped, so there is no answer yet" in page
    assert page.index(">split-as-planned<") < page.index(">arm-switch<")
    assert "stopped before anything was estimated, so there are no numbers" in page


def test_key_numbers():
    shown = {one.label: (one.value, one.remark) for one in key_numbers(made.study())}
    assert shown["Leads used"] == ("48,000", "of 48,950 read, in 2 arms")
    assert shown["call against control"] == ("+2.1 pp", "95% interval 1.4 to 2.8 pp")
    assert shown["Checks passed"] == ("3 of 3", "nothing to warn of")


def test_page_and_drawings_share_a_palette():
    css = files("leadlift.report").joinpath("templates/page.css").read_text()
    light = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", css[: css.index("@media")]))
    assert {name: light[name] for name in PALETTE if name != "paper"} == {
        name: colour for name, colour in PALETTE.items() if name != "paper"
    }


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_contrast(theme):
    """WCAG 2.2: text 4.5 to 1 on either ground; marks of drawings 3 to 1."""
    css = files("leadlift.report").joinpath("templates/page.css").read_text()
    block = re.findall(r":root \{(.*?)\}", css, flags=re.DOTALL)[theme]
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))
    for ground in ("paper", "raised"):
        low = _luminance(colours[ground])
        for name, colour in colours.items():
            if name in {"paper", "raised", "grid"}:
                continue
            high = _luminance(colour)
            ratio = (max(high, low) + 0.05) / (min(high, low) + 0.05)
            assert ratio >= 4.5, (name, ground, ratio)
