"""Tomorrow's electricity demand: what does an Attention-LSTM add to a linear regression, and where does it look?

Victoria, half-hours, 2012 and 2013 to learn from, all of 2014 to be tested on. Once a day, at midnight in summer time
(23:00 else: the same moment every day, by a clock that is never put forward), the next 24 hours are forecast from the
last seven days. An hour is a step, its two half-hours are two features and two outputs. The temperature of the hours to
come is the one that was measured later: a perfect weather forecast, for every model alike that has one.

Models without a seed, fitted by least squares; what each has more than the one before:

yesterday         the same half-hour a day ago; `last week` a week ago
calendar          30 features of the calendar and the products of their pairs
temperature       splines of the temperature, its mean over a day, and products with the time of day
lags              the demand a day and a week ago
whole week        in place of the two lags all that `temperature` got wrong in the 336 half-hours before, by a ridge
                  regression for each half-hour ahead: a linear model that reads what the networks read

Networks, five seeds each. All read the week with a BiLSTM, are told of each hour to come the calendar and the
temperature, and give the 5, 50 and 95 % quantiles of both half-hours (pinball loss, Koenker & Bassett 1978):

last state        the two last states, one of each direction
last state, MLP   these and each hour's question through a hidden layer, as in MQ-RNN (Wen et al. 2017): without it
                  what is told of an hour to come can't act on what was read, for the head is linear
mean              the mean of all states: uniform weights
attention         each hour to come asks the states its own question; dot products
no temperature    likewise, with the calendar only
multi-head        four heads, over two layers with residual connections and LayerNorm
hybrid            attention that forecasts what `whole week` leaves

Asked beforehand, all on 2014: (1) Is `attention` better than `lags` and than `whole week`, day by day? (2) Is it better
than the three without? (3) What is the temperature worth? (4) Do the weights show ridges, that is: is the share
on hours a whole number of days before the one forecast larger than the 1/24 of an even spread? (5) Do nine in ten
half-hours lie between the outer quantiles, over the year, by season, in the heat wave of 14 to 17 January; and after a
repair on the validation weeks (conformalised quantile regression, Romano et al. 2019)?

Thirteen whole weeks, spread over 2012 and 2013, are for validation: no network learns from a forecast of an hour in
them, and they say when to stop. They chose the settings, too; but the trials printed 2014's errors beside theirs, so
2014 was not unseen when these questions were put. `last state, MLP` was added when the first run of `last state` had
been seen, whose head lacks what the attention has.

    python -m experiments.demand            # about 40 minutes on one core; finished runs are kept
    python -m experiments.demand --smoke    # seconds, writes nothing
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.linear_model import Ridge
from sklearn.preprocessing import PolynomialFeatures, SplineTransformer
from torch import Tensor, nn

from attnlstm_ref.data import demand
from attnlstm_ref.torch import AttentionForecaster, fit
from attnlstm_ref.torch.train import Batch
from experiments import _runs

RESULT = Path(__file__).parent / "results" / "demand.json"
SEEDS = (1, 2, 3, 4, 5)
LINEAR = ("yesterday", "last week", "calendar", "temperature", "lags", "whole week")
NETWORKS = ("last state", "last state, MLP", "mean", "attention", "no temperature", "multi-head", "hybrid")
POOLED = ("last state", "last state, MLP", "mean")
QUANTILES = (0.05, 0.5, 0.95)
HOURS, AHEAD = 168, 24  # read, forecast
TRAIN_DAYS = 731  # of 2012 and 2013, all from 13:00 to 13:00 UTC
TRAIN_HOURS = 24 * TRAIN_DAYS
HEAT_WAVE = slice(13, 17)  # days of 2014
SEASONS = {"summer": (12, 1, 2), "autumn": (3, 4, 5), "winter": (6, 7, 8), "spring": (9, 10, 11)}
HIDDEN, HEADS, DROPOUT = 32, 4, 0.1
EPOCHS, ORIGINS, BATCH, RATE, PATIENCE, PLATEAU = 48, 1024, 32, 5e-3, 10, (0.5, 3)


# --- what is known ----------------------------------------------------------------------------------


class Known(NamedTuple):
    """n half-hours, what they were like; N = n/2 hours."""

    demand: np.ndarray
    """(n,) MW"""
    calendar: np.ndarray
    """(n, 30)"""
    warmth: np.ndarray
    """(n, F) functions of the temperature: splines, their products with two waves a day, the mean over a day"""
    temperature: np.ndarray
    """(n,) °C"""
    month: np.ndarray
    """(days,) of 2014, by the wall clock at noon: 1 for January"""
    weekday: np.ndarray
    """(days,) 0 for Monday"""


def products(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Each column of one times each of the other."""
    return (a[:, :, None] * b[:, None, :]).reshape(len(a), -1)


