"""A forecast without leakage: tomorrow's electricity demand, from what could be known at midnight."""

from __future__ import annotations

import numpy as np

from ..question import Concept, Question


def recent(series, span):
    return np.array([series[max(0, t - span + 1) : t + 1].mean() for t in range(len(series))])


def windows(table, length, horizon):
    at = np.arange(length, len(table) - horizon + 1)
    return (
        np.stack([table[t - length : t] for t in at]),
        np.stack([table[t : t + horizon] for t in at]),
        at,
    )


def split(at, horizon, cut):
    return np.flatnonzero(at + horizon <= cut), np.flatnonzero(at >= cut)


def standardised(table, part):
    """`table` with mean and standard deviation of `part`."""
    return (table - part.mean(axis=0)) / part.std(axis=0)


def seasonal_naive(series, at, horizon, period):
    return series[at[:, None] - period + np.arange(horizon) % period]


def mase(predicted, actual, train, period):
    return np.abs(predicted - actual).mean() / stick(train, period)


def stick(train, period):
    return np.abs(train[period:] - train[:-period]).mean()


def direction(predicted, actual, last):
    went, said = np.sign(actual - last), np.sign(predicted - last)
    moved = went != 0
    return int((went == said)[moved].sum()), int(moved.sum())


def softmax(scores, axis=-1):
    e = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def weights(states, future, p, *, axis=-1, step=True, known=True, over=None):
    """Where nothing is hidden; the switches are mistakes."""
    query = step * p["step"] + known * (future @ p["w_future"])
    scores = query @ np.swapaxes(states, 1, 2) / np.sqrt(over or states.shape[-1])
    return softmax(scores, axis)


def without_past(future, p, *, step=True, known=True):
    """What the head makes of the question alone."""
    query = step * p["step"] + known * (future @ p["w_future"])
    return query @ p["w_out"][query.shape[-1] :] + p["bias"]


def always(word):
    """For mistakes that the probe calls by the same word in each case."""
    return lambda *_: word


def beyond(word):
    """For mistakes that show where the horizon is longer than the period."""
    return lambda s, at, h, m: word if h > m else "the last known period"


def reaching(at, horizon, cut, rows):
    """What `learned` says of these positions."""
    return f"from position {rows[0]} on, {at[rows[-1]] + horizon - cut} hours of the test"


# --- the inputs of the cases --------------------------------------------------------------------------------


def series_and_span(rng):
    return [{"series": rng.normal(size=20).cumsum(), "span": span} for span in (3, 5)]


def short_series(rng):
    return [{"series": rng.normal(size=12) + 6, "span": span} for span in (4, 5)]


def tables(rng):
    return [
        {"table": rng.normal(size=(14, 2)), "length": 4, "horizon": 3},
        {"table": rng.normal(size=(9, 3)), "length": 3, "horizon": 2},
    ]


def cuts(rng, horizons=(3, 5)):
    length = int(rng.integers(4, 8))
    return [
        {"at": np.arange(length, length + 30), "horizon": horizon, "cut": length + int(rng.integers(12, 17))}
        for horizon in horizons
    ]


def drifting(rng):
    """One column that goes on to where it never was, so that every leak shows."""
    return [{"table": (rng.normal(size=12) + np.linspace(0, 9, 12) ** 1.3)[:, None], "cut": 7}]


def unlike_columns(rng):
    """As many rows to learn from as columns, so that a wrong axis gives wrong numbers and no error."""
    return [{"table": rng.normal(size=(12, 3)) * [1.0, 10.0, 100.0] + [50.0, 0.0, -5.0], "cut": 3}]


def seasons(rng, horizon, period):
    return [{"series": rng.normal(size=40) + 5, "at": np.array([20, 23, 29]), "horizon": horizon, "period": period}]


def two_forecasts(rng):
    actual = 5 + rng.normal(size=(4, 6))
    sizes = {"predicted": 0.4, "other": 1.5}
    said = {name: actual + size * rng.normal(size=actual.shape) + 0.2 for name, size in sizes.items()}
    return [said | {"actual": actual, "train": rng.normal(size=30), "period": 4}]


