"""causalml beside leadlift's definition of it, on random logs: with ties broken by the order of rows they agree."""

import numpy as np
import pandas as pd
import pytest
from causalml.metrics import auuc_score, get_cumgain, get_qini
from causalml.metrics import qini_score as causalml_qini

from leadlift.evaluation import qini_curve, qini_score, uplift_auc, uplift_curve


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_causalmls_curves_and_areas_on_random_logs(seed):
    rng = np.random.default_rng(seed)
    n, share = int(rng.choice([12, 60, 400])), rng.choice([0.2, 0.5, 0.8])
    t = np.r_[0, 1, rng.random(n - 2) < share].astype(int)
    score = rng.integers(0, rng.choice([3, 1000]), n)
    y = (rng.random(n) < 0.4 + rng.choice([-0.2, 0.2]) * t).astype(int)
    # The first of tied rows first, as causalml has them.
    first = np.argsort(np.lexsort((-np.arange(n), score))).astype(float)
    frame = pd.DataFrame({"y": y, "t": t, "model": first})
    ours = [curve(y, first, t, definition="causalml").gain for curve in (uplift_curve, qini_curve)]
    theirs = [get(frame, "y", "t")["model"].to_numpy() for get in (get_cumgain, get_qini)]
    for one, other in zip(ours, theirs, strict=True):
        assert one == pytest.approx(other, abs=1e-9)
    effect = y[t == 1].mean() - y[t == 0].mean()
    assert abs(effect) > 1e-9, "no log here is without an effect"
    assert uplift_auc(y, first, t, definition="causalml") == pytest.approx(auuc_score(frame, "y", "t")["model"])
    assert qini_score(y, first, t, definition="causalml") == pytest.approx(causalml_qini(frame, "y", "t")["model"])