def by_hour(values: np.ndarray) -> np.ndarray:
    """(n, …) half-hours to (n/2, 2, …)."""
    return values.reshape(-1, 2, *values.shape[1:])


@functools.cache
def known() -> Known:
    """Read the series and make its features; splines have their knots from the two years to learn from."""
    series, cut = demand.load(), 2 * TRAIN_HOURS
    calendar, names = demand.calendar(series.local, series.holiday)
    waves = calendar[:, [i for i, name in enumerate(names) if name.endswith(("1/day", "2/day"))]]
    day = np.convolve(np.pad(series.temperature, (47, 0), mode="edge"), np.full(48, 1 / 48), mode="valid")
    splines = []
    for values, knots in ((series.temperature, 8), (day, 5)):
        spline = SplineTransformer(knots, include_bias=False, extrapolation="linear").fit(values[:cut, None])
        splines.append(spline.transform(values[:, None]))
    warmth = np.concatenate([*splines, products(splines[0], waves)], axis=1)
    noon = series.local[cut + 24 :: 48]
    month = noon.astype("datetime64[M]").astype(int) % 12 + 1
    weekday = (noon.astype("datetime64[D]").astype(int) + 3) % 7  # 1 January 1970 was a Thursday
    return Known(series.demand, calendar, warmth, series.temperature, month, weekday)


