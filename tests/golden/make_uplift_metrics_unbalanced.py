"""Makes uplift_metrics_unbalanced.json: three libraries' areas and curves on logs whose arms differ in size.

    pip install --no-deps --target PEERS scikit-uplift==0.5.1 pylift==0.1.5
    PYTHONPATH=PEERS python tests/golden/make_uplift_metrics_unbalanced.py

It refuses to overwrite: a red test is a question, not a reason to make new numbers.
"""

from __future__ import annotations

import json
import platform
import sys
import warnings
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd

TARGET = Path(__file__).with_name("uplift_metrics_unbalanced.json")


def main() -> None:
    if TARGET.exists():
        sys.exit(f"{TARGET.name} exists; delete it by hand if its numbers are wrong")
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(20261121)
    logs = [
        made("treated leads only at the top, no ties", rng, first_arm=1, levels=None),
        made("control leads only at the top, no ties", rng, first_arm=0, levels=None),
        made("treated leads only in the highest of four ties", rng, first_arm=1, levels=4),
        made("treated leads do worse, no ties", rng, first_arm=1, levels=None, base=0.6, effect=-0.4),
    ]
    versions = {name: version(name) for name in ("scikit-uplift", "causalml", "pylift", "numpy", "pandas")}
    about = {
        "how": "each library run on the arrays shown by make_uplift_metrics_unbalanced.py; causalml and pylift not "
        "under ties, where they follow row order. pylift twice: with the propensities and with its inferred share.",
        "versions": versions | {"python": platform.python_version()},
    }
    cases = ",\n".join(json.dumps(scored(log)) for log in logs)
    TARGET.write_text(f'{{"about": {json.dumps(about, indent=1)},\n"cases": [\n{cases}\n]}}\n')


def made(
    label: str,
    rng: np.random.Generator,
    first_arm: int,
    levels: int | None,
    base: float = 0.3,
    effect: float = 0.3,
) -> dict[str, object]:
    n = 40
    p = np.round(rng.uniform(0.2, 0.6, n), 3)
    t = (rng.random(n) < p).astype(int)
    uplift = np.round(np.linspace(0.9, -0.3, n), 4)
    if levels is not None:
        uplift = np.repeat(np.array([0.6, 0.3, 0.1, -0.2]), [4, 12, 14, 10])
    t[:4] = first_arm
    y = (rng.random(n) < base + effect * t * (uplift > 0.3)).astype(int)
    order = rng.permutation(n)
    columns = {"y": y, "t": t, "uplift": uplift, "p": p}
    return {"label": label, "ties": levels is not None} | {k: v[order].tolist() for k, v in columns.items()}


def scored(log: dict[str, object]) -> dict[str, object]:
    from causalml.metrics.visualize import auuc_score, get_cumgain, get_qini, qini_score
    from sklift.metrics import qini_auc_score, qini_curve, uplift_auc_score, uplift_curve

    y, t, uplift, p = (np.asarray(log[name]) for name in ("y", "t", "uplift", "p"))
    log["scikit-uplift"] = {
        "qini_auc_score": float(qini_auc_score(y, uplift, t)),
        "uplift_auc_score": float(uplift_auc_score(y, uplift, t)),
        "qini_curve": [list(map(float, part)) for part in qini_curve(y, uplift, t)],
        "uplift_curve": [list(map(float, part)) for part in uplift_curve(y, uplift, t)],
    }
    if log["ties"]:
        return log
    frame = pd.DataFrame({"y": y, "w": t, "model": uplift})
    log["causalml"] = {
        "qini_score": float(qini_score(frame)["model"]),
        "auuc_score": float(auuc_score(frame)["model"]),
        "get_qini": get_qini(frame)["model"].tolist(),
        "get_cumgain": get_cumgain(frame)["model"].tolist(),
    }
    shares = {"pylift": p, "pylift inferred": np.full(len(y), t.mean())}
    for name, propensity in shares.items():
        found = pylift_eval().get_scores(t, y, uplift, propensity)
        log[name] = {key: float(found[key]) for key in ("Q_qini", "Q_cgains", "overall_lift")}
    return log


def pylift_eval() -> ModuleType:
    """pylift's evaluation alone: its package imports what no longer installs."""
    if "pylift" not in sys.modules:
        spec = find_spec("pylift")
        assert spec is not None
        sys.modules["pylift"] = ModuleType("pylift")
        sys.modules["pylift"].__path__ = list(spec.submodule_search_locations or [])
    import pylift.eval

    return pylift.eval


if __name__ == "__main__":
    main()
