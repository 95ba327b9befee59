"""Tomorrow's return and tomorrow's volatility of four shares and an index: what can be forecast, and how steadily?

Two targets, one day ahead, from the same month of the past (22 days of log returns and log variances):

return      ln(P_t / P_{t−1}) of the adjusted close
variance    ln σ²_t, σ² the variance of the day from its range (Garman & Klass 1980)

Walk-forward: the last 1,000 trading days of each series are four test years of 250 days. For each of them everything
(means, scales, weights) is made afresh from the days before it; the last tenth of those says when to stop training.
No test day is seen before it is forecast, and none chooses anything. Six networks of 16 units a direction: the last
state of an LSTM, those of a BiLSTM, and four that pool a BiLSTM's states: additive attention, one head, four heads
(as many parameters as one), and four heads over two layers with residual connections and LayerNorm. Beside them what
costs nothing:

return      persistence (no change), drift (the mean so far), AR(5)
variance    yesterday, the mean of 22 days, HAR (Corsi 2009), and GARCH(1,1), which sees only returns: its variances
            are of the whole day with its night, so ln σ² is put on them by a straight line fitted to the past

The claim `multihead-stability`: "multi-head attention makes stock forecasts more stable". Stable can mean two things:

seeds   The same network trained from another seed should say the same. The spread: the standard deviation over seeds
        of a day's forecast, root mean square over a year's days. Pairs: 5 series × 4 years.
years   It should be about as good in one year as in the next. The spread: the standard deviation over the four years
        of the logarithm of the error (root mean square) over that of persistence, or of yesterday's variance. Pairs:
        5 series × 5 seeds.

The rule, fixed before the runs: the spread of four heads is smaller than its rival's, by at least 10 % (100 times the
difference of the logarithms of the spreads, paired), for both targets, in both meanings, against one head with as
many parameters and against the LSTM's last state. An effect is met if its 95 % interval lies above what is asked,
failed if below. All met: the claim holds. Some: it holds under conditions. None, and all failed: refuted. Otherwise:
not reproduced. (Years of one series, and seeds on one series, are not independent of each other, so the intervals
are on the narrow side.)

    python -m experiments.shares            # about an hour on one core; finished runs are kept
    python -m experiments.shares --smoke    # seconds, writes nothing
"""

from __future__ import annotations

import base64
import functools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import TimeSeriesSplit
from torch import Tensor, nn
from torch.nn import functional as F

from attnlstm_ref.data import prices
from attnlstm_ref.data.windows import windows
from attnlstm_ref.torch import AttentionLSTM, BiLSTMEncoder, fit
from experiments import _runs, _verdicts
from experiments._verdicts import Effect, Finding

RESULT = Path(__file__).parent / "results" / "shares.json"
SEEDS = (1, 2, 3, 4, 5)
TASKS = ("return", "variance")
NETWORKS = ("lstm", "bilstm", "attention", "one head", "four heads", "four heads, residual")
BASELINES = {
    "return": ("persistence", "drift", "AR(5)"),
    "variance": ("yesterday", "month", "HAR", "GARCH"),
}
YEARS, YEAR, MONTH, WEEK = 4, 250, 22, 5
HIDDEN, BATCH, RATE, EPOCHS, PATIENCE = 16, 64, 2e-3, 12, 3
GRAIN = {"return": 1e-6, "variance": 1e-3}
"""Forecasts are stored as whole numbers of these."""


# --- the series -------------------------------------------------------------------------------------


@functools.cache
def days(series: str) -> np.ndarray:
    """(T, 2) log return and log variance of each trading day but the first."""
    one = prices.load(series)
    variance = prices.garman_klass(one.open, one.high, one.low, one.close)
    return np.column_stack([prices.log_returns(one.adjusted), np.log(variance[1:])])


class Year(NamedTuple):
    """One step of the walk: rows of `days` to learn from end at `cut`, those to be forecast end at `stop`."""

    cut: int
    stop: int


def years(series: str) -> Iterator[Year]:
    """The four steps of the walk, the oldest first."""
    walk = TimeSeriesSplit(n_splits=YEARS, test_size=YEAR)
    for _, test in walk.split(days(series)):
        yield Year(int(test[0]), int(test[-1]) + 1)


def truth(task: str, series: str) -> np.ndarray:
    """(1000,) what the forecasts of all test years are measured against."""
    return days(series)[-YEARS * YEAR :, TASKS.index(task)]