def validation(hours: np.ndarray) -> np.ndarray:
    """Whether an hour to learn from lies in a validation week, one week in eight."""
    return (hours // HOURS % 8 == 3) & (hours < TRAIN_HOURS)


def origins(which: str) -> np.ndarray:
    """First hours of forecasts: to learn from every hour, to validate every twelve hours, to test once a day."""
    if which == "test":
        return np.arange(TRAIN_HOURS, len(known().demand) // 2, AHEAD)
    first = np.arange(HOURS, TRAIN_HOURS - AHEAD + 1)
    inside = validation(first[:, None] + np.arange(AHEAD))
    return first[~inside.any(axis=1)] if which == "train" else first[inside.all(axis=1) & (first % 12 == 0)]


def ahead(hours: np.ndarray, first: np.ndarray) -> np.ndarray:
    """(N, …) what belongs to each hour to (origins, 24, …) what belongs to the hours of each forecast."""
    return hours[first[:, None] + np.arange(AHEAD)]


def before(hours: np.ndarray, first: np.ndarray) -> np.ndarray:
    """(N, …) to (origins, 168, …), the hours that are read."""
    return hours[first[:, None] + np.arange(-HOURS, 0)]


# --- linear models ----------------------------------------------------------------------------------


def lagged(half_hours: int) -> np.ndarray:
    """(n,) the demand so long ago; the first have nothing that long ago and are not learned from."""
    return np.roll(known().demand, half_hours)


@functools.cache
def regression(kind: str, all_weeks: bool = True) -> np.ndarray:
    """(n,) what a linear regression says of every half-hour; with all of 2012 and 2013 or without validation weeks."""
    data = known()
    x = [PolynomialFeatures(2, interaction_only=True, include_bias=False).fit_transform(data.calendar)]
    if kind != "calendar":
        x.append(data.warmth)
    if kind == "lags":
        x += [lagged(lag)[:, None] / 1000 for lag in (demand.DAY, demand.WEEK)]
    table = np.concatenate(x, axis=1)
    rows = np.arange(demand.WEEK, 2 * TRAIN_HOURS)
    rows = rows if all_weeks else rows[~validation(rows // 2)]
    return Ridge(1.0).fit(table[rows], data.demand[rows]).predict(table)


@functools.cache
def whole_week(all_weeks: bool = True) -> np.ndarray:
    """(N, 24, 2) the forecast made at each hour; rows before the first and after the last possible one are NaN."""
    plain = regression("temperature", all_weeks)
    missed = by_hour(known().demand - plain)
    first = np.arange(HOURS, len(missed) - AHEAD + 1)
    past = before(missed, first).reshape(len(first), -1) / 1000
    rows = first <= TRAIN_HOURS - AHEAD if all_weeks else np.isin(first, origins("train"))
    linear = Ridge(10.0).fit(past[rows], ahead(missed, first[rows]).reshape(rows.sum(), -1))
    forecast = np.full((len(missed), AHEAD, 2), np.nan)
    forecast[first] = ahead(by_hour(plain), first) + linear.predict(past).reshape(-1, AHEAD, 2)
    return forecast


def linear_quantiles(model: str, which: str) -> np.ndarray:
    """(origins, 24, 2, 3) MW: the forecast, and around it the quantiles of the errors on the days learned from.

    For the validation weeks a model is fitted without them.
    """
    first, learned, every = origins(which), np.arange(HOURS, TRAIN_HOURS, AHEAD), which == "test"
    learned = learned if every else learned[~validation(learned)]
    if model == "whole week":
        said, fitted = whole_week(every)[first], whole_week(every)[learned]
    else:
        lags = {"yesterday": demand.DAY, "last week": demand.WEEK}
        line = by_hour(lagged(lags[model]) if model in lags else regression(model, every))
        said, fitted = ahead(line, first), ahead(line, learned)
    errors = ahead(by_hour(known().demand), learned) - fitted
    low, high = np.quantile(errors, [QUANTILES[0], QUANTILES[-1]], axis=0)  # (24, 2) each
    return np.stack([said + low, said, said + high], axis=-1)


# --- networks ---------------------------------------------------------------------------------------


class Pooled(nn.Module):
    """In the place of attention: one context for all hours to come, alone or mixed with the question in an MLP."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how, width = how, 2 * HIDDEN
        mlp = nn.Sequential(nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, width))
        self.mix = mlp if how.endswith("MLP") else None

    def forward(
        self, query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None, **_: Any
    ) -> tuple[Tensor, Tensor]:
        """As an attention layer is called; the weights are even, and mean nothing for the last states."""
        batch, steps, width = values.shape
        last = torch.cat([values[:, -1, : width // 2], values[:, 0, width // 2 :]], dim=-1)
        context = values.mean(dim=1) if self.how == "mean" else last  # (B, 2H)
        context = context.unsqueeze(1).expand(-1, query.shape[-2], -1)  # (B, horizon, 2H)
        if self.mix is not None:
            context = self.mix(torch.cat([context, query.expand_as(context)], dim=-1))
        return context, values.new_full((batch, query.shape[-2], steps), 1 / steps)


class Task(NamedTuple):
    """Numbers of about size 1, N hours, and how to get back to MW."""

    past: np.ndarray
    """(N, D)"""
    future: np.ndarray
    """(N, F)"""
    target: np.ndarray
    """(N, 2) what is forecast, but for `base`"""
    base: np.ndarray | None
    """(N, 24, 2) what is taken from the target of each forecast: that of the regression"""
    middle: float
    scale: float

    def targets(self, first: np.ndarray) -> np.ndarray:
        """(origins, 24, 2)"""
        wanted = ahead(self.target, first)
        return wanted if self.base is None else wanted - self.base[first]

    def megawatts(self, outputs: np.ndarray, first: np.ndarray) -> np.ndarray:
        """(origins, 24, 6) outputs to (origins, 24, 2, 3) quantiles that do not cross."""
        quantiles = outputs.reshape(*outputs.shape[:2], 2, 3)
        if self.base is not None:
            quantiles = quantiles + self.base[first][..., None]
        return self.middle + self.scale * np.sort(quantiles, axis=-1)


@functools.cache
def task(model: str) -> Task:
    """What a network is given and asked."""
    data = known()
    calendar = data.calendar[::2]  # of an hour's first half; what is linear in these tells the second half as well
    mw = by_hour(data.demand)
    middle, scale = mw[:TRAIN_HOURS].mean(), mw[:TRAIN_HOURS].std()
    past, future, base = [(mw - middle) / scale, calendar[:, :16]], [calendar], None
    if model != "no temperature":
        past.append((by_hour(data.temperature) - 15) / 6)
        future.append(data.warmth[::2])
    if model == "hybrid":
        missed = by_hour(data.demand - regression("temperature", False))
        forecast = whole_week(False)
        scale = float(missed[:TRAIN_HOURS].std())
        past.append(missed / scale)
        base = (forecast - middle) / scale
    seen, told = (np.concatenate(part, axis=1).astype(np.float32) for part in (past, future))
    target = ((mw - middle) / scale).astype(np.float32)
    return Task(seen, told, target, None if base is None else base.astype(np.float32), float(middle), float(scale))


def build(model: str, given: Task) -> AttentionForecaster:
    """The network; where there is no attention another module is put in its place."""
    several = {"score": "multi_head", "heads": HEADS, "num_layers": 2, "residual": True}
    network = AttentionForecaster(
        input_size=given.past.shape[1],
        hidden_size=HIDDEN,
        horizon=AHEAD,
        future_size=given.future.shape[1],
        outputs=2 * len(QUANTILES),
        dropout=DROPOUT,
        **(several if model == "multi-head" else {"score": "dot"}),
    )
    if model in POOLED:
        network.attend = Pooled(model)
    return network


def batches(given: Task, first: np.ndarray, size: int = 128) -> Iterator[Batch]:
    """((past, future), no mask, targets), these once for each quantile as the outputs are."""
    for some in np.split(first, range(size, len(first), size)):
        inputs = torch.from_numpy(before(given.past, some)), torch.from_numpy(ahead(given.future, some))
        yield inputs, None, torch.from_numpy(given.targets(some)).repeat_interleave(len(QUANTILES), dim=-1)


def pinball(outputs: Tensor, targets: Tensor) -> Tensor:
    """The mean of q·e above the quantile and (1 − q)·e below it, e the distance: least at the quantile q."""
    levels, errors = outputs.new_tensor(QUANTILES).repeat(2), targets - outputs
    return torch.maximum(levels * errors, (levels - 1) * errors).mean()


def train(model: str, seed: int, epochs: int, drawn: int) -> tuple[AttentionForecaster, dict[str, Any]]:
    """A network from one seed, with the weights of its best epoch."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(seed)
    given, train_on = task(model), origins("train")
    network = build(model, given)

    def epoch_of(epoch: int) -> list[Batch]:
        return list(batches(given, np.random.default_rng([seed, epoch]).choice(train_on, drawn, replace=False), BATCH))

    held_out = list(batches(given, origins("validation") if epochs > 1 else origins("validation")[:8]))
    history = fit(
        network,
        epoch_of,
        held_out,
        loss=pinball,
        optimizer=torch.optim.Adam(network.parameters(), RATE),
        epochs=epochs,
        patience=PATIENCE,
        plateau=PLATEAU,
        clip_norm=1.0,
        seed=seed,
        progress=False,
    )
    return network, {"epochs": len(history.valid_loss), "best": history.best + 1}


@torch.no_grad()
def forecast(network: AttentionForecaster, given: Task, first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(origins, 24, 2, 3) MW, and the weights (origins, 24, 168)."""
    network.eval()
    both = [network(*inputs) for inputs, _, _ in batches(given, first)]
    outputs, weights = (torch.cat(part).numpy().astype(np.float64) for part in zip(*both, strict=True))
    return given.megawatts(outputs, first), weights


# --- figures ----------------------------------------------------------------------------------------


def errors(quantiles: np.ndarray) -> dict[str, Any]:
    """Of the medians on all of 2014: over the year, in the heat wave, by the hour ahead, by the day."""
    error = quantiles[..., 1] - ahead(by_hour(known().demand), origins("test"))
    seasonal = np.abs(known().demand - lagged(demand.WEEK))[demand.WEEK : 2 * TRAIN_HOURS].mean()
    square = error**2
    return {
        "rmse": round(float(np.sqrt(square.mean())), 2),
        "mae": round(float(np.abs(error).mean()), 2),
        "mase": round(float(np.abs(error).mean() / seasonal), 4),
        "heat_rmse": round(float(np.sqrt(square[HEAT_WAVE].mean())), 1),
        "by_hour": np.sqrt(square.mean(axis=(0, 2))).round(1).tolist(),
        "by_day": np.sqrt(square.mean(axis=(1, 2))).round(1).tolist(),
    }


def spans() -> dict[str, np.ndarray]:
    """Which days of 2014 belong to what coverage is asked of."""
    days, month = np.arange(len(known().month)), known().month
    seasons = {name: days[np.isin(month, months)] for name, months in SEASONS.items()}
    return {"year": days, **seasons, "heat wave": days[HEAT_WAVE]}


def coverage(quantiles: np.ndarray) -> dict[str, list[float]]:
    """For each span the share of half-hours between the outer quantiles, and how far apart those are, MW."""
    true = ahead(by_hour(known().demand), origins("test"))
    inside = (quantiles[..., 0] <= true) & (true <= quantiles[..., 2])
    width = quantiles[..., 2] - quantiles[..., 0]
    return {
        name: [round(float(inside[days].mean()), 4), round(float(width[days].mean()), 1)]
        for name, days in spans().items()
    }


def repair(quantiles: np.ndarray, held_out: np.ndarray) -> tuple[np.ndarray, float]:
    """Move both outer quantiles by what nine in ten held-out half-hours would have needed (Romano et al. 2019, eq. 8).

    Neighbouring half-hours err together, so the guarantee of the paper, for exchangeable data, does not hold here.
    """
    true = ahead(by_hour(known().demand), origins("validation"))
    outside = np.maximum(held_out[..., 0] - true, true - held_out[..., 2])
    by = float(np.quantile(outside, QUANTILES[2] - QUANTILES[0], method="higher"))
    return quantiles + by * np.array([-1, 0, 1]), by


def looks(weights: np.ndarray) -> dict[str, Any]:
    """Shares of the weight, the mean of all forecasts, and how many hours an even spread as wide would have."""
    lag = HOURS - np.arange(HOURS) + np.arange(AHEAD)[:, None]  # (24, 168) from the hour read to the hour forecast
    mean = weights.mean(axis=0)
    spread = -(weights * np.log(weights + 1e-12)).sum(axis=-1)
    return {
        "same_hour": round(float(mean[lag % 24 == 0].sum() / AHEAD), 4),
        "day_ago": round(float(mean[lag == 24].sum() / AHEAD), 4),
        "week_ago": round(float(mean[lag == 168].sum() / AHEAD), 4),
        "last_hours": round(float(mean[:, -3:].sum() / AHEAD), 4),
        "hours": round(float(np.exp(spread).mean()), 1),
    }


def maps(weights: np.ndarray) -> dict[str, Any]:
    """Means in hundred thousandths: (24, 168) of all days and of the heat wave; (7, 7) Monday … by 7 … 1 days ago."""
    days = weights.reshape(-1, AHEAD, 7, 24).sum(axis=-1).mean(axis=1)  # (days of 2014, 7 days read)
    weekday = known().weekday
    means = {
        "weights": weights.mean(axis=0),
        "weights_heat": weights[HEAT_WAVE].mean(axis=0),
        "weights_weekday": np.stack([days[weekday == one].mean(axis=0) for one in range(7)]),
    }
    return {name: (1e5 * mean).round().astype(int).tolist() for name, mean in means.items()}


def run(model: str, seed: int, epochs: int = EPOCHS, drawn: int = ORIGINS) -> dict[str, Any]:
    """Fit one model and measure it; the record that is stored."""
    start, more = time.process_time(), dict[str, Any]()
    first = origins("test")
    if model in LINEAR:
        said, held_out = (linear_quantiles(model, which) for which in ("test", "validation"))
    else:
        network, more = train(model, seed, epochs, drawn)
        said, weights = forecast(network, task(model), first)
        held_out, _ = forecast(network, task(model), origins("validation"))
        if model not in POOLED:
            more |= {"looks": looks(weights), "looks_heat": looks(weights[HEAT_WAVE])}
        if model == "attention":
            more |= maps(weights)
    repaired, by = repair(said, held_out)
    missed = (held_out[..., 1] - ahead(by_hour(known().demand), origins("validation"))) ** 2
    return {
        "model": model,
        "seed": seed,
        **errors(said),
        "validation_rmse": round(float(np.sqrt(missed.mean())), 2),
        "coverage": coverage(said),
        "repaired": coverage(repaired),
        "repaired_by": round(by, 1),
        "heat_wave": said[HEAT_WAVE].reshape(-1, 3).round().astype(int).tolist(),
        **more,
        "seconds": round(time.process_time() - start, 1),
    }


# --- the runs ---------------------------------------------------------------------------------------


def jobs() -> list[tuple[str, int]]:
    """(model, seed) of all runs; linear models have no seed, and 0 stands for it."""
    return [(model, 0) for model in LINEAR] + [(model, seed) for seed in SEEDS for model in NETWORKS]


def key(record: dict[str, Any]) -> tuple[str, int]:
    return record["model"], record["seed"]


def about() -> dict[str, Any]:
    """Everything the runs depend on; runs made under other terms are not mixed in."""
    return {
        "data": f"vic_elec of {demand.WHEEL.requirement}, sha256 {demand.WHEEL.sha256}; {TRAIN_DAYS} days to learn "
        "from, 365 to test, each from 13:00 UTC; temperatures of the hours to come as measured",
        "task": f"{AHEAD} hours of two half-hours from the {HOURS} hours before; quantiles {QUANTILES}",
        "networks": f"{HIDDEN} units a direction, dropout {DROPOUT}, {HEADS} heads, dot products; Adam {RATE}, batch "
        f"{BATCH}, {ORIGINS} forecasts an epoch, at most {EPOCHS} epochs, patience {PATIENCE}, plateau {PLATEAU}, "
        "clip norm 1",
        "seeds": list(SEEDS),
        **_runs.here(),
    }


def smoke() -> str:
    """A glance at every model."""
    some = ("yesterday", "lags", "whole week", *NETWORKS)
    return table([run(model, 0, epochs=1, drawn=2 * BATCH) for model in some])


def table(runs: list[dict[str, Any]]) -> str:
    """Errors and coverage, a line for each model: means over its seeds, and the range of the first."""
    lines = [f"{'':16}{'RMSE':>6}{'range':>14}{'MASE':>7}{'heat wave':>11}{'inside':>8}{'repaired':>10}{'s':>7}"]
    for model in dict.fromkeys(r["model"] for r in runs):
        its = [r for r in runs if r["model"] == model]
        rmse = np.array([r["rmse"] for r in its])
        mase, heat, seconds = (np.mean([r[name] for r in its]) for name in ("mase", "heat_rmse", "seconds"))
        inside, repaired = (np.mean([r[name]["year"][0] for r in its]) for name in ("coverage", "repaired"))
        spread = f"{rmse.min():.0f}–{rmse.max():.0f}" if len(its) > 1 else ""
        lines.append(
            f"{model:16}{rmse.mean():6.0f}{spread:>14}{mase:7.2f}{heat:11.0f}{inside:8.0%}{repaired:10.0%}{seconds:7.0f}"
        )
    return "\n".join(lines)


def main() -> None:
    _runs.command(__doc__, RESULT, about, jobs, run, key, table, smoke)


if __name__ == "__main__":
    main()
