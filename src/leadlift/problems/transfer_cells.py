"""Measured uplift per product and mechanic, as it comes in -> one checked table of cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from leadlift.base.arrays import Bools, Floats, floats
from leadlift.base.errors import TooFewOutcomesError
from leadlift.base.problems import Problems, did_you_mean, listed, share
from leadlift.base.records import Check, RowAccount
from leadlift.data.cells import identifiers, numbers
from leadlift.data.door import to_pandas

WHERE = "the measured effects"
UNKNOWN = "unknown"
LEAST_CELLS, LEAST_PRODUCTS = 5, 3


@dataclass(frozen=True, eq=False)
class Cells:
    """Products x mechanics, and what was measured there.

    Attributes:
        products, mechanics: names, sorted.
        effect: measured uplift, outcome units, NaN where never tried, shape (products, mechanics).
        se: its standard error, likewise.
        lead_variance: variance of the outcome of one lead, from the arms' sizes; NaN where they are not known.
        problems: names of the problems; empty without profiles.
        profile: how much each problem is behind each product, rows add up to 1, shape (products, problems).
        believed: what the company believed before, for all cells, or None.
        account: where every row of the effects went.
        checks: what was looked at.
    """

    products: tuple[str, ...]
    mechanics: tuple[str, ...]
    effect: Floats
    se: Floats
    lead_variance: Floats
    problems: tuple[str, ...]
    profile: Floats
    believed: Floats | None
    account: RowAccount
    checks: tuple[Check, ...]

    @property
    def tried(self) -> Bools:
        """Where there is a measurement, shape (products, mechanics)."""
        return np.isfinite(self.effect)


def read_cells(
    effects: Any,
    *,
    profiles: Any = None,
    believed: Any = None,
    products: Sequence[str] | None = None,
    mechanics: Sequence[str] | None = None,
    least: tuple[int, int] = (LEAST_CELLS, LEAST_PRODUCTS),
) -> Cells:
    """Reads and checks measured effects, profiles and beliefs.

    Several measurements of one cell are combined by their precision, which takes them to be of one true uplift.

    Args:
        effects: a row per study: `product`, `mechanic`, `effect`, `se`; where known `n_treatment` and `n_control`,
            from which designs are reckoned.
        profiles: a row per product (its index, or a column `product`), a column per problem, weights not negative;
            None: products are exchangeable.
        believed: `product`, `mechanic`, `believed`: the uplift that the company expected, for *every* cell.
        products: names to answer for, beside those in effects and profiles.
        mechanics: names to answer for, beside those in effects.
        least: measured cells, and products with one, that are needed.

    Raises:
        DataError: what was given can't be used; every problem is named. TooFewOutcomesError: too few measured cells.
    """
    problems = Problems(WHERE)
    frame, account = _measurements(to_pandas(effects), problems)
    shares = _profiles(profiles, problems)
    problems.stop_if_any()
    names = sorted({*frame["product"], *([] if shares is None else shares.index), *map(str, products or ())})
    ways = sorted({*frame["mechanic"], *map(str, mechanics or ())})
    shape = (len(names), len(ways))
    at = (pd.Index(names).get_indexer(frame["product"]), pd.Index(ways).get_indexer(frame["mechanic"]))
    effect, se, variance, repeats = _combined(frame, at, shape)
    measured = (int(np.isfinite(effect).sum()), len(set(at[0].tolist())))
    if measured[0] < least[0] or measured[1] < least[1]:
        problems.add(
            "too-few-effects",
            f"{least[0]} measured cells or more, of {least[1]} products or more",
            f"{measured[0]:,} measured cells of {measured[1]:,} products",
            "run more studies before learning from them",
            TooFewOutcomesError,
        )
    beliefs = _beliefs(believed, names, ways, problems)
    problems.stop_if_any()
    profile, columns, unknown = _aligned(shares, names)
    return Cells(
        products=tuple(names),
        mechanics=tuple(ways),
        effect=effect,
        se=se,
        lead_variance=variance,
        problems=columns,
        profile=profile,
        believed=beliefs,
        account=account,
        checks=(repeats, *unknown),
    )


def _measurements(frame: pd.DataFrame, problems: Problems) -> tuple[pd.DataFrame, RowAccount]:
    wanted = ["product", "mechanic", "effect", "se"]
    for name in [name for name in wanted if name not in frame.columns]:
        found = f"columns: {listed(frame.columns)}"
        problems.add("column", f"effects have a column `{name}`", found, did_you_mean(name, frame.columns))
    problems.stop_if_any()
    kept = pd.DataFrame({name: identifiers(frame[name]).reset_index(drop=True) for name in ("product", "mechanic")})
    for name in ("effect", "se", "n_treatment", "n_control"):
        kept[name] = _numbers(frame, name, problems)
    given = np.isfinite(floats(kept["effect"])) & np.isfinite(floats(kept["se"]))
    nameless = kept[["product", "mechanic"]].isna().any(axis=1).to_numpy(bool)
    missing = nameless | ~given
    # An effect that was measured without an error can't be weighed; a study may report some of those.
    wrong = ~missing & (kept["se"].to_numpy() <= 0)
    if wrong.any():
        example = kept[wrong].iloc[0]
        problems.add(
            "se",
            "a standard error is above 0",
            f"{share(int(wrong.sum()), len(kept))}, e.g. {example['product']}, {example['mechanic']}",
            "leave out effects without an error",
        )
    for name in ("n_treatment", "n_control"):
        none = floats(kept[name]) < 1
        if none.any():
            found, fix = share(int(none.sum()), len(kept)), "leave the cell empty where the size is not known"
            problems.add("arm-size", f"`{name}` is 1 or more", f"less in {found}", fix)
    used = kept[~missing]
    lost = {
        "product_or_mechanic_missing": int(nameless.sum()),
        "effect_or_error_missing": int((missing & ~nameless).sum()),
    }
    dropped = {reason: n for reason, n in lost.items() if n}
    # Sorted by all columns: sums don't depend on the order that rows come in.
    return used.sort_values(list(used.columns)), RowAccount(len(kept), len(used), dropped)


def _numbers(frame: pd.DataFrame, name: str, problems: Problems) -> Floats:
    """A column as numbers; NaN where it is missing, in all rows if the column is."""
    if name not in frame.columns:
        return np.full(len(frame), np.nan)
    values = numbers(frame[name])
    odd = values.isna().to_numpy(bool) & identifiers(frame[name]).notna().to_numpy(bool)
    if odd.any():
        found = f"none that can be read in {share(int(odd.sum()), len(frame))}, e.g. `{frame[name][odd].iloc[0]}`"
        problems.add("number", f"`{name}` is a number", found, "write numbers without a unit")
    return floats(values)


def _combined(frame: pd.DataFrame, at: tuple[Any, Any], shape: tuple[int, int]) -> tuple[Floats, Floats, Floats, Check]:
    """Effects, errors and lead variances by cell, and whether repeated measurements agree."""
    value, weight = floats(frame["effect"]), 1.0 / floats(frame["se"]) ** 2
    total, first, number = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    np.add.at(total, at, weight)
    np.add.at(first, at, weight * value)
    np.add.at(number, at, 1)
    tried = total > 0
    effect = np.divide(first, total, out=np.full(shape, np.nan), where=tried)
    se = np.sqrt(np.divide(1.0, total, out=np.full(shape, np.nan), where=tried))
    sizes = floats(frame["n_treatment"]), floats(frame["n_control"])
    per_lead = floats(frame["se"]) ** 2 * sizes[0] * sizes[1] / (sizes[0] + sizes[1])
    known = np.isfinite(per_lead) & (per_lead > 0)
    variance, count = np.zeros(shape), np.zeros(shape)
    inside = (at[0][known], at[1][known])
    np.add.at(variance, inside, per_lead[known])
    np.add.at(count, inside, 1)
    variance = np.divide(variance, count, out=np.full(shape, np.nan), where=count > 0)
    return effect, se, variance, _repeats_agree(value, weight, effect[at], number)


def _repeats_agree(value: Floats, weight: Floats, mean: Floats, number: Floats) -> Check:
    """Cochran's Q over cells that were measured more than once."""
    freedom = int(np.maximum(number - 1, 0).sum())
    if not freedom:
        return Check("repeated-studies", "pass", 0, "no cell was measured more than once")
    p = float(stats.chi2.sf(float(np.sort(weight * (value - mean) ** 2).sum()), freedom))
    if p >= 0.01:
        return Check("repeated-studies", "pass", p, f"{freedom:,} repeated measurements agree with the first ones")
    words = "measurements of the same product and mechanic differ more than their errors allow: uplift changes with "
    return Check("repeated-studies", "warn", p, words + "time or place, and intervals here do not know of that")


