"""The experiment on demand: nothing is learned from what it is tested on, no forecast has seen what it forecasts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from experiments import demand

CACHED = (demand.regression, demand.whole_week, demand.task)


@pytest.fixture
def afresh() -> Iterator[None]:
    """What is kept of the real series is not mixed with what a changed one gives."""
    for function in CACHED:
        function.cache_clear()
    yield
    for function in CACHED:
        function.cache_clear()


def hours(which: str) -> np.ndarray:
    return demand.origins(which)[:, None] + np.arange(demand.AHEAD)


def test_training_validation_and_test_share_no_hour_that_is_forecast():
    learned, held_out, tested = (set(hours(which).ravel().tolist()) for which in ("train", "validation", "test"))
    assert not learned & held_out and not (learned | held_out) & tested
    assert len(held_out) == 13 * demand.HOURS  # thirteen whole weeks
    assert sorted(tested) == list(range(demand.TRAIN_HOURS, demand.TRAIN_HOURS + 365 * 24))
    assert hours("test").size == len(tested)  # each once


def test_the_days_of_the_year_are_where_they_are_said_to_be():
    spans = demand.spans()
    assert sum(len(spans[season]) for season in demand.SEASONS) == len(spans["year"]) == 365
    hottest = demand.known().temperature[2 * demand.TRAIN_HOURS :].reshape(365, 48).max(axis=1).argmax()
    assert hottest in spans["heat wave"] and len(spans["heat wave"]) == 4


def test_no_forecast_depends_on_demand_from_its_first_hour_on(monkeypatch, afresh):
    first = demand.origins("test")[[10]]

    def said() -> list[np.ndarray]:
        linear = [demand.linear_quantiles(model, "test")[10] for model in ("lags", "whole week")]
        networks = [next(demand.batches(demand.task(model), first))[0] for model in ("attention", "hybrid")]
        return linear + [part.numpy() for inputs in networks for part in inputs] + [demand.whole_week(False)[first]]

    before = said()
    changed = demand.known().demand.copy()
    changed[2 * first[0] :] += 1000
    altered = demand.known()._replace(demand=changed)
    for function in CACHED:
        function.cache_clear()
    monkeypatch.setattr(demand, "known", lambda: altered)
    for one, other in zip(before, said(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_pinball_with_a_pencil():
    outputs = torch.tensor([[[0.0, 1.0, 2.0, 0.0, 1.0, 2.0]]])
    # 3 lies above all quantiles: 0.05·3, 0.5·2, 0.95·1; −1 lies below them: 0.95·1, 0.5·2, 0.05·3
    targets = torch.tensor([[[3.0, 3.0, 3.0, -1.0, -1.0, -1.0]]])
    assert demand.pinball(outputs, targets).item() == pytest.approx(2.1 / 3)


def test_a_repair_brings_nine_in_ten_held_out_half_hours_inside():
    true = demand.ahead(demand.by_hour(demand.known().demand), demand.origins("validation"))
    noise = np.random.default_rng(0).normal(size=true.shape)
    narrow = true[..., None] + 100 * noise[..., None] + np.array([-10.0, 0, 10])
    repaired, by = demand.repair(narrow, narrow)
    inside = (repaired[..., 0] <= true) & (true <= repaired[..., 2])
    assert inside.mean() == pytest.approx(0.9, abs=0.001) and by == pytest.approx(100 * 1.645 - 10, rel=0.1)


def test_even_weights_have_no_ridge():
    even = np.full((3, demand.AHEAD, demand.HOURS), 1 / demand.HOURS)
    said = demand.looks(even)
    assert said["same_hour"] == pytest.approx(1 / 24, abs=1e-4) and said["hours"] == demand.HOURS
    ridge = np.zeros_like(even)
    ridge[:, np.arange(24), demand.HOURS - 24 + np.arange(24)] = 1  # the same hour a day ago
    said = demand.looks(ridge)
    assert said["same_hour"] == said["day_ago"] == 1 and said["week_ago"] == 0 and said["hours"] == 1


def test_without_attention_the_context_is_the_same_for_all_hours():
    states = torch.randn(2, 5, 4)
    for how, wanted in {
        "mean": states.mean(dim=1),
        "last state": torch.cat([states[:, -1, :2], states[:, 0, 2:]], 1),
    }.items():
        context, weights = demand.Pooled(how)(torch.randn(2, 3, 4), states, states)
        assert torch.equal(context, wanted.unsqueeze(1).expand(-1, 3, -1)) and weights.shape == (2, 3, 5)
