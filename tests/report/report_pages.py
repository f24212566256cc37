"""Pages of the hand-made studies, each drawn once."""

from __future__ import annotations

from functools import cache

from report_studies import ALL

from leadlift import report


@cache
def page_of(name: str) -> str:
    return report.html(ALL[name]())