def sticks(rng):
    return [{"actual": 5 + rng.normal(size=(4, 6)), "train": 9 + 2 * rng.normal(size=30), "period": 4}]


def days(rng):
    """Three runs of days; some forecasts say "no change" before a fall, fewer before a rise."""
    found = []
    for n in (15, 22, 31):
        last = 7 + rng.normal(size=n).round(1)
        actual = last + rng.choice([-0.5, -0.25, 0.25, 0.5], size=n)
        actual[:6] = last[:6] + np.repeat([-0.5, 0.5], [4, 2])
        predicted = actual + rng.normal(size=n)
        predicted[:6] = last[:6]
        found.append({"predicted": predicted, "actual": actual, "last": last})
    return found


def still_days(rng):
    (case,) = days(rng)[:1]
    case["actual"][6:9] = case["last"][6:9]
    case["predicted"][6] = case["last"][6]
    return [case]


def pasts(rng, batches=(3, 3)):
    """As many pasts as hours ahead, so that a mask without an axis for those costs nothing where nothing is hidden."""
    return [
        {
            "states": rng.normal(size=(batch, steps, 4)),
            "future": rng.normal(size=(batch, 3, 2)),
            "mask": np.ones((batch, steps), dtype=bool),
            "p": {
                "step": rng.normal(size=(3, 4)),
                "w_future": rng.normal(size=(2, 4)),
                "w_out": rng.normal(size=8),
                "bias": rng.normal(size=1),
            },
        }
        for batch, steps in zip(batches, (6, 5), strict=True)
    ]


def read_alike(rng):
    cases = pasts(rng)
    for case in cases:
        case["p"]["w_out"][4:] = case["p"]["w_out"][:4]
    return cases


def gaps(rng):
    """No past is empty or full, no two are alike, and each hour was recorded in one of them at least."""
    cases = pasts(rng)
    for case in cases:
        mask = rng.random(case["mask"].shape) < 0.6
        for t in range(mask.shape[1]):
            mask[t % 3, t] = True
        for row in range(3):
            mask[row, (row + 1) % 3] = False
        case["mask"] = mask
    return cases


CHAPTER = "See chapter 11, "