# --- the networks -----------------------------------------------------------------------------------


class LastState(nn.Module):
    """An LSTM's last state, or a BiLSTM's where each direction has read everything, and a linear layer."""

    def __init__(self, both: bool) -> None:
        super().__init__()
        self.both = both
        self.encoder = BiLSTMEncoder(2, HIDDEN) if both else nn.LSTM(2, HIDDEN, batch_first=True)
        self.head = nn.Linear(2 * HIDDEN if both else HIDDEN, 1)

    def forward(self, inputs: Tensor, mask: None = None) -> tuple[Tensor, None]:
        if self.both:
            states = self.encoder(inputs)
            return self.head(torch.cat([states[:, -1, :HIDDEN], states[:, 0, HIDDEN:]], dim=-1)), None
        return self.head(self.encoder(inputs)[0][:, -1]), None


def network(name: str) -> nn.Module:
    if name in ("lstm", "bilstm"):
        return LastState(both=name == "bilstm")
    if name == "attention":
        return AttentionLSTM(input_size=2, hidden_size=HIDDEN, score="additive")
    deep = {"num_layers": 2, "residual": True} if name.endswith("residual") else {}
    heads = 1 if name == "one head" else 4
    return AttentionLSTM(input_size=2, hidden_size=HIDDEN, score="multi_head", heads=heads, **deep)


def batches(inputs: Tensor, targets: Tensor, seed: int) -> Any:
    """epoch -> shuffled batches."""

    def epoch(number: int) -> list[tuple[Tensor, None, Tensor]]:
        order = torch.from_numpy(np.random.default_rng([seed, number]).permutation(len(inputs)))
        return [(inputs[rows], None, targets[rows]) for rows in order.split(BATCH)]

    return epoch


def learned(name: str, task: str, series: str, year: Year, seed: int, epochs: int) -> dict[str, Any]:
    """Train on the days before `cut`, forecast those up to `stop`."""
    both = days(series)[: year.stop]
    past = both[: year.cut]
    scaled = ((both - past.mean(axis=0)) / past.std(axis=0)).astype(np.float32)
    column = TASKS.index(task)
    all_windows = windows(scaled, MONTH, targets=scaled[:, column])
    valid_from = year.cut - len(past) // 10
    spans = {"train": (0, valid_from), "valid": (valid_from, year.cut), "test": (year.cut, year.stop)}
    parts = {part: all_windows.between(*span) for part, span in spans.items()}
    inputs = {part: torch.from_numpy(one.inputs.copy()) for part, one in parts.items()}
    targets = {part: torch.from_numpy(one.targets[:, 0].copy()) for part, one in parts.items()}
    torch.manual_seed(seed)
    model = network(name)
    history = fit(
        model,
        batches(inputs["train"], targets["train"], seed),
        [(inputs["valid"], None, targets["valid"])],
        loss=F.mse_loss,
        optimizer=torch.optim.Adam(model.parameters(), lr=RATE),
        epochs=epochs,
        patience=PATIENCE,
        clip_norm=1.0,
        seed=seed,
        progress=False,
    )
    with torch.no_grad():
        outputs, weights = model.eval()(inputs["test"], None)
    scale, centre = past[:, column].std(), past[:, column].mean()
    return {
        "forecasts": outputs[:, 0].double().numpy() * scale + centre,
        "noise": history.valid_loss[history.best] * scale**2,  # mean square of what is left, in the target's own units
        "best": history.best,
        "weights": None if weights is None else weights.mean(dim=0).numpy(),
    }


# --- what costs nothing -----------------------------------------------------------------------------


def lags(values: np.ndarray) -> np.ndarray:
    """(T, 3) yesterday, and the means of a week and of a month up to yesterday; NaN where a month is not full.

    The regressors of HAR (Corsi 2009, eq. 8), here of log variances.
    """
    sums = np.concatenate([[0.0], np.cumsum(values)])
    out = np.full((len(values), 3), np.nan)
    for column, span in enumerate((1, WEEK, MONTH)):
        out[span:, column] = (sums[span:-1] - sums[: -span - 1]) / span
    out[:MONTH] = np.nan
    return out


def regressed(inputs: np.ndarray, targets: np.ndarray, cut: int) -> np.ndarray:
    """Least squares on the rows before `cut` that are whole; forecasts of those after."""
    known = np.flatnonzero(np.isfinite(inputs[:cut]).all(axis=1))
    return LinearRegression().fit(inputs[known], targets[known]).predict(inputs[cut:])


