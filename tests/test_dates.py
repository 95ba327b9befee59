"""Dates: one answer to each text, the same babel as in the book, and splits that share no date."""

from __future__ import annotations

import datetime
import itertools
import re
import unicodedata
from collections import defaultdict

import babel
import numpy as np
import pytest
from babel import localedata
from hypothesis import given
from hypothesis import strategies as st

from attnlstm_ref.data import dates
from attnlstm_ref.data.wheels import DataError

WAYS = [way for way in itertools.product(dates.LOCALES, dates.FORMATS) if dates.answerable(*way)]
some_days = st.dates(dates.FIRST, dates.LAST)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# --- what is written ---------------------------------------------------------------------------------


def test_babel_writes_what_it_wrote_when_the_book_was_written():
    assert dates.digest() == dates.SHA256


@pytest.mark.parametrize(
    ("locale", "format", "text"),
    [
        ("de", "full", "Sonntag, 5. März 2023"),
        ("ja", "full", "2023年3月5日日曜日"),
        ("vi", "long", "5 tháng 3, 2023"),
        ("hu", "short", "2023. 03. 05."),
        ("eu", "medium", "2023(e)ko mar. 5(a)"),
        ("en", "long", "March 5, 2023"),
    ],
)
def test_a_date_in_some_languages(locale, format, text):
    assert dates.write(datetime.date(2023, 3, 5), locale, format) == (text, "2023-03-05", locale, format)


def test_the_languages():
    assert len(dates.LOCALES) == len(set(dates.LOCALES)) == 57
    counts = {format: sum(f == format for _, f in WAYS) for format in dates.FORMATS}
    assert counts == {"short": 18, "medium": 56, "long": 57, "full": 57}
    months = "".join(dates.write(datetime.date(2023, 5, 1), locale, "long").text for locale in dates.LOCALES)
    scripts = {unicodedata.name(c).split()[0] for c in months if c.isalpha()}
    assert len(scripts - {"CJK"}) == 15 and "CJK" in scripts


def test_no_text_has_two_answers():
    answers = defaultdict(set)
    for k in range(366):
        day = datetime.date(2024, 1, 1) + datetime.timedelta(days=k)
        for way in WAYS:
            pair = dates.write(day, *way)
            answers[pair.text].add(pair.iso)
            assert pair.text == unicodedata.normalize("NFC", pair.text)  # one way to encode it
    assert [text for text, isos in answers.items() if len(isos) > 1] == []
    assert len(answers) > 50_000


@given(some_days, st.sampled_from(WAYS))
def test_the_year_stands_in_every_text_and_other_years_are_no_different(day, way):
    pair = dates.write(day, *way)
    assert pair.iso == f"{day.year}-{day.month:02}-{day.day:02}"
    assert re.findall(r"\d+", pair.text).count(str(day.year)) == 1
    if way[1] != "full" and (day.month, day.day) != (2, 29):
        other = 1900 + (day.year + 51) % 200  # another year, the same words about it
        moved = dates.write(day.replace(year=other), *way).text
        assert moved == pair.text.replace(str(day.year), str(other))


def test_the_month_may_depend_on_the_language_alone():
    polish = dates.write(datetime.date(2023, 11, 5), "pl", "long").text
    croatian = dates.write(datetime.date(2023, 10, 5), "hr", "long").text
    assert (polish, croatian) == ("5 listopada 2023", "5. listopada 2023.")


def test_slashes_are_what_languages_disagree_on():
    """The rule of `answerable`, held against all that CLDR has: where is a number read as a day here, a month there?"""
    orders = defaultdict(set)
    for name, format in itertools.product(localedata.locale_identifiers(), dates.FORMATS):
        pattern = re.sub(r"'[^']*'", "", babel.Locale.parse(name).date_formats[format].pattern).replace("L", "M")
        separators = set(re.findall(r"[/.-]", pattern))
        if len(separators) == 1 and "MMM" not in pattern and not re.search(r"(?<!y)yy(?!y)", pattern):
            orders[separators.pop(), pattern.index("y") < pattern.index("d")].add(
                pattern.index("d") < pattern.index("M")
            )
    assert orders.pop(("/", False)) == {True, False}
    assert len(orders) == 5 and all(len(seen) == 1 for seen in orders.values())


@pytest.mark.parametrize(
    ("locale", "format", "whether"),
    [
        ("en", "short", False),  # 3/5/23
        ("de", "short", False),  # 05.03.23
        ("fr", "short", False),  # 05/03/2023
        ("ar", "medium", False),  # the same, and from right to left
        ("zh", "short", True),  # 2023/3/5
        ("fi", "short", True),  # 5.3.2023
        ("th", "long", True),
    ],
)
def test_what_is_left_out(locale, format, whether):
    assert dates.answerable(locale, format) is whether


def test_another_babel_is_refused(monkeypatch):
    dates._check_babel.cache_clear()
    monkeypatch.setattr(dates, "SHA256", "0" * 64)
    with pytest.raises(DataError, match=r"does not write dates as babel==2\.18\.0: python -m pip install babel"):
        dates.pairs(rng(), 1)


