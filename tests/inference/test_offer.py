import leadlift.inference as room


def test_the_offer_is_sorted_and_there():
    assert list(room.__all__) == sorted(room.__all__)
    assert all(hasattr(room, name) for name in room.__all__)


def test_every_function_offered_shows_what_it_returns():
    functions = [getattr(room, name) for name in room.__all__ if name[0].islower()]
    missing = [f.__name__ for f in functions if "Args:" not in f.__doc__ and ">>>" not in f.__doc__]
    assert not missing
