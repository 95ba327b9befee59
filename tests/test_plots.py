"""The figures: readable, honest to their numbers, and polite about bad input."""

from __future__ import annotations

import io
import warnings
from itertools import pairwise

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from attnlstm_ref import plots


@pytest.fixture(autouse=True)
def style():
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("error")
        plots.use_style()
        yield
    plt.close("all")


def png(ax) -> bytes:
    out = io.BytesIO()
    ax.figure.savefig(out, format="png")
    return out.getvalue()


def words_of(ax):
    """The texts of a heat map with their boxes in points, without those of the bar of shades."""
    return [t for t in ax.texts if t.get_text() not in ("weight", "0", "▾", "▾ were it spread evenly")][:-1]


@pytest.mark.parametrize("name", [*plots.COLOURS, "grey"])
def test_colours_stand_out_from_white(name):
    assert plots.contrast(plots.COLOURS.get(name, plots.GREY), "white") >= 3


def test_contrast_is_that_of_wcag():
    assert plots.contrast("black", "white") == pytest.approx(21)
    assert plots.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # the well-known near miss of 4.5


def seen_by(colour: str, matrix: list[list[float]]) -> np.ndarray:
    c = np.array(to_rgb(colour))
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return np.clip(np.array(matrix) @ linear, 0, 1)


