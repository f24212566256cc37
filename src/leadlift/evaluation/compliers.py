"""Complier averages at the level of the unit that was drawn, per arm against control."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from leadlift.base.arrays import Bools, Codes, Floats
from leadlift.base.record import known
from leadlift.base.records import ComplierEffect
from leadlift.data import AssignmentLog
from leadlift.data.ledger.totals import OrganisationTotals
from leadlift.evaluation.organisations import ESTIMAND, LEVEL
from leadlift.inference import MeansDifference, complier_average, difference_in_means


def organisation_compliers(totals: OrganisationTotals) -> list[ComplierEffect]:
    """What a touch brings per organisation that is touched because the lot said so, in deals and revenue.

    Args:
        totals: a row per organisation; touched is one with a touched lead.
    """
    outcomes = {"deals": totals.deals, "revenue": totals.revenue}
    unit = np.arange(len(totals))
    return list(
        _compliers(totals.arms, totals.arm, totals.propensities, totals.cell, unit, outcomes, totals.touched, ESTIMAND)
    )


def lead_compliers(log: AssignmentLog, touched: Bools) -> list[ComplierEffect]:
    """What a touch brings per lead that is touched because the lot said so, where the lot was drawn for leads.

    Args:
        log: the leads.
        touched: whether each was touched within the touch days, shape (n,).
    """
    outcomes = {log.names["outcome"]: log.outcome}
    return list(
        _compliers(log.arms, log.arm, log.propensities, log.cell, log.organisation, outcomes, touched, "per_lead")
    )


def _compliers(
    arms: tuple[str, ...],
    arm: Codes,
    propensities: Floats,
    cell: Codes,
    unit: Codes,
    outcomes: Mapping[str, Floats],
    touched: Bools,
    estimand: str,
) -> Iterator[ComplierEffect]:
    for k, name in list(enumerate(arms))[1:]:
        offered = (propensities[:, k] > 0) & (propensities[:, 0] > 0)
        contrast = np.where(arm == k, 1, np.where(arm == 0, 0, -1))

        def means(values: Floats, k: int = k, offered: Bools = offered, contrast: Codes = contrast) -> MeansDifference:
            return difference_in_means(
                values,
                contrast,
                propensity_treated=np.where(offered, propensities[:, k], 0.5),
                propensity_control=np.where(offered, propensities[:, 0], 0.5),
                cell=cell,
                unit=unit,
                n_units=int(unit.max()) + 1,
                segment=offered,
            )

        took = means(touched.astype(np.float64))
        for outcome, values in outcomes.items():
            found = complier_average(means(values).estimate, took.estimate, level=LEVEL)
            yield ComplierEffect(
                treatment=name,
                outcome=outcome,
                estimand=estimand,
                touched_treatment=known(took.treatment_mean),
                touched_control=known(took.control_mean),
                effect=known(found.value),
                ci_lower=known(found.lower),
                ci_upper=known(found.upper),
                interval=found.kind,
            )
