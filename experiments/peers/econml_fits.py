"""EconML's learners on one log: reads arrays, writes predictions and processor seconds. Runs where EconML is installed.

    python econml_fits.py IN.npz OUT.npz

IN holds X, y, treatment (0 or 1), fresh (features to predict for) and the settings of
leadlift's LightGBM as JSON.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np

# Models that EconML fits on arrays are asked with arrays: nothing is misnamed.
warnings.filterwarnings("ignore", message="X does not have valid feature names")


def learners(ours: dict[str, Any]) -> dict[str, Callable[[], Any]]:
    """Every learner, unfitted. Metalearners have no default model: LightGBM's defaults stand in, or leadlift's."""
    from econml.dml import CausalForestDML
    from econml.dr import DRLearner
    from econml.metalearners import SLearner, TLearner, XLearner
    from lightgbm import LGBMRegressor
    from sklearn.dummy import DummyClassifier

    quiet = {"n_jobs": 1, "verbosity": -1, "random_state": 0}
    known = DummyClassifier(strategy="prior")
    found: dict[str, Callable[[], Any]] = {}
    for name, settings in (("its defaults", {}), ("our LightGBM", ours)):

        def model(settings: dict[str, Any] = settings) -> Any:
            return LGBMRegressor(**settings, **quiet)

        found[f"S, {name}"] = lambda model=model: SLearner(overall_model=model())
        found[f"T, {name}"] = lambda model=model: TLearner(models=model())
        found[f"X, {name}"] = lambda model=model: XLearner(models=model(), propensity_model=known)
        found[f"DR, {name}"] = lambda model=model: DRLearner(
            model_propensity=known, model_regression=model(), model_final=model(), random_state=0
        )
    found["causal forest, its defaults"] = lambda: CausalForestDML(
        model_y=LGBMRegressor(**quiet),
        model_t=known,
        discrete_treatment=True,
        n_jobs=1,
        random_state=0,
    )
    return found


def main() -> None:
    log = np.load(sys.argv[1], allow_pickle=False)
    X, y, treatment, fresh = log["X"], log["y"], log["treatment"], log["fresh"]
    out: dict[str, Any] = {}
    for name, make in learners(json.loads(str(log["ours"]))).items():
        started = time.process_time()
        model = make()
        model.fit(y, treatment, X=X)
        predicted = np.asarray(model.effect(fresh)).ravel()
        out[f"seconds|{name}"], out[f"uplift|{name}"] = time.process_time() - started, predicted
    np.savez(sys.argv[2], version=np.array(version("econml")), **out)


if __name__ == "__main__":
    main()
