"""How the numbers came about, for a reviewer: what each assumes, the settings, digests, versions and the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from leadlift.base.records import StudyResult
from leadlift.report._reading import control_arm, learner_name, listed


def method(result: StudyResult) -> tuple[tuple[str, str], ...]:
    """What was done, as pairs of a term and its explanation; only what this study used."""
    return tuple((term, words) for term, words in _all(result) if words)


def _all(result: StudyResult) -> Iterator[tuple[str, str]]:
    used = {effect.estimator for effect in result.effects}
    control = control_arm(result) or "control"
    yield (
        "What is compared",
        f"Leads as assigned, each arm against “{control}”, whether or not the touch took place. "
        "A positive number is taken to be better.",
    )
    yield (
        "Propensities",
        "The probabilities of the arms come from the design and are never estimated.",
    )
    yield ("Weights", "" if result.weight is None else _WEIGHTS.format(result.weight))
    yield ("Organisations' totals", _TOTALS if "organisation_totals" in used else "")
    yield ("Difference in means", _DIFFERENCE if "difference_in_means" in used else "")
    yield ("AIPW", _AIPW if "aipw" in used else "")
    yield ("Errors", _errors(result) if used else "")
    yield ("Many comparisons", _MANY if used else "")
    yield ("Which may gain most", _HSU if result.segment_tests else "")
    yield ("Score groups", _score(result))
    yield ("Learners", _learners(result))
    yield ("Judging rankings", _SEQUENTIAL if any(r.method == "sequential" for r in result.learners) else "")
    yield ("Fifths", _FIFTHS if any(r.calibration.bins for r in result.learners) else "")
    yield ("Truth", _TRUTH if result.truth else "")


_TOTALS = (
    "All deals that an organisation won from its first draw until its window closed, each counted once: those of its "
    "leads, late ones included, and those that no lead is behind. Difference in means of organisations inside cells of "
    "constant propensity. What one lead's touch does to the organisation's other leads is part of it."
)
_DIFFERENCE = (
    "Weighted means of arm and control inside cells of constant propensity, combined by cell size. "
    "Assumes nothing but the lot."
)
_AIPW = (
    "The mean of each lead's uplift score: a predicted difference, corrected by what happened, weighed by the known "
    "propensity. The predictions come from models that never saw the lead's organisation. Poor predictions widen the "
    "interval; they do not bias it."
)
_WEIGHTS = (
    "The log is a sample of the leads drawn: each counts as the number that “{}” says it stands for, in models, "
    "effects, groups and rankings alike. Numbers of leads are those in the log."
)
_MANY = (
    "Simultaneous intervals hold for all arms and groups of one kind at once, with 95% confidence; adjusted p-values "
    "belong to them. Plain intervals hold for one number looked at alone."
)
_HSU = (
    "A group leaves the set only when it is clear that another one gains more (Hsu's comparison with the best). "
    "A set of several is no finding that they are equal."
)
_SEQUENTIAL = (
    "Organisations are put in random order; the first half only trains, and each of four later blocks is ranked by "
    "models fitted on earlier organisations. Blocks in which a ranking is constant are dropped and counted "
    "(Wager 2024)."
)
_FIFTHS = (
    "The leads of the judged blocks, each block cut into fifths of the uplift predicted for it by models that had not "
    "seen it. The test of the sizes is the slope: of each lead's uplift score on the prediction (Chernozhukov et al.)."
)
_TRUTH = "The company is simulated, so the true effects are known and shown beside the estimates."


def _errors(result: StudyResult) -> str:
    unit = "organisation" if result.organisations_given else "lead (no organisations were given)"
    words = [f"By {unit}; t intervals with J − 1 degrees of freedom and the J/(J − 1) correction."]
    kinds = {effect.interval for effect in result.effects}
    if "satterthwaite" in kinds:
        words.append("With few organisations in an arm or stratum: CR2 with Satterthwaite's degrees of freedom.")
    if "miettinen_nurminen" in kinds:
        words.append("With few expected outcomes: Miettinen-Nurminen.")
    if "none" in kinds:
        words.append("With too few organisations or outcomes no interval is given.")
    return " ".join(words)


def _score(result: StudyResult) -> str:
    if result.score is None:
        return ""
    cuts = listed(f"{cut:.4g}" for cut in result.score.cuts)
    sizes = listed(f"{name} {n:,}" for name, n in zip(result.score.names, result.score.sizes, strict=False))
    source = (
        "The score came with the log."
        if result.score.source == "given"
        else "No score was given: models fitted on the controls of other folds scored both arms. The groups are made "
        "from the data."
    )
    return f"{source} {f'Cut at {cuts}. ' if cuts else ''}Leads: {sizes}."


def _learners(result: StudyResult) -> str:
    names = dict.fromkeys(learner_name(r.learner) for r in result.learners if r.learner != "score")
    if not names:
        return ""
    draws = result.settings.get("repeats", 1)
    repeated = f" Out-of-fold predictions are means over {draws} draws of the folds." if draws > 1 else ""
    return f"{listed(names)}, with the known propensities at fit and at prediction.{repeated}"


def provenance(result: StudyResult) -> tuple[tuple[str, str], ...]:
    """Digests, versions and the tracked run, as pairs."""
    pairs = [
        ("created", result.created_at),
        ("configuration digest", result.config_digest),
        ("log digest", result.log_digest),
        ("design digest", result.design_digest or "–"),
    ]
    if result.mlflow is not None:
        pairs += [
            ("MLflow tracking", _without_secrets(result.mlflow.tracking_uri)),
            ("MLflow experiment", result.mlflow.experiment),
            ("MLflow run", result.mlflow.run_id),
        ]
    return (*pairs, *((f"{name} version", version) for name, version in sorted(result.versions.items())))


def settings(result: StudyResult) -> tuple[tuple[str, str], ...]:
    """The settings as flat pairs, such as `data.outcome` and its value."""
    return tuple(_flat(result.settings, ""))


def _flat(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{name}.")
        elif isinstance(value, list | tuple):
            yield name, ", ".join(map(str, value)) or "–"
        elif isinstance(value, bool):
            yield name, "yes" if value else "no"
        else:
            yield name, "–" if value is None or value == {} else _without_secrets(str(value))


def _without_secrets(text: str) -> str:
    """An address without the user and password that it may carry."""
    if "://" not in text or "@" not in text:
        return text
    parts = urlsplit(text)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