def test_the_first_colours_stay_apart_for_colour_blind_eyes():
    # Machado, Oliveira and Fernandes (2009), severity 1: protanopia and deuteranopia.
    protan = [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    deutan = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    first = list(plots.COLOURS.values())[:3]
    for matrix in (protan, deutan):
        seen = [seen_by(c, matrix) for c in first]
        for i, one in enumerate(seen):
            for other in seen[:i]:
                assert np.linalg.norm(one - other) > 0.1
    red_green = [seen_by(c, deutan) for c in ("#d62728", "#2ca02c")]  # this test can fail: matplotlib's own pair
    assert np.linalg.norm(red_green[0] - red_green[1]) < np.linalg.norm(seen[1] - seen[0])


def test_words_read_on_every_shade():
    shade = matplotlib.colormaps[plots.SHADES]
    assert min(plots.contrast(shade(x)[:3], plots._ink_on(shade(x)[:3])) for x in np.linspace(0, 1, 101)) >= 4.5


def test_shades_darken_with_the_weight():
    shade = matplotlib.colormaps[plots.SHADES]
    luminance = [plots._luminance(shade(x)[:3]) for x in np.linspace(0, 1, 51)]
    assert (np.diff(luminance) < 0).all()


@pytest.mark.parametrize("count", [1, 12, 300])
def test_heat_words_wraps_without_overlap_and_within_the_figure(count):
    rng = np.random.default_rng(0)
    tokens = ["".join(rng.choice(list("abcdef"), rng.integers(1, 12))) for _ in range(count)]
    ax = plots.heat_words(tokens, rng.dirichlet(np.ones(count)))
    png(ax)  # the layout is done when it is drawn
    drawn = words_of(ax)
    assert [t.get_text() for t in drawn] == tokens
    boxes = [t.get_window_extent() for t in drawn]
    whole = ax.figure.bbox
    assert all(whole.x0 <= b.x0 and b.x1 <= whole.x1 and whole.y0 <= b.y0 and b.y1 <= whole.y1 for b in boxes)
    for one, other in pairwise(boxes):
        assert other.x0 >= one.x1 - 0.5 or other.y1 <= one.y0 + 0.5  # beside it or below it
    shades = list(ax.patches)
    for t, patch in zip(drawn, shades, strict=True):
        inside, around = t.get_window_extent(), patch.get_window_extent()
        assert around.x0 - 0.5 <= inside.x0 and inside.x1 <= around.x1 + 1.5


def test_heat_words_shades_are_the_weights():
    ax = plots.heat_words(["a", "b", "c"], [0.0, 0.1, 0.4], vmax=0.4)
    shade = matplotlib.colormaps[plots.SHADES]
    assert [p.get_facecolor() for p in ax.patches] == [shade(x) for x in (0.0, 0.25, 1.0)]


def test_heat_words_on_small_axes_sets_the_text_smaller():
    ax = plt.subplots(figsize=(4, 1.5))[1]
    tokens = ["word"] * 60
    assert plots.heat_words(tokens, np.full(60, 1 / 60), ax) is ax
    png(ax)
    assert words_of(ax)[0].get_fontsize() < 10
    assert all(t.get_window_extent().x1 <= ax.figure.bbox.x1 for t in words_of(ax))


def test_dollars_are_no_formula_and_zero_weights_no_division():
    ax = plots.heat_words(["$5", "or", "$6"], [0.0, 0.0, 0.0])
    png(ax)
    assert words_of(ax)[0].get_text() == r"\$5"


def test_weights_over_time_draws_the_weights():
    ax = plots.weights_over_time([0.1, 0.7, 0.2], ["a", "b", "c"], truth=1, truth_label="here")
    assert [bar.get_height() for bar in ax.patches] == [0.1, 0.7, 0.2]
    assert [bar.get_facecolor()[:3] == to_rgb(plots.COLOURS["vermilion"]) for bar in ax.patches] == [False, True, False]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["a", "b", "c"]
    assert {"here", "even"} <= {t.get_text() for t in ax.texts}
    assert ax.lines[0].get_ydata()[0] == pytest.approx(1 / 3)


def test_weights_over_time_of_several_rows_is_a_strip():
    w = np.random.default_rng(0).dirichlet(np.ones(7), size=3)
    ax = plots.weights_over_time(w, row_labels=["x", "y", "z"])
    assert (np.asarray(ax.images[0].get_array()) == w).all()
    assert [t.get_text() for t in ax.get_yticklabels()] == ["x", "y", "z"]


def test_attention_map_has_queries_down_and_keys_across():
    w = np.array([[0.9, 0.1, 0.0], [0.2, 0.3, 0.5]])
    ax = plots.attention_map(w, ["k1", "k2", "k3"], ["q1", "q2"])
    assert [t.get_text() for t in ax.get_xticklabels()] == ["k1", "k2", "k3"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["q1", "q2"]
    written = {t.get_position(): t.get_text() for t in ax.texts}
    assert written[(0, 0)] == "0.90" and written[(2, 1)] == "0.50"
    assert ax.images[0].norm.vmin == 0  # a weak weight is never made to look strong by the scale's foot
    assert not plots.attention_map(np.full((20, 20), 0.05)).texts


def test_curves_draw_mean_and_band_and_name_their_lines():
    runs = np.array([[0.1, 0.5, 0.9], [0.3, 0.5, 0.7]])
    ax = plots.curves({"two runs": runs, "one run": [0.1, 0.2, 0.3]}, ylabel="accuracy")
    assert ax.lines[0].get_ydata() == pytest.approx([0.2, 0.5, 0.8])
    assert len(ax.collections) == 1
    band = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == pytest.approx((0.1, 0.9))
    assert {t.get_text() for t in ax.texts} == {"two runs", "one run"}
    narrow = plots.curves({"a": np.array([[1.0, 2.0], [1.0, 4.0]])}, band="interval", x=[10, 20])
    half = 12.7062 * np.sqrt(2) / np.sqrt(2)  # t of 1 degree of freedom
    assert narrow.collections[0].get_paths()[0].vertices[:, 1].max() == pytest.approx(3 + half, abs=1e-3)


def test_names_at_the_ends_do_not_overlap():
    ax = plots.curves({name: [0.0, 0.9 + i / 1000] for i, name in enumerate(["one", "two", "three", "four"])})
    png(ax)
    boxes = sorted((t.get_window_extent() for t in ax.texts), key=lambda b: b.y0)
    assert all(above.y0 >= below.y1 - 2 for below, above in pairwise(boxes))


def test_nothing_is_changed_and_the_axes_given_are_returned():
    w = np.array([0.25, 0.75])
    before = w.copy()
    for draw in (
        lambda ax: plots.heat_words(["a", "b"], w, ax),
        lambda ax: plots.weights_over_time(w, ax=ax),
        lambda ax: plots.attention_map(w[None], ax=ax),
        lambda ax: plots.curves({"w": w}, ax=ax),
    ):
        ax = plt.subplots()[1]
        assert draw(ax) is ax
        assert png(ax)[:4] == b"\x89PNG"
    assert (w == before).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plots.heat_words(["a"], [0.5, 0.5]), "weights: got 2, wanted 1, one for each token"),
        (lambda: plots.heat_words([], []), r"weights: got shape \(0,\), wanted \(T,\), not empty"),
        (lambda: plots.heat_words(["a"], [-0.1]), "weights: got a weight that is negative or not finite"),
        (lambda: plots.heat_words(["a"], [float("nan")]), "weights: got a weight that is negative or not finite"),
        (lambda: plots.heat_words(["a"], [0.5], vmax=0), "vmax: got 0, wanted a number above 0"),
        (lambda: plots.weights_over_time([0.5, 0.5], ["a"]), "labels: got 1, wanted 2"),
        (lambda: plots.weights_over_time([0.5, 0.5], truth=2), "truth: got 2, wanted a step from 0 to 1"),
        (lambda: plots.attention_map(np.ones(3)), r"weights: got shape \(3,\), wanted \(Tq, T\)"),
        (lambda: plots.attention_map(np.ones((2, 3)), ["a"]), "xlabels: got 1, wanted 3"),
        (lambda: plots.attention_map(np.ones((2, 3)), ylabels=["a"]), "ylabels: got 1, wanted 2"),
        (lambda: plots.curves({}), "histories: got none, wanted at least one"),
        (lambda: plots.curves({"a": [1, 2], "b": [1]}), r"histories: got shape \(1, 1\) for 'b', wanted \(runs, 2\)"),
        (lambda: plots.curves({"a": [1]}, band="sd"), 'band: got \'sd\', wanted "range" or "interval"'),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