# --- what is drawn -----------------------------------------------------------------------------------


def test_equal_seeds_draw_equal_pairs():
    assert dates.pairs(rng(4), 30) == dates.pairs(rng(4), 30) != dates.pairs(rng(5), 30)


@given(st.integers(0, 99), st.lists(st.sampled_from(dates.LOCALES), min_size=1, max_size=3, unique=True))
def test_pairs_are_what_was_asked_for(seed, locales):
    drawn = dates.pairs(rng(seed), 20, locales=locales, formats=("short", "long"), days=[0, 73_048])
    assert len(drawn) == 20 and {pair.iso for pair in drawn} <= {"1900-01-01", "2099-12-31"}
    for pair in drawn:
        assert pair.locale in locales and pair.format in ("short", "long")
        assert pair == dates.write(datetime.date.fromisoformat(pair.iso), pair.locale, pair.format)


def test_ways_and_days_are_evenly_drawn():
    drawn = dates.pairs(rng(), 19_000, locales=("de", "fi"), formats=("short", "medium", "long", "full"))
    counts = np.array([sum((p.locale, p.format) == way for p in drawn) for way in WAYS if way[0] in ("de", "fi")])
    assert len(counts) == 7 and (abs(counts - 19_000 / 7) < 250).all()  # five standard deviations
    years = np.array([int(p.iso[:4]) for p in drawn])
    assert years.min() == 1900 and years.max() == 2099 and abs(years.mean() - 1999.5) < 2.5


def test_splits_share_no_date_and_hold_out_what_they_say():
    parts = dates.splits(rng(), 3000, 400)
    assert [len(part) for part in parts] == [3000, 400, 400, 400]
    for one, other in itertools.combinations(parts, 2):
        assert not {p.iso for p in one} & {p.iso for p in other}
        assert not {p.text for p in one} & {p.text for p in other}
    seen = set(dates.LOCALES) - set(dates.HELD_OUT_LOCALES)
    for part, locales, formats in [
        (parts.train, seen, {"short", "medium", "long"}),
        (parts.dates, seen, {"short", "medium", "long"}),
        (parts.locales, set(dates.HELD_OUT_LOCALES), {"short", "medium", "long"}),
        (parts.formats, seen, {"full"}),
    ]:
        assert {p.locale for p in part} == locales and {p.format for p in part} == formats
    assert parts == dates.splits(rng(), 3000, 400)


def test_a_new_language_has_letters_of_its_own_only_where_it_is_said():
    train = dates.vocabulary(
        p.text for p in dates.pairs(rng(), 8000, locales=sorted(set(dates.LOCALES) - {*dates.HELD_OUT_LOCALES}))
    )
    unknown = {
        locale: {c for p in dates.pairs(rng(), 300, locales=[locale]) for c in p.text if c not in train}
        for locale in dates.HELD_OUT_LOCALES
    }
    assert len(unknown.pop("ka")) > 15 and all(len(letters) <= 1 for letters in unknown.values())


def test_the_vocabularies_are_of_characters():
    pair = dates.write(datetime.date(2023, 3, 5), "th", "full")
    words = dates.vocabulary([pair.text])
    assert "".join(words.decode(words.encode(list(pair.text)))) == pair.text
    assert all(len(character) == 1 for character in words.words[2:])
    assert dates.ISO.decode(dates.ISO.encode([dates.START, *pair.iso, dates.END]))[1:-1] == list(pair.iso)
    assert len(dates.ISO) == 4 + 11


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dates.answerable("klingon", "full"), "locale: got 'klingon', wanted one that babel knows"),
        (lambda: dates.answerable("", "full"), "locale: got '', wanted one that babel knows"),
        (lambda: dates.answerable("de", "iso"), "format: got 'iso', wanted one of short, medium, long, full"),
        (lambda: dates.write(dates.FIRST, "en", "short"), "format: got 'short' with 'en', wanted one that says which"),
        (lambda: dates.pairs(rng(), 0), "n: got 0, wanted at least 1"),
        (lambda: dates.pairs(rng(), 1, days=[]), r"days: got shape \(0,\) of float64, wanted \(k,\) numbers from 0"),
        (lambda: dates.pairs(rng(), 1, days=[73_049]), "days: got .* wanted .* from 0 to 73048"),
        (lambda: dates.pairs(rng(), 1, days=np.array([0.5])), "days: got shape .* of float64, wanted"),
        (lambda: dates.pairs(rng(), 1, locales=["en"], formats=["short"]), "formats: got .* wanted one that is"),
        (lambda: dates.splits(rng(), 1, 1, held_out_locales=["xx"]), r"held_out_locales: got \('xx',\), wanted some"),
        (
            lambda: dates.splits(rng(), 1, 1, held_out_formats=()),
            r"held_out_formats: got \(\), wanted some but not all",
        ),
        (lambda: dates.splits(rng(), 1, 1, held_out_formats=dates.FORMATS), "held_out_formats: got .* but not all"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
