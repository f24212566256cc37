"""Figures and the HTML page, from result records only; the one room that draws."""

from leadlift.report._effect_tables import summary_table
from leadlift.report._power_figure import power_curves
from leadlift.report._power_table import plan_notes, plan_table
from leadlift.report._power_words import plan_answer
from leadlift.report._strategy_reading import by_strategy, spoken_name
from leadlift.report._strategy_words import strategy_cautions, strategy_words
from leadlift.report._table import Table
from leadlift.report.answer import Answer, answer
from leadlift.report.figures import FIGURES, Drawn, all_figures, draw_figure, missing_figures
from leadlift.report.format import change, count, estimate, interval, level, number, p_value, percent
from leadlift.report.page import html
from leadlift.report.problem_uplift import problem_words, uplift_cards
from leadlift.report.tables import all_tables

__all__ = [
    "FIGURES",
    "Answer",
    "Drawn",
    "Table",
    "all_figures",
    "all_tables",
    "answer",
    "by_strategy",
    "change",
    "count",
    "draw_figure",
    "estimate",
    "html",
    "interval",
    "level",
    "missing_figures",
    "number",
    "p_value",
    "percent",
    "plan_answer",
    "plan_notes",
    "plan_table",
    "power_curves",
    "problem_words",
    "spoken_name",
    "strategy_cautions",
    "strategy_words",
    "summary_table",
    "uplift_cards",
]
