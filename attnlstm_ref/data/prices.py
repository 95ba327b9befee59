"""Daily prices: four shares, and the index of five hundred.

shares
    Apple, Google, IBM and Microsoft, 1 March 2000 (Google: 19 August 2004) to 1 March 2013, out of the
    public-domain collection Quandl WIKI. They come in the wheel `bokeh_sampledata==2026.1`, which is
    downloaded without being installed, since it asks for libraries that the book has no use for.
index
    The S&P 500, 4 January 1999 to 31 December 2018, in `arch==8.0.0`, an ordinary requirement of the
    book. Its table is read as a file; the package is not imported.

Only trading days have a row. What to know before drawing anything:

- Open, high, low and close of a share are what was paid on the day. Apple halves overnight on 21 June 2000
  and on 28 February 2005, Microsoft on 18 February 2003: splits, in which nobody lost anything. `adjusted`
  is the close with splits and dividends taken out, those after 2013 too, so its level is nobody's price: take
  returns from it, and ranges, which compare prices of one day, from the others.
- The index pays no dividends: its `adjusted` is its close.
- In this table the index opens exactly where it closed the day before: on 96 % of the days until the end of
  2005, on 43 % in 2006 and on a quarter in 2012 and 2013. Its night is in the range of the day then, and
  the open says nothing.
- Ranges have outliers. Some happened (the flash crash of 6 May 2010); Microsoft's low of 1 July 2008, 14 per cent
  below that day's open and close, may be a misprint. They are left in: fit models to the logarithms.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from jaxtyping import Float64, Shaped

from attnlstm_ref.data import wheels
from attnlstm_ref.data.wheels import Wheel

SHARES = ("AAPL", "GOOG", "IBM", "MSFT")
INDEX = "SP500"
NAMES = (*SHARES, INDEX)

SHARES_WHEEL = Wheel(
    requirement="bokeh_sampledata==2026.1",
    name="bokeh_sampledata-2026.1-py3-none-any.whl",
    sha256="f40331a40ca30c64a1c1471835aad9006b61b0d9731a3f649ee8cbbf48d3822f",
    megabytes=13,
)
SHARES_MEMBER = "bokeh_sampledata/_data/stocks.csv.gz"
SHARES_LICENCE = "public domain, as Quandl declared its WIKI prices; the package around them is under BSD-3-Clause"

INDEX_PACKAGE = "arch==8.0.0"
INDEX_FILE = "arch/data/sp500/sp500.csv.gz"
INDEX_FILE_SHA256 = "1e028cbb9c400cc018c816ccc439b33c919387e726c3ed5ca2c05c82746059de"
INDEX_LICENCE = "the package is under NCSA; it names no licence of the prices"


@dataclass(frozen=True, eq=False)
class Prices:
    """One series of n trading days, the oldest first; in US dollars, or in points for the index."""

    name: str
    dates: Shaped[np.ndarray, " n"]
    """(n,) datetime64[D]"""
    open: Float64[np.ndarray, " n"]
    high: Float64[np.ndarray, " n"]
    low: Float64[np.ndarray, " n"]
    close: Float64[np.ndarray, " n"]
    adjusted: Float64[np.ndarray, " n"]
    """(n,) the close without splits and dividends: what returns are taken from."""
    provenance: str
    licence: str
    sha256: str
    """Of the wheel that holds the shares, or of the index's file."""

    def __len__(self) -> int:
        return len(self.dates)


def load(name: str = INDEX, *, cache: str | os.PathLike[str] | None = None) -> Prices:
    """Read one series.

    Parameters
    ----------
    name : "AAPL", "GOOG", "IBM", "MSFT" or "SP500"
    cache : where the wheel of the shares (13 MB) is kept; else the environment's `ATTNLSTM_CACHE`, else the
        user's cache

    Returns
    -------
    Prices; the arrays are read-only

    Raises
    ------
    ValueError
        An unknown name.
    DataError
        A package or wheel that is missing, broken or not the expected one, or no network.
    """
    if name not in NAMES:
        raise ValueError(f"name: got {name!r}, wanted one of {', '.join(NAMES)}")
    if name == INDEX:
        rows = _rows(wheels.installed(INDEX_PACKAGE, INDEX_FILE, INDEX_FILE_SHA256))
        dates = [datetime.strptime(row["Date"], "%m/%d/%Y").date() for row in rows]
        return _prices(name, dates, rows, INDEX_PACKAGE, INDEX_LICENCE, INDEX_FILE_SHA256)
    rows = [row for row in _rows(wheels.member(SHARES_WHEEL, SHARES_MEMBER, cache)) if row["Ticker"] == name]
    dates = [datetime.fromisoformat(row["Date"]).date() for row in rows]
    return _prices(name, dates, rows, SHARES_WHEEL.requirement, SHARES_LICENCE, SHARES_WHEEL.sha256)


