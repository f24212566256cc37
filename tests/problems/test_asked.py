import numpy as np
import pandas as pd
import pytest

from leadlift.base.errors import DataError
from leadlift.problems import UNKNOWN, ProblemModel

DEALS = pd.DataFrame({"organisation_id": np.repeat(np.arange(40), 3), "product": list("abcdef") * 20})


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"q": 0}, "`q` is a number in (0, 1)"),
        ({"resolutions": ()}, "`resolutions` are numbers above 0"),
        ({"resolutions": "1"}, "`resolutions` are numbers above 0"),
        ({"resamples": 1}, "`resamples` is a whole number from 2"),
        ({"resamples": 2.5}, "`resamples` is a whole number from 2"),
        ({"stable": 1.1}, "`stable` is a number in (0, 1]"),
        ({"least_products": 2}, "`least_products` is a whole number from 3"),
        ({"error": True}, "`error` is a number in (0, 1)"),
        ({"noise": 1.0}, "`noise` is a number in [0, 1)"),
        ({"concentration": 0}, "`concentration` is a number above 0"),
        ({"concentration": float("nan")}, "`concentration` is a number above 0"),
        ({"most_organisations": 0}, "`most_organisations` is a whole number from 2"),
        ({"most_hidden": "all"}, "`most_hidden` is a whole number from 2"),
        ({"seed": -1}, "`seed` is a whole number in [0, 4,294,967,294]"),
        ({"as_of": "soon"}, "`as_of` is a day or a time"),
        ({"timezone": "Mars"}, "`timezone` is a name of the tz database"),
        ({"returns": "keep"}, '`returns` is "refuse" or "drop"'),
        ({"columns": {"organization": "x"}}, "did you mean `organisation`?"),
    ],
)
def test_settings_that_mean_nothing_are_refused_before_fitting(setting, words):
    with pytest.raises(DataError) as caught:
        ProblemModel(**setting).fit(DEALS)
    assert words in str(caught.value)


def test_all_of_them_are_named_at_once():
    with pytest.raises(DataError, match="3 problems"):
        ProblemModel(q=2, noise=-1, seed=0.5).fit(DEALS)


@pytest.mark.parametrize("previous", ["P1", pd.DataFrame({"product": ["a"]})])
def test_an_earlier_fit_has_products_and_problems(previous):
    with pytest.raises(DataError, match="previous"):
        ProblemModel().fit(DEALS, previous=previous)


@pytest.fixture(scope="module")
def model():
    """Two problems: organisations buy of one half of the products."""
    rng = np.random.default_rng(0)
    kind = rng.integers(2, size=3_000)
    held = rng.random((3_000, 12)) < np.where(kind[:, None] == np.arange(12) // 6, 0.5, 0.05)
    owner, product = np.nonzero(held)
    return ProblemModel(resamples=4).fit(pd.DataFrame({"organisation_id": owner, "product": product}))


def test_who_has_no_deal_yet_is_unknown_whoever_else_has(model):
    assert model.n_problems_ == 2
    none = pd.DataFrame({"organisation_id": ["a"], "product": ["0"], "won": [False]})
    for deals in (none, none.iloc[:0]):
        mixtures = model.transform(deals, ["a", "b"])
        assert mixtures.shape == (2, 2)
        assert mixtures.isna().all(axis=None)
        assert model.predict(deals, ["a", "b"]).tolist() == [UNKNOWN, UNKNOWN]
        with pytest.raises(DataError):
            model.transform(deals)
    # Deals whose organisation nobody knows are a mistake, not organisations without deals.
    with pytest.raises(DataError, match="no-names"):
        model.transform(none.assign(won=True, organisation_id=None), ["a"])


def test_identifiers_are_read_alike_in_deals_and_questions(model):
    deals = pd.DataFrame({"organisation_id": [1.0, 2.0], "product": [0, 6]})
    found = [model.predict(deals, asked).tolist() for asked in ([1, 2, 3], [1.0, 2.0, 3.0], ["1", "2", "3"])]
    assert found[0] == found[1] == found[2]
    assert found[0][0] != found[0][1]
    assert found[0][2] == UNKNOWN
    assert model.transform(deals, []).shape == (0, 2)
    with pytest.raises(DataError, match="list of identifiers"):
        model.transform(deals, "1")


def test_a_number_of_next_products_is_a_number(model):
    deals = pd.DataFrame({"organisation_id": ["a", "a"], "product": ["0", "1"]})
    assert len(model.upsell(deals, most=2)) == 2
    assert model.upsell(deals, most=0).empty
    for wrong in (-1, 1.5, "all"):
        with pytest.raises(DataError, match="`most`"):
            model.upsell(deals, most=wrong)
