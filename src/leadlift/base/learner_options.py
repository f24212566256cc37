"""Options of the learners that a configuration names."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from leadlift.base.fields import Settings

LearnerName = Literal["s", "t", "x", "r", "dr", "uplift_forest", "causal_forest"]


class MetaLearnerOptions(Settings):
    """What differs from a meta-learner's defaults; names of LightGBM's settings are LightGBM's."""

    backend: Literal["shared", "causalml"] | None = Field(None, description="causalml: its own learner, as it is.")
    patience: int | None = Field(None, ge=1, description="Trees without a gain after which LightGBM stops.")
    n_estimators: int | None = Field(None, ge=1)
    learning_rate: float | None = Field(None, gt=0, le=1)
    num_leaves: int | None = Field(None, ge=2)
    min_child_samples: int | None = Field(None, ge=1)
    reg_lambda: float | None = Field(None, ge=0)

    def arguments(self) -> dict[str, Any]:
        """As the learners take them."""
        given = self.model_dump(exclude_none=True)
        lightgbm = {name: value for name, value in given.items() if name not in ("backend", "patience")}
        own = {name: value for name, value in given.items() if name not in lightgbm}
        return {**own, "lightgbm": lightgbm} if lightgbm else own


class ForestOptions(Settings):
    """What differs from a forest's defaults."""

    n_estimators: int | None = Field(None, ge=1)
    max_depth: int | None = Field(None, ge=1)
    min_samples_leaf: int | None = Field(None, ge=1)

    def arguments(self) -> dict[str, Any]:
        """As the forests take them."""
        return self.model_dump(exclude_none=True)


class LearnerOptions(Settings):
    """Options by learner.

    >>> LearnerOptions(x={"patience": 20, "num_leaves": 5}).arguments()
    {'x': {'patience': 20, 'lightgbm': {'num_leaves': 5}}}
    """

    s: MetaLearnerOptions | None = None
    t: MetaLearnerOptions | None = None
    x: MetaLearnerOptions | None = None
    r: MetaLearnerOptions | None = None
    dr: MetaLearnerOptions | None = None
    uplift_forest: ForestOptions | None = None
    causal_forest: ForestOptions | None = None

    def arguments(self) -> dict[str, dict[str, Any]]:
        """Arguments of the learners that have options."""
        options = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: given.arguments() for name, given in options.items() if given is not None}
