from __future__ import annotations

import pytest
from report_pages import page_of
from report_studies import ALL


@pytest.fixture(params=sorted(ALL))
def study_name(request) -> str:
    return request.param


@pytest.fixture
def page(study_name) -> str:
    return page_of(study_name)