def garch(returns: np.ndarray, cut: int) -> np.ndarray:
    """(T,) GARCH(1,1)'s variance of each day as the day before knew it, its parameters from the days before `cut`.

    σ²_t = ω + α ε²_{t−1} + β σ²_{t−1}                      (Bollerslev 1986)
    """
    from arch import arch_model

    past = 100 * returns[:cut]  # per cent: arch wants numbers about 1
    fitted = arch_model(past, mean="Constant", vol="GARCH", p=1, q=1).fit(disp="off")
    mu, omega, alpha, beta = fitted.params
    # arch would go on by itself, but bounds the variances by those of all days it is given, the last ones too.
    squares = (100 * returns - mu) ** 2
    variance = np.full(len(returns), past.var())
    for t in range(1, len(returns)):
        variance[t] = omega + alpha * squares[t - 1] + beta * variance[t - 1]
    return variance / 1e4


def reckoned(name: str, series: str, year: Year) -> np.ndarray:
    """A baseline's forecasts of the days from `cut` to `stop`."""
    returns, variances = days(series)[: year.stop].T
    cut, n = year.cut, year.stop - year.cut
    if name == "persistence":
        return np.zeros(n)
    if name == "drift":
        return np.full(n, returns[:cut].mean())
    if name == "AR(5)":
        shifted = np.column_stack([np.concatenate([np.full(k, np.nan), returns[:-k]]) for k in range(1, 6)])
        return regressed(shifted, returns, cut)
    if name == "GARCH":
        return regressed(np.log(garch(returns, cut))[:, None], variances, cut)
    past = lags(variances)
    return {"yesterday": past[cut:, 0], "month": past[cut:, 2]}.get(name, regressed(past, variances, cut))


# --- the runs ---------------------------------------------------------------------------------------


def pack(forecasts: np.ndarray, task: str) -> str:
    """A thousand forecasts as short text; `unpack` reads it."""
    grains = np.round(forecasts / GRAIN[task])
    if not np.abs(grains).max() < 2**15:
        raise ValueError(f"forecasts: got {np.abs(forecasts).max():g}, wanted less than {2**15 * GRAIN[task]:g}")
    return base64.b85encode(grains.astype("<i2").tobytes()).decode()


def unpack(packed: str, task: str) -> np.ndarray:
    return np.frombuffer(base64.b85decode(packed), dtype="<i2") * GRAIN[task]


def run(task: str, series: str, model: str, seed: int, epochs: int = EPOCHS) -> dict[str, Any]:
    """All test years of one model on one series; the record that is stored."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    start = time.process_time()
    head = {"task": task, "series": series, "model": model, "seed": seed}
    if model in BASELINES[task]:
        found = np.concatenate([reckoned(model, series, year) for year in years(series)])
        return {**head, "forecasts": pack(found, task), "seconds": round(time.process_time() - start, 1)}
    walk = [learned(model, task, series, year, seed, epochs) for year in years(series)]
    weights = [one["weights"] for one in walk if one["weights"] is not None]
    return {
        **head,
        "forecasts": pack(np.concatenate([one["forecasts"] for one in walk]), task),
        "noise": [float(f"{one['noise']:.4g}") for one in walk],
        "best": [one["best"] for one in walk],
        **({"weights": np.mean(weights, axis=0).round(4).tolist()} if weights else {}),
        "seconds": round(time.process_time() - start, 1),
    }


def jobs() -> list[tuple[str, str, str, int]]:
    """(task, series, model, seed) of all runs; what costs nothing has no chance in it and one seed, 0."""
    free = [(task, series, name, 0) for task in TASKS for series in prices.NAMES for name in BASELINES[task]]
    return free + [
        (task, series, name, seed)
        for seed in SEEDS
        for task in reversed(TASKS)
        for series in prices.NAMES
        for name in NETWORKS
    ]


def key(record: dict[str, Any]) -> tuple[str, str, str, int]:
    return record["task"], record["series"], record["model"], record["seed"]


def about() -> dict[str, Any]:
    """Everything the runs depend on; runs made under other terms are not mixed in."""
    return {
        "data": {name: prices.load(name).sha256 for name in prices.NAMES},
        "walk": f"the last {YEARS} × {YEAR} days, everything made afresh for each {YEAR} from all days before them, "
        "the last tenth of those for stopping",
        "inputs": f"{MONTH} days of log returns and log Garman–Klass variances, standardised by what came before",
        "networks": f"{HIDDEN} units a direction; Adam {RATE}, batch {BATCH}, clip norm 1, at most {EPOCHS} passes, "
        f"patience {PATIENCE}",
        "models": list(NETWORKS),
        "seeds": list(SEEDS),
        **_runs.here(),
    }


def smoke() -> str:
    """One pass of every network on the shortest series, and every baseline."""
    short = "GOOG"
    its = [run(task, short, name, 0, epochs=1) for task in TASKS for name in BASELINES[task]]
    return table(its + [run("variance", short, name, 0, epochs=1) for name in NETWORKS])


# --- what follows -----------------------------------------------------------------------------------


def rmse(task: str, series: str, forecasts: np.ndarray) -> np.ndarray:
    """(4,) root mean square error of each test year, in the target's own units."""
    errors = forecasts - truth(task, series)
    return np.sqrt((errors.reshape(YEARS, YEAR) ** 2).mean(axis=1))


