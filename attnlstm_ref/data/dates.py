"""Dates as people write them in 57 languages, and the same in ISO 8601.

    Sonntag, 5. März 2023  ->  2023-03-05      2023年3月5日日曜日  ->  2023-03-05

They are written by `babel==2.18.0` from the Unicode Common Locale Data Repository (CLDR), in the Gregorian
calendar, which is the only one that babel knows, and with the digits 0 to 9, also where other digits are at
home. CLDR has four formats, from short (5.3.2023) to full, with the day of the week.

Left out is what nobody could answer (`answerable`): years of two digits, and dates such as 05/03/2023,
whose first number is the day in one country and the month in another. Of dots and hyphens CLDR makes no such
use: before them stands the day, or the year. What is left has one answer each: a test writes
every day of a leap year in every language and format and finds no text with two meanings. The year stands in every
text, so other years are no different.

There are traps all the same: listopada is October in Croatian and November in Polish.
"""

from __future__ import annotations

import datetime
import functools
import hashlib
import itertools
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import babel
import numpy as np
from babel.dates import format_date

from attnlstm_ref.data.wheels import DataError
from attnlstm_ref.text import PAD_TOKEN, UNK_TOKEN, Vocabulary

# Sixteen scripts. Close kin stand together: Danish and Norwegian, Czech and Slovak, Indonesian and Malay.
LOCALES = (
    *("en", "de", "nl", "sv", "da", "nb", "is", "fr", "es", "ca", "gl", "pt", "it", "ro", "mt", "sq", "ga", "cy"),
    *("lv", "lt", "pl", "cs", "sk", "hr", "fi", "et", "hu", "eu", "tr", "az", "id", "ms", "vi", "sw", "zu"),
    *("ru", "uk", "be", "bg", "mk", "kk", "mn", "el", "ka", "hy"),
    *("he", "ar", "am", "hi", "bn", "ta", "th", "my", "km", "zh", "ja", "ko"),
)
FORMATS = ("short", "medium", "long", "full")
HELD_OUT_LOCALES = ("nb", "sk", "gl", "mk", "ms", "ka")
"""Not learned from. The first five have near kin among the others; Georgian has not even its alphabet there."""
HELD_OUT_FORMATS = ("full",)
"""Not learned from: the days of the week are then words never seen, to be passed over."""

FIRST, LAST = datetime.date(1900, 1, 1), datetime.date(2099, 12, 31)
DAYS = (LAST - FIRST).days + 1

PACKAGE = "babel==2.18.0"
LICENCE = "CLDR: Unicode License v3; babel: BSD-3-Clause"
SHA256 = "063ee82790bc1d627d30c5b384d1a4247d942a831df765aa15484b0ad2b80414"
"""Of what babel writes: every language and format, for days that show every month and every weekday."""

START, END = "<start>", "<end>"
ISO = Vocabulary((PAD_TOKEN, UNK_TOKEN, START, END, *"0123456789-"))
"""The characters of the answers, with marks for a decoder to begin and to stop at."""


class Pair(NamedTuple):
    """One date, written twice; unpacks as `text, iso, locale, format`."""

    text: str
    iso: str
    """YYYY-MM-DD"""
    locale: str
    format: str


class Splits(NamedTuple):
    """Four sets whose dates are all different, and what is new in each besides the dates."""

    train: list[Pair]
    dates: list[Pair]
    """Nothing but the dates: languages and formats as in `train`."""
    locales: list[Pair]
    """Languages that `train` lacks, in the formats that it has."""
    formats: list[Pair]
    """Formats that `train` lacks, in the languages that it has."""


def answerable(locale: str, format: str) -> bool:
    """Whether a date so written says which day is meant, to a reader who is not told the language.

    It must give the year in full, and it must not have slashes between numbers with the year last: so
    written, CLDR has the day first in some languages and the month in others.

    Raises
    ------
    ValueError
        A locale that babel does not know, or another format than the four.
    """
    pattern = _pattern(locale, format)
    if re.search(r"(?<!y)yy(?!y)", pattern):
        return False
    in_words = re.search(r"[ML]{3}", pattern)
    return bool(in_words) or "/" not in pattern or pattern.index("y") < pattern.index("d")


def write(day: datetime.date, locale: str, format: str) -> Pair:
    """One date in one language and format, and its ISO form.

    Raises
    ------
    ValueError
        A locale that babel does not know, another format than the four, a combination that is not `answerable`.
    """
    if not answerable(locale, format):
        raise ValueError(f"format: got {format!r} with {locale!r}, wanted one that says which day is meant")
    return Pair(format_date(day, format, locale=_locale(locale)), day.isoformat(), locale, format)


