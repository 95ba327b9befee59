"""The experiment behind chapter 8: its arithmetic, its stored results, and that it runs."""

import json

import numpy as np
import pytest
import torch

from experiments import heads

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def runs():
    stored = json.loads(heads.RESULT.read_text(encoding="utf-8"))
    by_name = {}
    for run in stored["runs"]:
        by_name.setdefault(run["configuration"], []).append(run)
    return by_name


def test_rooms_are_as_said():
    c = heads.CONFIGURATIONS["12 names, 2 heads"]
    room = heads.rooms(500, c, np.random.default_rng(0))
    assert room.query.shape == (500, 1, 24) and room.keys.shape == (500, 6, 12) and room.values.shape == (500, 6, 1)
    assert (room.keys.sum(axis=1) <= 1).all(), "a name twice in a room"
    assert (room.asked[:, 0] != room.asked[:, 1]).all()
    first, second = (room.query[:, 0, part] for part in (slice(12), slice(12, 24)))
    here = np.arange(500)
    np.testing.assert_array_equal(first, room.keys[here, room.asked[:, 0]])
    np.testing.assert_array_equal(second, room.keys[here, room.asked[:, 1]])
    ages = room.values[..., 0]
    np.testing.assert_allclose(
        room.answer[:, 0], ages[here, room.asked[:, 0]] - ages[here, room.asked[:, 1]], atol=1e-6
    )


@pytest.mark.parametrize("count", [1, 2, 4])
def test_the_exact_error_is_the_sampled_one(count):
    """An untrained model with every parameter random, biases too: its error on many rooms."""
    c = heads.Configuration(12, count)
    torch.manual_seed(0)
    model = heads.Asker(c)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.4 * torch.randn_like(parameter))
        room = heads.rooms(60_000, c, np.random.default_rng(1))
        said, _ = model(*map(torch.from_numpy, room[:3]))
    sampled = 1 - float(((said.numpy() - room.answer) ** 2).mean()) / 2
    assert heads.look(model, c)["explained"] == pytest.approx(sampled, abs=0.02 * abs(1 - sampled))


def test_every_run_is_there(runs):
    assert set(runs) == set(heads.CONFIGURATIONS)
    assert all([run["seed"] for run in its] == list(heads.seeds(name)) for name, its in runs.items())


def test_one_head_stays_below_its_ceiling_and_two_do_the_task(runs):
    for names in (12, 32):
        assert max(run["explained"] for run in runs[f"{names} names, 1 heads"]) <= 0.5
        assert min(run["explained"] for run in runs[f"{names} names, 2 heads"]) > 0.99
