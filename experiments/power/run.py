"""Is the power that a plan promises the power that its experiment has? See README.md."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "common")]

import pieces  # noqa: E402, I001  (first: it sets the number of threads)

import numpy as np  # noqa: E402

import summary  # noqa: E402
from designs import DESIGNS, TODAY, Design  # noqa: E402
from leadlift.base.experiment import ExperimentConfig  # noqa: E402
from leadlift.design import DesignPlan, plan_design  # noqa: E402
from leadlift.inference import difference_in_means, p_value  # noqa: E402
from leadlift.inference.two_samples import Sample, welch_test  # noqa: E402
from logs import Drawn, Truth, draw  # noqa: E402

DRAWS, CHUNKS = 1_500, 4


def promises(design: Design, plan: DesignPlan) -> list[tuple[str, float, float, float, float]]:
    """(which, leads, uplift, level, power) that the plan promises."""
    if design.question == "cheapest":
        row = plan.rows[0]
        assert plan.cheapest is not None
        assert row.target is not None
        return [("leads needed", plan.cheapest.leads, row.target, row.alpha, row.power)]
    if design.question == "holdout":
        assert plan.holdout is not None
        assert plan.holdout.target is not None
        weekly = design.plan["leads_per_week"]
        rows = [row for row in plan.holdout.rows if row.share in (0.1, 0.2)]
        leads = weekly * plan.holdout.weeks
        found = [(f"{row.share:.0%} held", leads, plan.holdout.target, plan.alpha, row.power or 0.0) for row in rows]
        # The formula is the same for a loss; skewed totals are not.
        return [*found, *((f"{name}, a loss", n, -uplift, *rest) for name, n, uplift, *rest in found)]
    row = next(
        r for r in plan.rows if (r.question, r.segment, r.treatment) == (design.question, design.segment, "call")
    )
    found = []
    if row.leads_needed is not None and row.target is not None:
        found.append(("leads needed", row.leads_needed, row.target, row.alpha, row.power))
    if plan.leads_at_hand is not None and row.power_at_hand is not None and row.target is not None:
        found.append(("power at hand", plan.leads_at_hand, row.target, row.alpha, row.power_at_hand))
    if plan.leads_at_hand is not None and row.detectable is not None:
        found.append(("smallest seen", plan.leads_at_hand, row.detectable, row.alpha, row.power))
    return found


def truth_of(design: Design, config: ExperimentConfig, plan: DesignPlan, uplift: float) -> Truth:
    given = config.plan
    assert given is not None
    baseline = given.baseline
    shares = config.group_shares or {"all": 1.0}
    means = np.array([baseline[name] if isinstance(baseline, dict) else baseline for name in shares], dtype=float)
    moved = "all" if design.question == "holdout" else design.segment.split(" - ")[0]
    uplifts = np.array([uplift if moved in (name, "all") else 0.0 for name in shares])
    arms = plan.cheapest.shares if design.question == "cheapest" and plan.cheapest else plan.effective_shares
    return Truth(
        means=means,
        uplifts=uplifts,
        group_shares=np.array(list(shares.values())),
        sd=given.sd if isinstance(given.sd, int | float) else None,
        skewed=design.skewed,
        clusters=plan.clusters,
        mixed=given.leads_per_organisation.groups == "mixed",
        arm_shares=np.array(list(arms.values())),
        blocked=design.mode == "blocked",
    )


def is_seen(design: Design, log: Drawn, truth: Truth, names: list[str], alpha: float) -> bool:
    """Whether leadlift's own analysis tells the effect from zero."""
    if design.question == "holdout":
        return totals_differ(log, alpha)
    n, strata = log.y.size, design.stratified and not truth.mixed
    common = {
        "propensity_treated": np.full(n, truth.arm_shares[1]),
        "propensity_control": np.full(n, truth.arm_shares[0]),
        "cell": log.group if strata else np.zeros(n, dtype=int),
        "unit": log.unit,
        "n_units": int(log.unit.max()) + 1,
    }
    parts = [None] if design.segment == "all" else [names.index(name) for name in design.segment.split(" - ")]
    found = [
        difference_in_means(log.y, log.arm, **common, segment=None if part is None else log.group == part).estimate
        for part in parts
    ]
    if len(found) == 1:
        return bool(p_value(found[0].value, found[0].se, found[0].df) < alpha)
    se = float(np.sqrt(((found[0].influence - found[1].influence) ** 2).sum()))
    return bool(p_value(found[0].value - found[1].value, se, min(part.df for part in found)) < alpha)


def totals_differ(log: Drawn, alpha: float) -> bool:
    totals = np.bincount(log.unit, weights=log.y)
    arm = log.arm[np.unique(log.unit, return_index=True)[1]]
    samples = [Sample(int((arm == a).sum()), totals[arm == a].mean(), totals[arm == a].var(ddof=1)) for a in (1, 0)]
    return welch_test(samples[0], samples[1], level=0.95).p_value < alpha


def all_pieces() -> list[pieces.Row]:
    return [{"design": design.name, "chunk": chunk} for chunk in range(CHUNKS) for design in DESIGNS]


def work(piece: pieces.Row) -> list[pieces.Row]:
    """Every promise of one design, tried on fresh experiments."""
    design = next(d for d in DESIGNS if d.name == piece["design"])
    config = design.config()
    plan = plan_design(config, today=TODAY)
    names = list(config.group_shares or {"all": 1.0})
    rows = []
    for number, (which, leads, uplift, alpha, power) in enumerate(promises(design, plan)):
        truth = truth_of(design, config, plan, uplift)
        if design.question == "holdout":
            held = 0.1 if which.startswith("10") else 0.2
            truth = Truth(**{**truth.__dict__, "arm_shares": np.array([held, 1 - held])})
        rng = np.random.default_rng([piece["chunk"], DESIGNS.index(design), number])
        seen = sum(is_seen(design, draw(truth, leads, rng), truth, names, alpha) for _ in range(DRAWS))
        rows.append(
            {
                "which": which,
                "leads": round(leads),
                "uplift": round(uplift, 5),
                "level": round(alpha, 6),
                "promised": round(power, 5),
                "seen": seen,
                "draws": DRAWS,
            }
        )
    return rows


def main() -> None:
    rows = pieces.run_pieces(HERE / "results.jsonl", all_pieces(), work, processes=1)
    pieces.write_readme(HERE, summary.generated(rows))


if __name__ == "__main__":
    main()