QUESTIONS = (
    Question(
        "recent",
        recent,
        (
            Concept(
                "back",
                "it looks back only, over the right number of values",
                1,
                series_and_span,
                {
                    "The mean is centred: half of its values are still to come. Take the last `span` values, of which "
                    "the value itself is the newest.": lambda s, n: np.convolve(s, np.full(n, 1 / n), "same")[n:-n],
                    "The mean looks ahead: it begins with the value itself and takes in what is still to come.": (
                        lambda s, n: np.array([s[t : t + n].mean() for t in range(n, len(s) - n)])
                    ),
                    "The value itself is left out; it is the last of the `span` values.": (
                        lambda s, n: np.array([s[t - n : t].mean() for t in range(n, len(s) - n)])
                    ),
                    "One value too many is in the mean: `span` of them, the value itself included.": (
                        lambda s, n: np.array([s[t - n : t + 1].mean() for t in range(n, len(s) - n)])
                    ),
                    "One value too few is in the mean: `span` of them, the value itself included.": (
                        lambda s, n: np.array([s[t - n + 2 : t + 1].mean() for t in range(n, len(s) - n)])
                    ),
                    "The mean is over everything so far; only the last `span` values should be in it.": (
                        lambda s, n: np.array([s[: t + 1].mean() for t in range(n, len(s) - n)])
                    ),
                },
                CHAPTER + "“Five leaks, and what each is worth”.",
                answer=lambda s, n: recent(s, n)[n:-n],
                probe="inside",
            ),
            Concept(
                "start",
                "at the beginning it takes the mean of what there is",
                1,
                short_series,
                {
                    "At the beginning it divides by `span`, as if the series had been 0 before: divide by the number "
                    "of values there are.": always("too little of them"),
                    "The first values have none: take the mean of those there are.": always("nothing"),
                    "The first values are left at 0: take the mean of those there are.": always("zeros"),
                    "The first values are handed on as they are: take the mean of those there are so far.": always(
                        "each value itself"
                    ),
                    "The first full mean is given to all hours before it, which could not have known it: take the mean "
                    "of those there are so far.": always("the first full mean"),
                    "At the beginning the values do not count evenly: take the plain mean of those there are.": always(
                        "an uneven mean"
                    ),
                },
                "See the example by hand; the mean over 24 hours is that of chapter 11, “The bar”.",
                answer=always("the mean of what there is"),
                probe="beginning",
            ),
        ),
    ),
    Question(
        "windows",
        windows,
        (
            Concept(
                "target",
                "the inputs end where the hours ahead begin",
                2,
                tables,
                {
                    "The first hour to be forecast is already among the inputs: the hours ahead begin one too "
                    "early.": lambda x, n, h: (x[:n], x[n - 1 : n - 1 + h]),
                    "The inputs end one hour too late: they hold the first hour that is to be forecast.": (
                        lambda x, n, h: (x[1 : n + 1], x[n : n + h])
                    ),
                    "The inputs have one hour too many: the last of them is to be forecast.": lambda x, n, h: (
                        x[: n + 1],
                        x[n : n + h],
                    ),
                    "An hour is left out between the inputs and the hours ahead.": lambda x, n, h: (
                        x[:n],
                        x[n + 1 : n + 1 + h],
                    ),
                    "The hours ahead are one too few: `horizon` of them are wanted.": lambda x, n, h: (
                        x[:n],
                        x[n : n + h - 1],
                    ),
                    "The hours ahead are one too many: `horizon` of them are wanted.": lambda x, n, h: (
                        x[:n],
                        x[n : n + h + 1],
                    ),
                    "Only the last of the hours ahead is there; all `horizon` of them are wanted.": lambda x, n, h: (
                        x[:n],
                        x[n + h - 1],
                    ),
                    "Only column 0 lies ahead; all columns are wanted.": lambda x, n, h: (x[:n], x[n : n + h, 0]),
                    "Inputs and hours ahead have changed places.": lambda x, n, h: (x[n : n + h], x[:n]),
                },
                CHAPTER + "“Five leaks, and what each is worth”.",
                answer=lambda x, n, h: (x[:n], x[n : n + h]),
                probe="first_window",
            ),
            Concept(
                "every",
                "there is a window wherever one fits",
                1,
                tables,
                {
                    "The last window is missing: it ends with the last row of the table.": lambda x, n, h: (
                        (len(x) - n - h,) * 3
                    ),
                    "The windows do not overlap; one should begin at every hour.": lambda x, n, h: (
                        (len(range(0, len(x) - n - h + 1, n)),) * 3
                    ),
                    "Each window begins a whole horizon after the one before; one should begin at every hour.": (
                        lambda x, n, h: (len(range(0, len(x) - n - h + 1, h)),) * 3
                    ),
                    "Each window begins where the one before has ended; one should begin at every hour.": (
                        lambda x, n, h: (len(range(0, len(x) - n - h + 1, n + h)),) * 3
                    ),
                    "The last windows reach past the end of the table.": lambda x, n, h: (len(x) - n,) * 3,
                },
                CHAPTER + "“The networks”: windows begin at every hour there.",
                answer=lambda x, n, h: (len(x) - n - h + 1,) * 3,
                probe="how_many",
            ),
            Concept(
                "at",
                "`at` is the first hour to be forecast",
                1,
                tables,
                {
                    "`at` says where each window begins; wanted is the first hour that is to be forecast.": (
                        lambda x, n, h: 0
                    ),
                    "`at` is the last hour that is known; wanted is the first to be forecast, one later.": (
                        lambda x, n, h: n - 1
                    ),
                    "`at` is the last hour to be forecast; wanted is the first.": lambda x, n, h: n + h - 1,
                },
                "See the example by hand; what is known at midnight, and what is not, says chapter 11, “The bar”.",
                answer=lambda x, n, h: n,
                probe="first_hour",
            ),
        ),
    ),
    Question(
        "split",
        split,
        (
            Concept(
                "before",
                "nothing that is learned from reaches over the cut",
                2,
                cuts,
                {
                    "The last windows to learn from reach over the cut: they begin before it, but some of their hours "
                    "ahead are the test's.": lambda at, h, cut: reaching(at, h, cut, np.flatnonzero(at < cut)),
                    "One window too many: the last hour ahead of the last one to learn from is hour `cut` itself.": (
                        lambda at, h, cut: reaching(at, h, cut, np.flatnonzero(at + h <= cut + 1))
                    ),
                    "These are the hours of the windows; their positions are wanted, 0 for the first.": (
                        lambda at, h, cut: reaching(at, h, cut, at[at + h <= cut])
                    ),
                    "The cut is taken for a position; it is an hour, as those in `at` are.": lambda at, h, cut: (
                        reaching(at, h, cut, np.flatnonzero(np.arange(len(at)) + h <= cut))
                    ),
                },
                CHAPTER + "“Walk forward”.",
                answer=always("no hour of the test"),
                probe="learned",
            ),
            Concept(
                "rest",
                "it is tested from the cut on, and no window is wasted",
                1,
                lambda rng: cuts(rng, (1, 4)),
                {
                    "Windows from before the cut are tested on, and some from after it are not: time has been "
                    "shuffled.": always("tests on some from before the cut and not on all after it"),
                    "Some tested windows begin before the cut, with hours ahead on both sides; they belong to neither "
                    "part.": lambda at, h, cut: "tests on some from before the cut" if h > 1 else "all in place",
                    "Some tested windows begin before the cut.": always("tests on some from before the cut"),
                    "The window that begins at the cut is not tested on; all of its hours ahead lie in the test.": (
                        always("does not test on all")
                    ),
                    "Some windows that begin at the cut or later are not tested on: all of their hours ahead lie in "
                    "the test, and their inputs may reach back before the cut.": lambda at, h, cut: (
                        "does not test on all" if h > 1 else "all in place"
                    ),
                    "A window that ends right before the cut, at hour `cut` − 1, is not learned from. No leak, but it "
                    "is wasted.": lambda at, h, cut: "all in place" if h > 1 else "does not learn from all",
                    "These are no positions: there are fewer windows. Positions are wanted, 0 for the first.": always(
                        "no positions"
                    ),
                },
                CHAPTER + "“Walk forward”.",
                answer=always("all in place"),
                probe="placed",
            ),
        ),
    ),
    Question(
        "scaler",
        standardised,
        (
            Concept(
                "before",
                "mean and spread come from before the cut",
                2,
                drifting,
                {
                    "Mean and spread come from the whole table, the test's hours too; nobody could have known them at "
                    "the cut.": lambda x, cut: standardised(x, x),
                    "Mean and spread come from the test part: take the rows *before* the cut.": lambda x, cut: (
                        standardised(x, x[cut:])
                    ),
                    "The row `cut` itself is taken in; it is the first of the test.": lambda x, cut: standardised(
                        x, x[: cut + 1]
                    ),
                    "Each part is scaled by its own mean and spread; the test must be scaled by those of the part "
                    "before the cut.": lambda x, cut: np.concatenate(
                        [standardised(x[:cut], x[:cut]), standardised(x[cut:], x[cut:])]
                    ),
                    "The table is brought to between 0 and 1; divide by the standard deviation instead.": (
                        lambda x, cut: (x - x[:cut].min(axis=0)) / np.ptp(x[:cut], axis=0)
                    ),
                    "It is divided by the variance; the standard deviation is its root.": lambda x, cut: (
                        (x - x[:cut].mean(axis=0)) / x[:cut].var(axis=0)
                    ),
                    "The standard deviation divides by n − 1 here; NumPy's `std` divides by n.": lambda x, cut: (
                        (x - x[:cut].mean(axis=0)) / x[:cut].std(axis=0, ddof=1)
                    ),
                    "The mean comes from before the cut, but the spread from the whole table.": lambda x, cut: (
                        (x - x[:cut].mean(axis=0)) / x.std(axis=0)
                    ),
                    "The spread is taken along the wrong axis, over the columns of each hour; it should be over the "
                    "hours of each column (axis=0).": lambda x, cut: (x - x[:cut].mean(axis=0)) / x[:cut].std(axis=1),
                    "Mean and spread are taken along the wrong axis, over the columns of each hour; they should be "
                    "over the hours of each column (axis=0).": lambda x, cut: (
                        (x - x[:cut].mean(axis=1)) / x[:cut].std(axis=1)
                    ),
                    "Only the rows before the cut come back; all rows should be scaled.": lambda x, cut: standardised(
                        x[:cut], x[:cut]
                    ),
                },
                CHAPTER + "“Five leaks, and what each is worth”.",
                answer=lambda x, cut: standardised(x, x[:cut]),
                probe="scaled",
            ),
            Concept(
                "columns",
                "each column is scaled by its own",
                1,
                unlike_columns,
                {
                    "How a column is scaled depends on the other columns: each should have a mean and a spread of its "
                    "own, over the hours (axis=0).": always("by others, too"),
                },
                CHAPTER + "“Five leaks, and what each is worth”.",
                answer=always("by its own"),
                probe="each_column_alone",
            ),
            Concept(
                "back",
                "forecasts come back in the units of the table",
                1,
                unlike_columns,
                {
                    "The forecasts stay in scaled units, and would be compared with gigawatts.": lambda x, cut: (
                        standardised(x, x[:cut])[:, 0].reshape(-1, 3)
                    ),
                    "`back` multiplies by the spread, but does not add the mean.": lambda x, cut: (
                        x[:, 0] - x[:cut, 0].mean()
                    ).reshape(-1, 3),
                    "`back` goes back in the wrong order: first times the spread, then plus the mean.": lambda x, cut: (
                        (standardised(x, x[:cut])[:, 0] + x[:cut, 0].mean()) * x[:cut, 0].std()
                    ).reshape(-1, 3),
                    "`back` scales once more, where it should undo the scaling.": lambda x, cut: (
                        (standardised(x, x[:cut])[:, 0] - x[:cut, 0].mean()) / x[:cut, 0].std()
                    ).reshape(-1, 3),
                    "`back` uses the mean and the spread of another column; forecasts are of column 0.": (
                        lambda x, cut: (
                            standardised(x, x[:cut])[:, 0].reshape(-1, 3) * x[:cut, -1].std() + x[:cut, -1].mean()
                        )
                    ),
                    "`back` uses the means and spreads of all columns; all forecasts are of column 0, whatever shape "
                    "they come in.": lambda x, cut: (
                        standardised(x, x[:cut])[:, 0].reshape(-1, 3) * x[:cut].std(axis=0) + x[:cut].mean(axis=0)
                    ),
                    "What comes back second is not a function: `back` should be one, which takes forecasts.": always(
                        "no function"
                    ),
                },
                "See the example by hand, and `inverse_transform` in chapter 11, “The plot that flatters”.",
                answer=lambda x, cut: x[:, 0].reshape(-1, 3),
                probe="there_and_back",
            ),
        ),
    ),
    Question(
        "seasonal_naive",
        seasonal_naive,
        (
            Concept(
                "lag",
                "each hour is forecast by the one a period before it",
                1,
                lambda rng: seasons(rng, 6, 7) + seasons(rng, 4, 4) + seasons(rng, 8, 3),
                {
                    "It is a whole period late: the last period is known, and this is the one before it.": (
                        lambda s, at, h, m: s[at[:, None] + np.arange(min(h, m)) - 2 * m]
                    ),
                    "It is one hour early: hour `at` itself is the first to be forecast, so begin at `at` − "
                    "`period`.": lambda s, at, h, m: s[at[:, None] + np.arange(min(h, m)) - m - 1],
                    "It is one hour late: hour `at` itself is the first to be forecast, so begin at `at` − "
                    "`period`.": lambda s, at, h, m: s[at[:, None] + np.arange(min(h, m)) - m + 1],
                    "This repeats the last known value, which is persistence; the period has no effect.": (
                        lambda s, at, h, m: np.repeat(s[at - 1][:, None], min(h, m), axis=1)
                    ),
                    "The value one period before hour `at` stands for all hours ahead; each has its own.": (
                        lambda s, at, h, m: np.repeat(s[at - m][:, None], min(h, m), axis=1)
                    ),
                    "These are the hours ahead themselves, the truth.": lambda s, at, h, m: s[
                        at[:, None] + np.arange(min(h, m))
                    ],
                    "This goes `horizon` hours back; wanted are `period` hours.": lambda s, at, h, m: s[
                        at[:, None] + np.arange(min(h, m)) - h
                    ],
                    "A whole period comes back, however many hours are wanted: where the horizon is shorter, only its "
                    "first hours are.": lambda s, at, h, m: s[at[:, None] + np.arange(m) - m],
                },
                CHAPTER + "“The bar”.",
                answer=lambda s, at, h, m: s[at[:, None] + np.arange(min(h, m)) - m],
                probe="first_period",
            ),
            Concept(
                "known",
                "the last known period is repeated to the end of the horizon",
                1,
                lambda rng: seasons(rng, 8, 3) + seasons(rng, 5, 1) + seasons(rng, 3, 5),
                {
                    "Beyond one period it takes hours that are still to come: hour `at` and later are not known. "
                    "Repeat the last known period.": beyond("hours still to come"),
                    "It takes hours that are still to come: hour `at` itself is not known.": always(
                        "hours still to come"
                    ),
                    "The forecasts end after one period, before the horizon does: repeat the last known period.": (
                        beyond("too few hours")
                    ),
                    "Beyond one period there are NaN: repeat the last known period.": beyond("NaN"),
                    "It looks at nothing that is still to come, but beyond one period it does not repeat the last "
                    "known one.": beyond("something else"),
                },
                "See the example by hand; which hours are known says chapter 11, “The bar”.",
                answer=always("the last known period"),
                probe="beyond_a_period",
            ),
        ),
    ),
    Question(
        "mase",
        mase,
        (
            Concept(
                "errors",
                "errors count by their size",
                1,
                two_forecasts,
                {
                    "The errors are squared; absolute ones are wanted.": lambda a, b, y, x, m: (
                        ((a - y) ** 2).mean() / ((b - y) ** 2).mean()
                    ),
                    "This is the root of the mean square; the mean of the absolute errors is wanted.": (
                        lambda a, b, y, x, m: np.sqrt(((a - y) ** 2).mean() / ((b - y) ** 2).mean())
                    ),
                    "The errors keep their signs, so that too high and too low cancel: take absolute values before "
                    "the mean.": lambda a, b, y, x, m: (a - y).mean() / (b - y).mean(),
                    "The errors keep their signs until after the mean, so that too high and too low cancel.": (
                        lambda a, b, y, x, m: np.abs((a - y).mean() / (b - y).mean())
                    ),
                    "The errors are divided by the truth (that is a percentage); leave them in their units.": (
                        lambda a, b, y, x, m: np.abs((a - y) / y).mean() / np.abs((b - y) / y).mean()
                    ),
                },
                CHAPTER + "“Five prices and a pencil”.",
                answer=lambda a, b, y, x, m: np.abs(a - y).mean() / np.abs(b - y).mean(),
                probe="ratio",
            ),
            Concept(
                "scale",
                "the stick is the seasonal rule's error where was learned",
                2,
                sticks,
                {
                    "The stick is cut from the test: its differences are those of `actual`. Take `train`.": (
                        lambda y, x, m: 1 / stick(y.ravel(), m)
                    ),
                    "The stick is persistence's error, from one hour to the next; wanted is the difference of values "
                    "one `period` apart.": lambda y, x, m: 1 / stick(x, 1),
                    "The stick is squared; the mean *absolute* difference is wanted.": lambda y, x, m: (
                        1 / ((x[m:] - x[:-m]) ** 2).mean()
                    ),
                    "The stick is the root of a mean square; the mean *absolute* difference is wanted.": (
                        lambda y, x, m: 1 / np.sqrt(((x[m:] - x[:-m]) ** 2).mean())
                    ),
                    "The stick is the standard deviation of the series; wanted is the mean absolute difference of "
                    "values one `period` apart.": lambda y, x, m: 1 / x.std(),
                    "The stick is the mean of the series; wanted is the mean absolute difference of values one "
                    "`period` apart.": lambda y, x, m: 1 / np.abs(x).mean(),
                    "The differences are taken `period` times (np.diff's second argument is how often); wanted are "
                    "those of values one `period` apart.": lambda y, x, m: 1 / np.abs(np.diff(x, m)).mean(),
                    "Nothing divides the error: this is the mean absolute error.": lambda y, x, m: 1.0,
                    "The error is multiplied by the stick; divide by it.": lambda y, x, m: stick(x, m),
                    "The errors are added up; their mean is wanted.": lambda y, x, m: y.size / stick(x, m),
                },
                CHAPTER + "“The bar”.",
                answer=lambda y, x, m: 1 / stick(x, m),
                probe="of_one",
            ),
        ),
    ),
    Question(
        "direction",
        direction,
        (
            Concept(
                "side",
                "up and down are seen from the last value",
                1,
                days,
                {
                    "Up and down are seen from 0: every demand is above it. Compare with `last`.": lambda a, y, x: (
                        int((np.sign(a) == np.sign(y)).sum()),
                        len(y),
                    ),
                    "Each forecast is compared with the forecast before it; compare with `last`.": lambda a, y, x: (
                        int((np.sign(np.diff(a)) == np.sign(np.diff(y))).sum()),
                        len(y) - 1,
                    ),
                    "A forecast of no change counts as right where the truth fell; it lies on neither side.": (
                        lambda a, y, x: (int(((a > x) == (y > x)).sum()), len(y))
                    ),
                    "A forecast of no change counts as right where the truth rose; it lies on neither side.": (
                        lambda a, y, x: (int(((a >= x) == (y >= x)).sum()), len(y))
                    ),
                    "A forecast of no change counts as right; it lies on neither side.": lambda a, y, x: (
                        int(((a - x) * (y - x) >= 0).sum()),
                        len(y),
                    ),
                    "This is the share of right days; wanted are two numbers, how many and of how many.": (
                        lambda a, y, x: direction(a, y, x)[0] / len(y)
                    ),
                    "The first number counts what is wrong; wanted is how many are right.": lambda a, y, x: (
                        len(y) - direction(a, y, x)[0],
                        len(y),
                    ),
                    "The two numbers have changed places: first how many are right, then of how many.": (
                        lambda a, y, x: direction(a, y, x)[::-1]
                    ),
                },
                CHAPTER + "“Come closer”.",
            ),
            Concept(
                "still",
                "a day without a direction is not counted",
                1,
                still_days,
                {
                    "Days on which the truth equals `last` are counted; they have no direction.": lambda a, y, x: len(
                        y
                    ),
                    "Days are left out on which the *forecast* equals `last`, too; those are counted, as wrong.": (
                        lambda a, y, x: int(((y != x) & (a != x)).sum())
                    ),
                    "Days are left out on which the *forecast* equals `last`; it is the truth that counts.": (
                        lambda a, y, x: int((a != x).sum())
                    ),
                    "This is one number; wanted are two, how many are right and of how many.": always("one number"),
                },
                CHAPTER + "“Come closer”.",
                answer=lambda a, y, x: int((y != x).sum()),
                probe="counted",
            ),
        ),
    ),
    Question(
        "forecast",
        weights,
        (
            Concept(
                "weights",
                "each hour ahead asks all the hours of its past",
                2,
                pasts,
                {
                    "The softmax runs over the batch, the first axis; it should run over the hours of the past, the "
                    "last.": lambda h, f, m, p: weights(h, f, p, axis=0),
                    "The softmax runs over the hours ahead; it should run over the hours of the past, the last "
                    "axis.": lambda h, f, m, p: weights(h, f, p, axis=1),
                    "The scores are not divided by √S.": lambda h, f, m, p: weights(h, f, p, over=1),
                    "The scores are divided by S; its root is wanted.": lambda h, f, m, p: weights(
                        h, f, p, over=h.shape[-1] ** 2
                    ),
                    "The scores are divided by the root of the number of hours; wanted is √S, the size of a state.": (
                        lambda h, f, m, p: weights(h, f, p, over=h.shape[1])
                    ),
                    "The question lacks its learned part, p['step'].": lambda h, f, m, p: weights(h, f, p, step=False),
                    "The question lacks what is known of the hour ahead.": lambda h, f, m, p: weights(
                        h, f, p, known=False
                    ),
                    "Outputs and weights have changed places: outputs first, then weights.": lambda h, f, m, p: (
                        np.concatenate([weights(h, f, p) @ h, p["step"] + f @ p["w_future"]], axis=-1) @ p["w_out"]
                        + p["bias"]
                    ),
                },
                CHAPTER + "“A question for each step ahead”, and for √S chapter 5, “Why divide by √d?”.",
                answer=lambda h, f, m, p: weights(h, f, p),
                probe="weights",
            ),
            Concept(
                "mask",
                "hours without a record are not looked at",
                1,
                gaps,
                {
                    "The mask is upside down: it hides what was recorded. True means *look*.": always("upside down"),
                    "The mask is put on after the softmax, in which the hidden hours have taken their share already. "
                    "Mask the scores.": always("too late"),
                    "A hidden hour keeps a score like any other (0, perhaps, and e⁰ = 1), and so a weight: its score "
                    "should be minus infinity.": always("a common score"),
                    "The rows of the mask go to the hours ahead and not to the pasts: (B, T) needs an axis for the "
                    "hours ahead, (B, 1, T).": always("another's mask"),
                    "There are NaN among the weights: 0 · ∞ makes one, and so does a softmax of nothing but minus "
                    "infinities. It should run over the hours of one past, of which one at least was recorded.": (
                        always("NaN")
                    ),
                    "The weights over the hours of a past do not add up to 1, and hidden hours have some.": always(
                        "no sum of 1"
                    ),
                    "The mask has no effect, or not enough: hidden hours have weights, and move the others'.": always(
                        "looked at"
                    ),
                },
                "See chapter 4, “Entries that are not there”.",
                answer=always("hidden"),
                probe="under_mask",
            ),
            Concept(
                "context",
                "the past reaches the forecast by its weights",
                1,
                read_alike,
                {
                    "The past does not reach the forecasts: the head should read the context, Σ α h, as well.": always(
                        "nothing"
                    ),
                    "The part of the past in a forecast is not Σ α h, the states averaged by the weights.": always(
                        "something else"
                    ),
                },
                CHAPTER + "“A question for each step ahead”.",
                answer=always("Σ α h"),
                probe="context",
            ),
            Concept(
                "head",
                "the head reads context and question, in this order",
                1,
                pasts,
                {
                    "The question stands before the context: [c; q] has the context first.": lambda h, f, m, p: (
                        (p["step"] + f @ p["w_future"]) @ p["w_out"][: h.shape[-1]] + p["bias"]
                    ),
                    "The head reads the context alone; the question should stand beside it.": lambda h, f, m, p: (
                        np.zeros(f.shape[:2]) + p["bias"]
                    ),
                    "The bias is missing.": lambda h, f, m, p: without_past(f, p) - p["bias"],
                    "Beside the context stands only what is known of the hour ahead, without p['step'].": (
                        lambda h, f, m, p: without_past(f, p, step=False)
                    ),
                    "Beside the context stands only p['step'], without what is known of the hour ahead.": (
                        lambda h, f, m, p: without_past(f, p, known=False)
                    ),
                    "An axis of 1 is left over at the end: outputs should be (B, Tq).": lambda h, f, m, p: without_past(
                        f, p
                    )[..., None],
                },
                CHAPTER + "“A question for each step ahead”.",
                answer=lambda h, f, m, p: without_past(f, p),
                probe="without_past",
            ),
            Concept(
                "gradient",
                "what is learned can be learned: the gradient reaches it",
                1,
                pasts,
                {
                    "No gradient reaches the parameters or the states, so that nothing is learned: use the framework's "
                    "own operations, without NumPy, `.detach()` or `.item()`.": always("nothing"),
                    "The gradient does not reach all of the parameters and the states: somewhere between them and the "
                    "answer it is cut, by NumPy, `.detach()` or `.item()`.": always("not all"),
                },
                "See how it is written in chapter 4, “The same in PyTorch and Keras”.",
                answer=always("all"),
                probe="reached",
            ),
        ),
        framework=True,
    ),
)
