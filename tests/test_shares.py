"""The walk-forward of `experiments.shares`: nothing is known before its day."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from attnlstm_ref.data import prices
from experiments import depth, shares

SERIES = "GOOG"  # the shortest


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """A run sets PyTorch's threads and how it treats the smallest numbers."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.set_flush_denormal(False)


def forecast(task: str, model: str) -> np.ndarray:
    return shares.unpack(shares.run(task, SERIES, model, 0, epochs=1)["forecasts"], task)


def test_the_last_thousand_days_are_the_four_test_years() -> None:
    for series in prices.NAMES:
        steps, n = list(shares.years(series)), len(shares.days(series))
        assert [step.stop - step.cut for step in steps] == [shares.YEAR] * shares.YEARS
        assert steps[0].cut == n - 1000 and steps[-1].stop == n
        assert all(before.stop == after.cut for before, after in itertools.pairwise(steps))


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize(
    "task, model",
    [(task, model) for task in shares.TASKS for model in (*shares.BASELINES[task], "lstm", "four heads")],
)
def test_no_forecast_knows_its_own_day_or_a_later_one(task: str, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were everything from one day on another world, the forecasts up to that day would be the same."""
    whole = shares.days(SERIES)
    before = forecast(task, model)
    day = len(whole) - 100  # in the last test year
    changed = whole.copy()
    changed[day:] = np.random.default_rng(0).normal(whole.mean(axis=0), 3 * whole.std(axis=0), changed[day:].shape)
    monkeypatch.setattr(shares, "days", lambda series: changed)
    after = forecast(task, model)
    np.testing.assert_array_equal(before[: -100 + 1], after[: -100 + 1])  # that of `day` itself was made the day before
    if model not in ("persistence", "drift"):
        assert not np.array_equal(before[-99:], after[-99:]), "what came before did not matter either"


def test_lags_are_the_means_of_what_came_before() -> None:
    values = np.random.default_rng(1).normal(size=60)
    found = shares.lags(values)
    assert np.isnan(found[: shares.MONTH]).all() and np.isfinite(found[shares.MONTH :]).all()
    for t in (shares.MONTH, 41, 59):
        np.testing.assert_allclose(found[t], [values[t - k : t].mean() for k in (1, 5, 22)], rtol=0, atol=1e-12)


def test_packed_forecasts_come_back_to_half_a_grain() -> None:
    values = np.random.default_rng(2).normal(size=1000)
    for task, scale in {"return": 0.01, "variance": 5.0}.items():
        back = shares.unpack(shares.pack(scale * values, task), task)
        assert np.abs(back - scale * values).max() <= 0.5000001 * shares.GRAIN[task]
    with pytest.raises(ValueError, match="forecasts: got"):
        shares.pack(values, "return")


def test_garch_finds_the_parameters_of_a_series_made_with_them() -> None:
    rng, omega, alpha, beta = np.random.default_rng(3), 2e-6, 0.1, 0.85
    variance, returns = np.full(6000, omega / (1 - alpha - beta)), np.empty(6000)
    for t in range(6000):
        if t:
            variance[t] = omega + alpha * returns[t - 1] ** 2 + beta * variance[t - 1]
        returns[t] = np.sqrt(variance[t]) * rng.standard_normal()
    found = shares.garch(returns, 5000)
    assert np.corrcoef(np.log(found[5000:]), np.log(variance[5000:]))[0, 1] > 0.98


def test_spreads_are_what_their_names_say() -> None:
    """Three made-up models: seeds that agree, seeds that differ by a known amount."""
    truth = {series: shares.truth("variance", series) for series in prices.NAMES}
    runs = []
    for series, seen in truth.items():
        naive = shares.pack(seen + 1.0, "variance")
        runs.append({"task": "variance", "series": series, "model": "yesterday", "seed": 0, "forecasts": naive})
        for seed, shift in enumerate((-0.5, 0.5), start=1):
            record = {"task": "variance", "series": series, "model": "made up", "seed": seed}
            runs.append(record | {"forecasts": shares.pack(seen + shift, "variance")})
    spread = np.exp(shares.between_seeds(runs, "variance", "made up"))
    np.testing.assert_allclose(spread, np.sqrt(0.5), rtol=0.01)
    assert (np.exp(shares.between_years(runs, "variance", "made up")) < 0.01).all(), "each year is as good as the other"


# --- experiments.depth ------------------------------------------------------------------------------


def test_the_stacks_are_what_their_names_say() -> None:
    x = torch.randn(2, 5, 4)
    outputs = {}
    plain = depth.stack("plain", 4, 2)
    for name in depth.STACKS:
        torch.manual_seed(0)
        encoder = depth.stack(name, 4, 2)
        weights = {key: value for key, value in plain.state_dict().items() if "ward" in key}  # the LSTMs
        encoder.load_state_dict(weights, strict=False)
        top = encoder.layers[1]
        below = encoder.layers[0](x, torch.ones(2, 5, dtype=torch.bool), torch.arange(5).flip(0).expand(2, 5))
        y = plain.layers[1](below, torch.ones(2, 5, dtype=torch.bool), torch.arange(5).flip(0).expand(2, 5))
        wanted = {"plain": y, "skip": below + y, "norm": y, "both": below + y}[name]
        if name in ("norm", "both"):
            wanted = torch.nn.functional.layer_norm(wanted, wanted.shape[-1:])
        outputs[name] = encoder(x)
        torch.testing.assert_close(outputs[name], wanted, msg=f"{name} of {top}")


def test_orders_lost_count_from_the_top() -> None:
    assert depth.lost([1e-5, 1e-3, 1e-1]) == pytest.approx(4.0)