def pairs(
    rng: np.random.Generator,
    n: int,
    *,
    locales: Sequence[str] = LOCALES,
    formats: Sequence[str] = FORMATS,
    days: Sequence[int] | np.ndarray | None = None,
) -> list[Pair]:
    """Draw dates, and how to write each, evenly and independently.

    Parameters
    ----------
    rng : the source of chance; equal ones draw equal pairs
    n : pairs to draw
    locales, formats : to draw from; every answerable combination is equally likely, so that a language which
        can be read in three of the formats comes more often than one that can in two
    days : to draw from, counted from 1 January 1900; None: all up to 31 December 2099

    Returns
    -------
    n pairs, among them perhaps some twice

    Raises
    ------
    ValueError
        n below 1, no days or days outside the range, locales and formats without an answerable combination,
        or one that babel does not know.
    DataError
        A babel that writes dates otherwise than the pinned one.
    """
    if n < 1:
        raise ValueError(f"n: got {n}, wanted at least 1")
    among = np.arange(DAYS) if days is None else np.asarray(days)
    if among.ndim != 1 or len(among) == 0 or among.dtype.kind not in "iu" or among.min() < 0 or among.max() >= DAYS:
        raise ValueError(f"days: got shape {among.shape} of {among.dtype}, wanted (k,) numbers from 0 to {DAYS - 1}")
    ways = [way for way in itertools.product(locales, formats) if answerable(*way)]
    if not ways:
        raise ValueError(f"formats: got {formats!r} with locales {locales!r}, wanted one that is answerable")
    _check_babel()
    drawn = zip(among[rng.integers(len(among), size=n)], rng.integers(len(ways), size=n), strict=True)
    return [write(FIRST + datetime.timedelta(days=int(day)), *ways[way]) for day, way in drawn]


def splits(
    rng: np.random.Generator,
    n: int,
    n_test: int,
    *,
    locales: Sequence[str] = LOCALES,
    formats: Sequence[str] = FORMATS,
    held_out_locales: Sequence[str] = HELD_OUT_LOCALES,
    held_out_formats: Sequence[str] = HELD_OUT_FORMATS,
) -> Splits:
    """Pairs to learn from, and three sets to test on: new dates, and besides them new languages or new formats.

    The days of the two centuries are dealt out once, seven in ten to `train` and one to each test, so that no
    date of one set is in another, however it is written.

    Parameters
    ----------
    rng : the source of chance
    n, n_test : pairs in `train`, and in each of the tests
    locales, formats : all that may be used
    held_out_locales, held_out_formats : those of them that `train` never has

    Returns
    -------
    Splits

    Raises
    ------
    ValueError
        As `pairs`, or something held out that is not among all, or nothing left to learn from.
    """
    for name, held, every in [
        ("held_out_locales", held_out_locales, locales),
        ("held_out_formats", held_out_formats, formats),
    ]:
        if not held or not set(held) < set(every):
            raise ValueError(f"{name}: got {tuple(held)}, wanted some but not all of {tuple(every)}")
    seen = {
        "locales": [locale for locale in locales if locale not in held_out_locales],
        "formats": [format for format in formats if format not in held_out_formats],
    }
    tenths = np.array_split(rng.permutation(DAYS), 10)
    return Splits(
        train=pairs(rng, n, days=np.concatenate(tenths[3:]), **seen),
        dates=pairs(rng, n_test, days=tenths[0], **seen),
        locales=pairs(rng, n_test, days=tenths[1], **(seen | {"locales": held_out_locales})),
        formats=pairs(rng, n_test, days=tenths[2], **(seen | {"formats": held_out_formats})),
    )


def vocabulary(texts: Iterable[str]) -> Vocabulary:
    """The characters of some texts (the training texts only, or the test leaks in), one token a code point.

    An accent that Unicode writes after its letter is a token of its own, as are the vowel signs of Hindi.
    """
    return Vocabulary.build(list(text) for text in texts)


@functools.cache
def _pattern(locale: str, format: str) -> str:
    """CLDR's pattern without the words in it: "d 'de' MMMM y" -> "d  MMMM y"."""
    if format not in FORMATS:
        raise ValueError(f"format: got {format!r}, wanted one of {', '.join(FORMATS)}")
    return re.sub(r"'[^']*'", "", _locale(locale).date_formats[format].pattern)


@functools.cache
def _locale(name: str) -> babel.Locale:
    try:
        return babel.Locale.parse(name)
    except (babel.UnknownLocaleError, ValueError, TypeError) as error:
        raise ValueError(f"locale: got {name!r}, wanted one that babel knows, such as 'de' or 'pt_BR'") from error


@functools.cache
def _check_babel() -> None:
    """Months and weekdays read as they did when the book was written, or an experiment would not mean the same."""
    if digest() != SHA256:
        raise DataError(f"babel {babel.__version__} does not write dates as {PACKAGE}: python -m pip install {PACKAGE}")


def digest() -> str:
    """SHA-256 of every answerable way to write nineteen days, which show every month and every weekday."""
    days = [datetime.date(2024, month, 29) for month in range(1, 13)] + [datetime.date(1999, 1, d) for d in range(1, 8)]
    ways = [way for way in itertools.product(LOCALES, FORMATS) if answerable(*way)]
    return hashlib.sha256("\n".join(write(day, *way).text for way in ways for day in days).encode()).hexdigest()
