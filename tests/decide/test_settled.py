"""Strategies on a small log: what they earn is what the log's effects say, in outcomes and in money."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from leadlift import AssignmentLog
from leadlift.base.errors import ConfigError, DataError
from leadlift.base.strategies import DecideConfig, StrategyConfig, ValueConfig
from leadlift.decide import ask, decide, named_strategies
from leadlift.decide.groups import leave_alone, response_shares
from leadlift.evaluation import Segments, effects_by_segment, everyone, judge_sequentially
from leadlift.learners import OutOfFold, cross_fit, make_learners

N = 1_200
RULES = ["score_first", "fence_sitters_first", "uplift_first", "random", "everyone", "no_one"]


def small(seed=0, arms=("none", "call"), per_organisation=False, **more):
    rng = np.random.default_rng(seed)
    size, score = rng.normal(size=N).round(4), rng.random(N).round(4)
    organisation = np.arange(N) // 2
    draw = rng.integers(len(arms), size=N)
    draw = draw[organisation] if per_organisation else draw
    won = (rng.random(N) < 0.25 + 0.25 * (draw > 0) * (size > 0)).astype(int)
    frame = pd.DataFrame(
        {"arm": np.array(arms)[draw], "won": won, "size": size, "score": score, "client": organisation}
    )
    frame["deal"] = 100 + 10 * (np.arange(N) % 5)
    frame["calls"] = 3 * (draw > 0) + rng.integers(2, size=N)
    return AssignmentLog.from_frame(
        frame,
        treatment="arm",
        control=arms[0],
        propensity=dict.fromkeys(arms, 1 / len(arms)),
        outcome="won",
        features=more.pop("features", ["size", "deal"]),
        organisation="client",
        score="score",
        **more,
    )


def fitted_on(log, blocks=4):
    learners = make_learners(["t"], 0)
    return cross_fit(learners, log, folds=3), judge_sequentially(log, learners, seed=0, blocks=blocks)


@pytest.fixture(scope="module")
def answered():
    log = small()
    fitted, blocks = fitted_on(log)
    settings = DecideConfig(steps=5, costs={"call": 7.0})
    value = ValueConfig(column="deal", unit="EUR")
    question = ask(log, named_strategies(RULES), settings, value=value, cuts=(0.3, 0.7), learner="t")
    rows, decision = decide(question, fitted, blocks, seed=0)
    return log, fitted, rows, decision


def row(rows, strategy, share, measure="outcome"):
    return next(r for r in rows if (r.strategy, r.measure) == (strategy, measure) and abs(r.share - share) < 1e-9)


def test_touching_everyone_earns_the_effect_of_the_log(answered):
    log, fitted, rows, _ = answered
    effects, _ = effects_by_segment(log, everyone(log), fitted.outcomes, seed=0)
    aipw = next(e for e in effects if e.estimator == "aipw")
    for strategy in ("score_first", "random", "everyone"):
        found = row(rows, strategy, 1.0)
        assert found.value == pytest.approx(N * aipw.effect)
        assert found.value_se == pytest.approx(N * aipw.se, rel=0.05)
    assert row(rows, "everyone", 0.2).value == pytest.approx(N * aipw.effect)
    assert row(rows, "everyone", 0.2).n_touched == N
    assert row(rows, "no_one", 0.6).value == 0.0


def test_what_a_simulated_company_knows_stands_beside_on_the_same_leads():
    log = small()
    fitted, blocks = fitted_on(log)
    gain = 0.25 * (log.features["size"].to_numpy() > 0)
    question = ask(log, named_strategies(RULES), DecideConfig(steps=5), cuts=(0.3, 0.7), learner="t")
    assert {one.truth for one in decide(question, fitted, blocks, seed=0)[0]} == {None}
    rows, _ = decide(replace(question, truth=gain[:, None]), fitted, blocks, seed=0)
    first = np.argsort(-log.score, kind="stable")[: N // 5]
    assert row(rows, "score_first", 0.2).truth == pytest.approx(gain[first].sum())
    middle, score = row(rows, "fence_sitters_first", 0.4), row(rows, "score_first", 0.4)
    assert middle.difference_truth == pytest.approx(middle.truth - score.truth)
    held = np.concatenate([block.rows for block in blocks])
    learned = row(rows, "uplift_first", 1.0)
    assert learned.truth == pytest.approx(N * gain[held].mean())
    assert learned.difference_truth == pytest.approx(0.0)
    assert row(rows, "uplift_first", 0.2).difference_truth > 0


def test_touching_at_random_earns_its_share(answered):
    _, _, rows, _ = answered
    for share in (0.2, 0.4, 0.8):
        assert row(rows, "random", share).value == pytest.approx(share * row(rows, "random", 1.0).value)


def test_money_is_worth_times_outcome_less_the_cost_of_touches(answered):
    log, fitted, rows, decision = answered
    assert (decision.unit, decision.costs) == ("EUR", {"call": 7.0})
    from leadlift.evaluation import lead_scores

    net = lead_scores(log, "call", fitted.outcomes) * log.features["deal"].to_numpy() - 7.0
    first = np.argsort(-log.score, kind="stable")[: N // 5]
    assert row(rows, "score_first", 0.2, "money").value == pytest.approx(net[first].sum())


def test_differences_of_fixed_strategies_are_those_of_their_values(answered):
    _, _, rows, decision = answered
    assert decision.current == "score_first"
    for share in (0.2, 0.6):
        one, other = row(rows, "fence_sitters_first", share), row(rows, "score_first", share)
        assert one.difference == pytest.approx(one.value - other.value)
        assert one.difference_lower < one.difference < one.difference_upper
        assert other.difference is None


def test_a_learned_strategy_is_judged_on_what_was_held_back(answered):
    _, _, rows, decision = answered
    assert decision.blocks_used == 4
    assert decision.held_back == pytest.approx(N / 2, abs=20)
    learned, fixed = row(rows, "uplift_first", 0.2), row(rows, "score_first", 0.2)
    assert (learned.method, fixed.method) == ("sequential", "fixed")
    assert learned.value_se > fixed.value_se


def test_a_learned_strategy_follows_the_learner_that_earlier_blocks_chose(answered, monkeypatch):
    log, fitted, _, _ = answered
    learners = make_learners(["t", "x"], 0)
    blocks = judge_sequentially(log, learners, seed=0)
    settings = DecideConfig(steps=4)

    def values(rule):
        question = ask(log, named_strategies([rule]), settings, cuts=(0.3, 0.7), learner="x")
        return [r.value for r in decide(question, fitted, blocks, seed=0)[0] if r.strategy == "uplift_first"]

    by = {name: values(StrategyConfig(strategy="uplift_first", learner=name)) for name in ("t", "x")}
    assert by["t"] != by["x"]
    for name, follows in (("t", {"call": "t"}), ("x", {"call": "x"})):
        monkeypatch.setattr("leadlift.decide.judgement.chosen_before", lambda b, *_, f=follows, **__: [f] * len(b))
        assert values("uplift_first") == by[name]
        assert values(StrategyConfig(strategy="uplift_first", learner="x")) == by["x"]


def test_beyond_what_was_ever_run_it_is_said(answered):
    _, _, rows, decision = answered
    assert decision.run_share == pytest.approx(0.5, abs=0.05)
    assert not row(rows, "score_first", 0.4).extrapolates
    assert row(rows, "score_first", 0.8).extrapolates


def test_where_organisations_were_drawn_organisations_are_chosen():
    log = small(per_organisation=True)
    fitted, blocks = fitted_on(log)
    wholly = [decide_for(log, fitted, blocks, DecideConfig(steps=5, assume_no_spillover=a)) for a in (False, True)]
    assert [d.by_organisation for _, d in wholly] == [True, False]
    assert [d.assume_no_spillover for _, d in wholly] == [False, True]
    values = [row(rows, "score_first", 0.2).value for rows, _ in wholly]
    assert values[0] != values[1]
    mean = pd.Series(log.score).groupby(log.organisation).mean()
    from leadlift.evaluation import lead_scores
    from leadlift.inference import gain_curve

    scores = lead_scores(log, "call", fitted.outcomes)
    by_hand = N * gain_curve(scores, mean.to_numpy()[log.organisation], [0.2])[0]
    assert values[0] == pytest.approx(by_hand)


def decide_for(log, fitted, blocks, settings, rules=("score_first", "random"), **more):
    question = ask(log, named_strategies(list(rules)), settings, cuts=(0.3, 0.7), learner="t", **more)
    return decide(question, fitted, blocks, seed=0)


def test_several_arms_a_line_each_and_the_best_of_them_for_each_lead():
    log = small(arms=("none", "call", "gift"))
    fitted, blocks = fitted_on(log, blocks=2)
    rows, decision = decide_for(log, fitted, blocks, DecideConfig(steps=4), ("score_first", "uplift_first"))
    assert {(r.strategy, r.treatment) for r in rows} == {
        ("score_first", "call"),
        ("score_first", "gift"),
        ("uplift_first", "call or gift"),
        ("random", "call"),
        ("random", "gift"),
    }
    assert decision.current_treatment == "call"
    # Each arm was run on a third of the leads, both on two thirds.
    dashed = {(r.treatment, r.share) for r in rows if r.extrapolates}
    assert {("call", 0.5), ("gift", 0.5), ("call or gift", 0.75)} <= dashed
    assert not dashed & {("call", 0.25), ("call or gift", 0.5)}
    chosen = next(r for r in rows if r.strategy == "uplift_first")
    assert chosen.difference is not None
    with pytest.raises(ConfigError, match="none for gift"):
        ask(
            log,
            named_strategies(["random"]),
            DecideConfig(costs={"call": 3.0}),
            value=ValueConfig(per_outcome=10, unit="EUR"),
        )


def test_a_period_scales_everything():
    log = small()
    fitted, blocks = fitted_on(log)
    once, _ = decide_for(log, fitted, blocks, DecideConfig(steps=5))
    weekly, decision = decide_for(log, fitted, blocks, DecideConfig(steps=5, leads=600, capacity=120, per="week"))
    assert (decision.capacity, decision.leads, decision.per) == (120.0, 600, "week")
    a, b = row(once, "score_first", 0.2), row(weekly, "score_first", 0.2)
    assert b.value == pytest.approx(a.value / 2)
    assert b.value_upper == pytest.approx(a.value_upper / 2)
    assert b.capacity == 120


def refused(kind, words, *, rules=("score_first",), settings=None, log=None, **more):
    with pytest.raises(kind, match=words):
        ask(log or small(), named_strategies(list(rules)), settings or DecideConfig(), cuts=(0.3, 0.7), **more)


def test_what_cannot_be_asked_is_said():
    refused(ConfigError, "1,300 touches for 1,200 leads", settings=DecideConfig(capacity=1_300))
    refused(ConfigError, "did you mean `score_first`", settings=DecideConfig(current="scor_first"))
    refused(ConfigError, "`value` has none", value=ValueConfig(per_outcome=10))
    refused(ConfigError, "none for call", value=ValueConfig(per_outcome=1, unit="EUR"), settings=DecideConfig(costs={}))
    refused(ConfigError, "control is not touched", settings=DecideConfig(costs={"call": 1, "none": 2}))
    refused(ConfigError, "`decide.costs` without `value`", settings=DecideConfig(costs={"call": 1.0}))
    refused(ConfigError, "did you mean `deal`", value=ValueConfig(column="deel", unit="EUR"))


def test_a_column_measured_after_the_lot_is_refused():
    log = small(features=["size", "calls"])
    pick = StrategyConfig(strategy="representatives_pick", column="calls")
    with pytest.raises(DataError, match="differs between arms"):
        ask(log, named_strategies([pick]), DecideConfig())
    with pytest.raises(DataError, match="`won` is the outcome"):
        ask(log, named_strategies([StrategyConfig(strategy="triage", column="won")]), DecideConfig(), cuts=(0.3, 0.7))


def test_a_list_that_was_not_drawn_is_no_evidence():
    with pytest.raises(DataError, match="not-randomised"):
        ask(pd.DataFrame({"score": [0.1]}), named_strategies(["score_first"]), DecideConfig())


def test_shares_of_responses_hold_what_the_arms_means_allow(answered):
    log, fitted, _, _ = answered
    found = {one.kind: one for one in response_shares(log, fitted)}
    effect = found["persuadable"].lower
    assert 0.05 < effect < 0.25
    for one in found.values():
        assert 0 <= one.interval_lower <= one.lower <= one.upper <= one.interval_upper <= 1
    assert found["persuadable"].upper - found["sure_thing"].lower == pytest.approx(found["persuadable"].upper)


def test_a_group_that_is_surely_harmed_is_left_alone():
    rng = np.random.default_rng(1)
    log = small()
    harmed = rng.random(N) < 0.5
    hurt = np.where(harmed & (log.arm == 1), 0.0, log.outcome)
    log = replace(log, outcome=hurt)
    fitted, _ = fitted_on(log)
    question = ask(log, named_strategies(["random"]), DecideConfig())
    kind = Segments("kind", ("fine", "harmed"), harmed.astype(np.intp))
    half = Segments("problem", ("one", "other"), np.arange(N) % 2)
    found = leave_alone(question, fitted, [kind, half], seed=0)
    assert [one.verdict for one in found[:2]] == ["keep", "harmful"]
    assert [one.segment_by for one in found] == ["kind", "kind", "problem", "problem"]
    # Ends hold over all groups at once: more groups, wider ends.
    assert found[1].effect_upper > leave_alone(question, fitted, [kind], seed=0)[1].effect_upper


def test_whom_models_of_others_predict_to_lose_are_left_alone_where_it_shows():
    log = small()
    worse = (log.features["size"].to_numpy() > 0) & (log.arm == 1)
    log = replace(log, outcome=(np.random.default_rng(2).random(N) < 0.6 - 0.4 * worse).astype(float))
    fitted, blocks = fitted_on(log, blocks=2)
    question = ask(log, named_strategies(["random"]), DecideConfig(), learner="t")
    (found,) = leave_alone(question, fitted, [], blocks, seed=0)
    assert (found.segment_by, found.verdict) == ("prediction", "harmful")
    held = np.concatenate([block.rows for block in blocks])
    assert 0.2 * len(held) < found.n < 0.8 * len(held)
    assert leave_alone(question, fitted, [], [], seed=0) == ()


@pytest.mark.slow
def test_where_a_touch_does_nothing_hardly_any_group_is_called_harmful():
    logs, wrong = 200, 0
    for seed in range(logs):
        log = small(seed)
        rng = np.random.default_rng([seed, 1])
        log = replace(log, outcome=rng.permutation(log.outcome))
        mean = np.full((N, 2), log.outcome.mean())
        plain = OutOfFold(fold=np.arange(N) // 2 % 2, outcomes=mean, uplift={}, first=mean)
        question = ask(log, named_strategies(["random"]), DecideConfig())
        groups = [Segments(name, ("a", "b", "c"), rng.integers(3, size=N)) for name in ("score_group", "problem")]
        wrong += any(one.verdict != "keep" for one in leave_alone(question, plain, groups, seed=seed))
    # At most 2.5% of logs; 14 of 200 is the 99.9% binomial bound.
    assert wrong <= 14