def log_returns(prices: np.ndarray) -> Float64[np.ndarray, " n_minus_1"]:
    """ln(P_t / P_{t−1}): what was earned from one day to the next, so that days add up.

    Parameters
    ----------
    prices : (n,) above 0, n ≥ 2, such as `Prices.adjusted`; the unadjusted close loses half at every split

    Returns
    -------
    (n − 1,), the first one for the second day

    Raises
    ------
    ValueError
        Another shape, or a price that is not a number above 0.
    """
    series = _positive("prices", prices)
    if len(series) < 2:
        raise ValueError(f"prices: got {len(series)}, wanted at least 2")
    return np.diff(np.log(series))


def parkinson(high: np.ndarray, low: np.ndarray) -> Float64[np.ndarray, " n"]:
    """The variance of each day's returns from its range.

    σ² = ln(H/L)² / (4 ln 2)                                (Parkinson 1980)

    Says as much as five squared returns from open to close, if the price is a random walk without drift that
    is seen all the time. Trading has gaps, so the range is seen a little too small, and so is σ². The night
    is not in it.

    Parameters
    ----------
    high, low : (n,) of the same days

    Returns
    -------
    (n,) daily variances of log returns (0.0001 = a day's standard deviation of one per cent)

    Raises
    ------
    ValueError
        Shapes that differ, a price that is not a number above 0, a high below its low.
    """
    h, low_ = _same_days(high=high, low=low)
    _is_within("low", low_, h)
    return np.log(h / low_) ** 2 / (4 * np.log(2))


def garman_klass(open: np.ndarray, high: np.ndarray, low: np.ndarray, close: np.ndarray) -> Float64[np.ndarray, " n"]:
    """The variance of each day's returns from its range, its open and its close.

    σ² = ½ ln(H/L)² − (2 ln 2 − 1) ln(C/O)²                 (Garman & Klass 1980, their practical estimator)

    Says as much as seven squared returns from open to close, on the same terms as `parkinson`. It is never
    below 0, for the close lies as far from the open as the low from the high, at most.

    Parameters
    ----------
    open, high, low, close : (n,) of the same days

    Returns
    -------
    (n,) daily variances of log returns

    Raises
    ------
    ValueError
        As `parkinson`, and an open or a close outside the day's range.
    """
    o, h, low_, c = _same_days(open=open, high=high, low=low, close=close)
    _is_within("low", low_, h)
    for name, price in {"open": o, "close": c}.items():
        _is_within(name, low_, price)
        _is_within(name, price, h)
    return 0.5 * np.log(h / low_) ** 2 - (2 * np.log(2) - 1) * np.log(c / o) ** 2


def _rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(gzip.decompress(data).decode("utf-8"), newline="")))


def _prices(name: str, dates: list[date], rows: list[dict[str, str]], source: str, licence: str, sha256: str) -> Prices:
    titles = {"open": "Open", "high": "High", "low": "Low", "close": "Close", "adjusted": "Adj Close"}
    columns = {field: np.array([float(row[title]) for row in rows]) for field, title in titles.items()}
    days = np.array(dates, dtype="datetime64[D]")
    for array in (days, *columns.values()):
        array.setflags(write=False)
    return Prices(name, days, **columns, provenance=f"{source}, {name}", licence=licence, sha256=sha256)


def _positive(name: str, values: np.ndarray) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{name}: got shape {array.shape}, wanted (n,)")
    wrong = ~(np.isfinite(array) & (array > 0))
    if wrong.any():
        raise ValueError(f"{name}: got {array[wrong][0]} at {wrong.argmax()}, wanted prices above 0")
    return array


def _same_days(**prices: np.ndarray) -> list[np.ndarray]:
    arrays = {name: _positive(name, values) for name, values in prices.items()}
    first, *others = arrays
    for name in others:
        if len(arrays[name]) != len(arrays[first]):
            raise ValueError(f"{name}: got {len(arrays[name])} days, wanted {len(arrays[first])} as in {first}")
    return list(arrays.values())


def _is_within(name: str, lower: np.ndarray, upper: np.ndarray) -> None:
    wrong = lower > upper
    if wrong.any():
        day = wrong.argmax()
        raise ValueError(
            f"{name}: got prices {lower[day]} > {upper[day]} on day {day}, wanted low ≤ open, close ≤ high"
        )
