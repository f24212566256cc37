"""Drawing without pyplot: one style, one palette, and figures turned into SVG and PNG.

Figures are drawn in the light theme's colours. In the SVG every colour of the palette becomes a CSS variable with the
light colour as its fallback, so that one inline SVG follows the page from light to dark and to print.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

PALETTE = {
    "ink": "#1c2530",
    "muted": "#566072",
    "grid": "#dde2e8",
    "paper": "#fefefe",
    "c1": "#1f6cae",
    "c2": "#b04c05",
    "c3": "#0c7a66",
    "c4": "#a0387c",
    "c5": "#776503",
    "c6": "#4a57b8",
}
MARKERS = ("o", "s", "^", "D", "v", "P")
MOST_ARMS = len(MARKERS)

TEXT = 11.0
SMALL = 10.0
WIDE = 9.6
NARROW = 3.9

_STYLE: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": TEXT,
    "axes.titlesize": TEXT,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.labelsize": SMALL,
    "axes.labelcolor": PALETTE["muted"],
    "axes.edgecolor": PALETTE["grid"],
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": PALETTE["grid"],
    "grid.linewidth": 0.8,
    "text.color": PALETTE["ink"],
    # Names are the user's: a dollar sign in one is not mathematics.
    "text.parse_math": False,
    "xtick.color": PALETTE["muted"],
    "ytick.color": PALETTE["muted"],
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.fontsize": SMALL,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "svg.hashsalt": "leadlift",
}


def colour(index: int) -> str:
    """The colour of the arm or learner at `index`; they come round again after six."""
    return PALETTE[f"c{index % 6 + 1}"]


def marker(index: int) -> str:
    """The marker of the arm at `index`, so that no arm is known by colour alone."""
    return MARKERS[index % len(MARKERS)]


@contextmanager
def style() -> Iterator[None]:
    """The house style, whatever matplotlib settings the user has."""
    from matplotlib import style as mpl_style

    with mpl_style.context(["default", _STYLE]), warnings.catch_warnings():
        # A name in a script that the drawing font lacks still shows in the SVG, where the browser picks the font.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def new_figure(width: float, height: float) -> Any:
    """An empty figure with its own canvas, in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.06, wspace=0.05, hspace=0.05)
    figure = Figure(figsize=(width, height), layout=layout)
    FigureCanvasAgg(figure)
    return figure


def png(figure: Any) -> bytes:
    """The figure as PNG on the light theme's paper; the same bytes every time."""
    buffer = io.BytesIO()
    with style():
        figure.savefig(buffer, format="png", dpi=160, facecolor="#ffffff", metadata={"Software": None})
    return buffer.getvalue()


def svg(figure: Any, *, prefix: str, label: str) -> str:
    """The figure as SVG to stand inside a page.

    Args:
        figure: a matplotlib figure drawn in the palette.
        prefix: put before every id, so that two figures on a page don't clash.
        label: what a screen reader says.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = io.StringIO()
    with style():
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None})
    return _inline(buffer.getvalue(), prefix, label)


def _inline(text: str, prefix: str, label: str) -> str:
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    # Matplotlib's style block speaks to `*`, which inside a page would be the whole page.
    text = re.sub(r"<defs>\s*<style[^>]*>[^<]*</style>\s*</defs>\s*", "", text)
    text = re.sub(r"<svg[^>]*>", lambda tag: _opening(tag.group(), prefix, label), text, count=1)
    text = _prefixed(text, prefix)
    for name, value in PALETTE.items():
        text = re.sub(rf"(?<=[ :]){value}\b", f"var(--{name}, {value})", text)
    text = re.sub(r"(font: [^;\"']*?)'DejaVu Sans'[^;\"]*", r"\1var(--sans, sans-serif)", text)
    return re.sub(r">\s+<", "><", text).strip()


def _opening(tag: str, prefix: str, label: str) -> str:
    box = re.search(r'viewBox="0 0 ([0-9.]+) [0-9.]+"', tag)
    # Points times this are the pixels at which the drawing's text matches the page's.
    widest = f' style="max-width: {float(box[1]) * 1.56:.0f}px"' if box else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'id="{prefix}" {box[0] if box else ""}{widest} role="img" aria-label="{escape(label, quote=True)}" '
        f'stroke-linejoin="round" stroke-linecap="butt">'
    )


def _prefixed(text: str, prefix: str) -> str:
    """Ids that something refers to get the prefix; the others, mere group names, go."""
    used = set(re.findall(r'(?:url\(|href=")#([^)"]+)', text))
    text = re.sub(
        r' id="([^"]+)"',
        lambda m: f' id="{prefix}-{m[1]}"' if m[1] in used else f' id="{m[1]}"' * (m[1] == prefix),
        text,
    )
    return re.sub(r'(url\(|href=")#([^)"]+)', rf"\g<1>#{prefix}-\g<2>", text)
