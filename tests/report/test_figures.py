from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest
import report_studies as made

from leadlift.base.records import RowAccount
from leadlift.report import FIGURES, all_figures, draw_figure, missing_figures


@pytest.fixture(scope="module")
def drawn():
    return all_figures(made.three_arms())


def test_a_figure_is_drawn_or_says_why(study_name):
    study = made.ALL[study_name]()
    left_out = missing_figures(study)
    assert set(left_out).isdisjoint(name for name, kind in FIGURES.items() if not kind.missing(study))
    assert all(reason.endswith(".") for reason in left_out.values())


def test_every_figure_is_complete(drawn):
    assert set(drawn) == {"balance", "qini_curves", "row_flow", "six_groups", "uplift_fifths"}
    for figure in drawn.values():
        for svg in (figure.svg, figure.svg_narrow):
            ET.fromstring(svg)
        assert figure.png_bytes.startswith(b"\x89PNG")
        assert figure.alt
        assert figure.caption.endswith(".")


def test_alt_tells_every_effect(drawn):
    alt = drawn["six_groups"].alt
    assert "Womens E-Mail: low +3.9 pp [2.5, 5.4]; medium +6.5 pp [5.0, 7.9]; high +3.2 pp [1.7, 4.6]." in alt


def test_drawings_carry_no_date_and_no_page_wide_style(drawn):
    for figure in drawn.values():
        assert "<metadata" not in figure.svg
        assert "<style" not in figure.svg
        assert not re.search(r"\b20\d\d-\d\d-\d\d", figure.svg)


def test_same_bytes_twice(drawn):
    assert all_figures(made.three_arms()) == drawn


def test_missing_data_raise_with_the_reason():
    with pytest.raises(ValueError, match="The balance figure is left out: no features were compared between arms"):
        draw_figure(made.money(), "balance")


def test_true_effects_are_marked_only_when_known(drawn):
    assert "true effect" in drawn["six_groups"].svg
    assert "true effect" not in draw_figure(made.study(), "six_groups").svg


def test_names_are_text_not_mathematics():
    study = made.study(arms={"control": 1, "$x_1$ 电话": 2}, effects=made.effects("$x_1$ 电话", made.CLEAR))
    assert "$x_1$ 电话" in draw_figure(study, "six_groups").svg


def test_many_arms_and_features_are_capped_and_said():
    arms = [f"arm {i}" for i in range(8)]
    study = made.study(
        arms={"control": 5, **dict.fromkeys(arms, 5)},
        effects=tuple(e for arm in arms for e in made.effects(arm, made.CLEAR)),
        learners=tuple(r for arm in arms for r in made.rankings(arm, {"t": 0.001, "x": 0.002})),
    )
    assert "The first 6 arms are shown" in draw_figure(study, "six_groups").caption
    assert "The first 9 of 16 are shown." in draw_figure(study, "qini_curves").caption
    assert "The 20 largest of 30 are shown." in draw_figure(made.long_names(), "balance").caption


def test_row_flow_in_words():
    study = made.study(rows=RowAccount(10, 7, {"open_window": 3}), arms={"control": 3, "call": 4})
    assert draw_figure(study, "row_flow").alt == (
        "10 rows read; 3 dropped (open window); 7 used: control 3 and call 4."
    )


def test_the_score_is_drawn_alone_when_no_learner_was_judged():
    study = made.study(learners=made.rankings("call", {"score": 0.001}))
    assert ">score<" in draw_figure(study, "qini_curves").svg.replace("\n", "")


def test_pyplot_stays_out_and_matplotlib_waits():
    """Only drawing loads matplotlib, and no drawing touches pyplot's global state."""
    code = (
        "import sys, leadlift.report as r, report_studies as made\n"
        "assert 'matplotlib' not in sys.modules\n"
        "r.draw_figure(made.study(), 'row_flow')\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_user_settings_of_matplotlib_change_nothing(drawn):
    import matplotlib

    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "path", "axes.grid": False}):
        assert draw_figure(made.three_arms(), "six_groups") == drawn["six_groups"]