def _profiles(profiles: Any, problems: Problems) -> pd.DataFrame | None:
    if profiles is None:
        return None
    frame = profiles if isinstance(profiles, pd.DataFrame) else to_pandas(profiles)
    if "product" in frame.columns:
        frame = frame.set_index("product")
    frame = frame.set_axis(frame.index.astype(str), axis=0).set_axis([str(name) for name in frame.columns], axis=1)
    if not frame.index.is_unique:
        twice = sorted(set(frame.index[frame.index.duplicated()]))
        problems.add("profile-twice", "a product has one profile", f"twice: {listed(twice, 3)}", "keep one row each")
    try:
        values = frame.astype(float).fillna(0.0)
    except (TypeError, ValueError):
        found = listed([f"{name} ({kind})" for name, kind in frame.dtypes.items()], 5)
        problems.add("profile-numbers", "profiles are numbers, a column per problem", found, "leave other columns out")
        return None
    if (values.to_numpy() < 0).any() or not np.isfinite(values.to_numpy()).all():
        problems.add("profile-weight", "weights are 0 or more", "some are not", "pass shares of problems")
    return values


def _aligned(shares: pd.DataFrame | None, names: list[str]) -> tuple[Floats, tuple[str, ...], tuple[Check, ...]]:
    """Profiles in the order of `names`; products without one share a problem of their own, `unknown`."""
    if shares is None or shares.shape[1] == 0:
        return np.empty((len(names), 0)), (), ()
    values = shares.reindex(names).fillna(0.0).to_numpy(float)
    total = values.sum(axis=1)
    lost = total <= 0
    values = values / np.where(lost, 1.0, total)[:, None]
    if not lost.any():
        return values, tuple(shares.columns), ()
    words = f"{lost.sum():,} of {len(names):,} products have no profile: they learn from each other only"
    check = Check("products-without-profile", "warn", int(lost.sum()), words)
    return np.column_stack([values, lost.astype(float)]), (*shares.columns, UNKNOWN), (check,)


def _beliefs(believed: Any, names: list[str], ways: list[str], problems: Problems) -> Floats | None:
    if believed is None:
        return None
    frame = to_pandas(believed)
    lacking = [name for name in ("product", "mechanic", "believed") if name not in frame.columns]
    if lacking:
        found = f"columns: {listed(frame.columns)}"
        problems.add(
            "column", f"beliefs have columns {listed(lacking)}", found, did_you_mean(lacking[0], frame.columns)
        )
        return None
    rows = pd.Index(names).get_indexer(pd.Index(frame["product"].astype(str)))
    columns = pd.Index(ways).get_indexer(pd.Index(frame["mechanic"].astype(str)))
    values = np.full((len(names), len(ways)), np.nan)
    inside = (rows >= 0) & (columns >= 0)
    values[rows[inside], columns[inside]] = floats(pd.to_numeric(frame["believed"], errors="coerce"))[inside]
    gaps = int((~np.isfinite(values)).sum())
    if gaps:
        problems.add(
            "belief-missing",
            "beliefs are given for every product and mechanic, tried or not",
            f"{gaps:,} of {values.size:,} cells have none",
            "leave beliefs out: selection is then allowed for without them",
        )
    return values