def forecasts(runs: list[dict[str, Any]], task: str, series: str, model: str) -> np.ndarray:
    """(seeds, 1000) the stored forecasts of one model."""
    its = [r for r in runs if (r["task"], r["series"], r["model"]) == (task, series, model)]
    return np.stack([unpack(r["forecasts"], task) for r in sorted(its, key=lambda r: r["seed"])])


def between_seeds(runs: list[dict[str, Any]], task: str, model: str) -> np.ndarray:
    """(series × years,) logarithm of the spread between seeds."""
    spreads = []
    for series in prices.NAMES:
        variance = forecasts(runs, task, series, model).var(axis=0, ddof=1)
        spreads.append(np.sqrt(variance.reshape(YEARS, YEAR).mean(axis=1)))
    return np.log(np.concatenate(spreads))


def between_years(runs: list[dict[str, Any]], task: str, model: str) -> np.ndarray:
    """(series × seeds,) logarithm of the spread between years of the relative error."""
    spreads = []
    for series in prices.NAMES:
        naive = rmse(task, series, forecasts(runs, task, series, BASELINES[task][0])[0])
        for one in forecasts(runs, task, series, model):
            spreads.append(np.log(rmse(task, series, one) / naive).std(ddof=1))
    return np.log(np.array(spreads))


def table(runs: list[dict[str, Any]]) -> str:
    """R² over all test years against the mean of what was observed in them: mean over seeds, a line for each model."""
    there = {(r["task"], r["model"]): None for r in runs}
    names = [name for name in prices.NAMES if any(r["series"] == name for r in runs)]
    lines = [f"{'':32}" + "".join(f"{name:>9}" for name in names)]
    for task, model in there:
        cells = []
        for series in names:
            seen = truth(task, series)
            errors = forecasts(runs, task, series, model) - seen
            cells.append(f"{1 - (errors**2).mean() / seen.var():9.3f}")
        lines.append(f"{task:10}{model:22}" + "".join(cells))
    return "\n".join(lines)


def multihead_stability() -> Finding:
    """Is the spread of four heads smaller than that of one, and than that of a last state?"""
    runs = _verdicts.runs_of("shares")
    effects: list[Effect] = []
    for rival, said in {"one head": "one head", "lstm": "the LSTM"}.items():
        for spread, meaning in {between_seeds: "seeds", between_years: "years"}.items():
            for task in TASKS:
                a, b = spread(runs, task, rival), spread(runs, task, "four heads")
                name = f"{task}, between {meaning}, against {said}"
                effects.append(_verdicts.paired(name, a.tolist(), b.tolist(), "%", 10.0, 100))
    return Finding(
        effects,
        rule="Four heads spread at least 10 % less (100 × the logarithm of the ratio) than one head with as many "
        "parameters, and than the LSTM's last state: between seeds and between years, in returns and in variance.",
        data="S&P 500, Apple, Google, IBM, Microsoft, one day ahead, four test years",
        seeds=str(len(SEEDS)),
        note="Stable is not good: a network that always answers with the mean is perfectly stable.",
    )


CLAIMS = {"multihead-stability": multihead_stability}


def main() -> None:
    _runs.command(__doc__, RESULT, about, jobs, run, key, table, smoke)


if __name__ == "__main__":
    main()
