"""The ledger: no claim is left out, every verdict follows from numbers that are there."""

from __future__ import annotations

import importlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from experiments import _verdicts, ledger
from experiments._verdicts import Effect, Finding, judged, paired, verdict

# The claims the book set out to test.
IDS = {
    *("bilstm-both-ways", "long-memory", "additive-or-dot", "imdb-gain", "imdb-time", "units-ratio", "attention-ratio"),
    *("plateau-gain", "dropout", "multihead-stability", "residual-depth", "batch-range", "clipvalue", "patience"),
    *("temperature", "l2-weights", "checkpointing", "truncate-512", "heatmap-explains", "hybrid", "lsh-cost"),
    *("cross-modal", "distributed"),
}
CLAIMS = ledger.read_claims()
TESTED = [claim for claim in CLAIMS if claim.experiment]


@pytest.fixture(scope="module")
def page() -> str:
    return ledger.PAGE.read_text(encoding="utf-8")


def section(page: str, claim: ledger.Claim) -> str:
    """What the page says of one claim."""
    found = re.search(rf"^\(claim-{claim.id}\)=$(.*?)(?=^\(claim-|\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, f"{claim.id} has no row"
    return found[1]


# --- the page ---------------------------------------------------------------------------------------


def test_no_claim_is_left_out(page: str) -> None:
    assert len(IDS) == 23
    assert sorted(claim.id for claim in CLAIMS) == sorted(IDS)
    assert re.findall(r"^\(claim-(.*)\)=$", page, re.MULTILINE) == [claim.id for claim in CLAIMS]
    for claim in CLAIMS:
        row = section(page, claim)
        assert claim.claim[1:] in row
        assert f"chapter-{claim.chapter}" in row
        if claim.experiment is None:
            assert "verdict-not-yet-tested" in row


def test_made_again_it_is_the_same() -> None:
    """So no number on the page was typed by hand, and none is older than the runs."""
    made = ledger.render()
    for path, words in made.items():
        assert path.read_text(encoding="utf-8") == words, f"{path.name}: run `make ledger`"
    assert set(ledger.FIGURES.iterdir()) == set(made) - {ledger.PAGE}


@pytest.mark.parametrize("claim", TESTED, ids=lambda claim: claim.id)
def test_a_tested_claim_has_its_runs_and_its_verdict_follows_from_them(claim: ledger.Claim, page: str) -> None:
    script = importlib.import_module(f"experiments.{claim.experiment}")
    stored = json.loads(script.RESULT.read_text(encoding="utf-8"))
    keys = [script.key(run) for run in stored["runs"]]
    assert set(keys) == set(map(tuple, script.jobs())) and len(keys) == len(set(keys))
    assert {"versions", "machine", "seeds"} <= set(stored["about"])
    assert all("seed" in run for run in stored["runs"])

    finding = script.CLAIMS[claim.id]()
    row = section(page, claim)
    assert f"verdict-{judged(finding).replace(' ', '-')} " in row
    assert ledger.headline(finding.effects[0]) in row
    assert all(words in row for words in (finding.rule, finding.data, finding.seeds))
    assert f"python -m experiments.{claim.experiment}" in row
    drawn = (ledger.FIGURES / f"{claim.id}.svg").read_text(encoding="utf-8")
    assert all(ledger.escape(effect.name) in drawn for effect in finding.effects)
    assert drawn.count('class="ledger-asked"') == len(finding.effects)


@pytest.mark.parametrize("claim", TESTED, ids=lambda claim: claim.id)
def test_another_outcome_would_be_another_verdict(claim: ledger.Claim) -> None:
    """Were every effect the opposite of what it is, the verdict could not stay."""
    finding = importlib.import_module(f"experiments.{claim.experiment}").CLAIMS[claim.id]()
    if finding.verdict:
        assert "claim" in finding.rule, "a verdict of its own needs a rule of its own"
        return
    far = [replace(e, **dict.fromkeys(("estimate", "low", "high"), e.asked + 1)) for e in finding.effects]
    low = [replace(e, **dict.fromkeys(("estimate", "low", "high"), e.asked - 1)) for e in finding.effects]
    assert (verdict(far), verdict(low)) == ("holds", "refuted")
    assert judged(finding) == verdict(finding.effects)


def test_exchanged_with_their_baselines_the_cures_are_none() -> None:
    """The rule of `temperature` and `l2-weights`, by itself: both verdicts turn round with the runs."""
    script = importlib.import_module("experiments.temperature")
    runs = _verdicts.runs_of("temperature")

    def exchanged(task: str, name: str) -> dict[str, str]:
        swap = {name: "plain", "plain": name}
        changed = [run | {"configuration": swap.get(run["configuration"], run["configuration"])} for run in runs]
        mixed = [a if a["task"] == task else b for a, b in zip(changed, runs, strict=True)]
        return {claim: found["verdict"] for claim, found in script.judge(mixed).items()}

    assert exchanged("recall", "temperature 0.3")["temperature"] == "refuted"
    assert exchanged("reviews", "squares +5")["l2-weights"] == "holds under conditions"


def test_a_claim_without_its_runs_has_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = next(claim for claim in CLAIMS if claim.id == "temperature")
    script = importlib.import_module("experiments.temperature")
    stored = json.loads(script.RESULT.read_text(encoding="utf-8"))
    less = tmp_path / "temperature.json"
    less.write_text(json.dumps(stored | {"runs": stored["runs"][1:]}), encoding="utf-8")
    monkeypatch.setattr(script, "RESULT", less)
    with pytest.raises(SystemExit, match=r"temperature: 1 runs are missing; first: python -m experiments\.temperature"):
        ledger.find(claim)
    monkeypatch.setattr(script, "RESULT", tmp_path / "none.json")
    with pytest.raises(SystemExit, match="140 runs are missing"):
        ledger.find(claim)
    with pytest.raises(SystemExit, match=r"dropout: experiments\.temperature does not judge it"):
        ledger.find(replace(claim, id="dropout"))


def test_numbers_in_words() -> None:
    said = {0: "0", 0.81784: "0.818", -0.12: "−0.12", 12.345: "12.3", 1234.5: "1234", 4: "4", -0.0001: "0"}
    assert {x: ledger.number(x) for x in said} == said
    assert ledger.three_numbers(Effect("x", -0.31, -0.348, -0.2715, "", 0)) == ["−0.310", "−0.348", "−0.272"]
    assert ledger.three_numbers(Effect("x", 0, 0, 0, "", 0)) == ["0", "0", "0"]
    assert ledger.cost([{"seconds": 90.0}, {"seconds": 60.0}]) == "2 runs, 2 CPU minutes"
    assert ledger.cost([{"seconds": 90.0}, {}]) == "2 runs, CPU time not recorded"


@pytest.mark.parametrize(("low", "high"), [(0, 0), (-1, 0), (0, 0.03), (0, 9.5), (-0.7, 41), (0, 1e5)])
def test_an_axis_has_a_few_round_numbers(low: float, high: float) -> None:
    ticks = ledger.round_numbers(low, high)
    assert 1 <= len(ticks) <= 6 and ticks == sorted(set(ticks))
    assert all(low <= tick <= high for tick in ticks)


def test_what_is_drawn_is_what_was_found() -> None:
    """The ends of an interval stand on the axis where its numbers are."""
    effects = [Effect("a <b>", 2, 1, 3, "points", 0.5), Effect("c", -1, -2, 0, "points", 0.5)]
    row = ledger.Row(CLAIMS[0], Finding(effects, "", "", ""), "", "")
    drawn = ledger.figure(row)
    ticks = {float(words.replace("−", "-")): float(x) for x, words in re.findall(r'tick" x="(.*?)" .*?>(.*?)<', drawn)}
    per_unit = (ticks[2] - ticks[0]) / 2
    ends = [tuple(map(float, pair)) for pair in re.findall(r'interval" x1="(.*?)" x2="(.*?)"', drawn)]
    wanted = [(ticks[0] + per_unit * e.low, ticks[0] + per_unit * e.high) for e in effects]
    assert [x for pair in ends for x in pair] == pytest.approx([x for pair in wanted for x in pair], abs=0.2)
    assert drawn.count("ledger-met") == 1 and drawn.count("ledger-cross") == 1  # the second lies below 0.5
    assert "a &lt;b&gt;" in drawn and "a <b>" not in drawn


# --- the rule ---------------------------------------------------------------------------------------


def effect(low: float, high: float, asked: float = 1) -> Effect:
    return Effect("x", (low + high) / 2, low, high, "points", asked)


MET, OPEN, FAILED = effect(1.1, 3), effect(0.5, 1.5), effect(-1, 0.9)


@pytest.mark.parametrize(
    ("effects", "wanted"),
    [
        ([MET], "holds"),
        ([MET, MET], "holds"),
        ([MET, OPEN], "holds under conditions"),
        ([FAILED, MET], "holds under conditions"),
        ([OPEN], "not reproduced"),
        ([OPEN, FAILED], "not reproduced"),
        ([FAILED], "refuted"),
        ([FAILED, FAILED], "refuted"),
        ([effect(1, 2)], "not reproduced"),  # to reach what is asked is not to lie above it
        ([effect(0, 1)], "not reproduced"),
        ([effect(1, 1)], "not reproduced"),
        ([effect(1.0001, 1.0001)], "holds"),
        ([effect(0.9999, 0.9999)], "refuted"),
    ],
)
def test_the_rule(effects: list[Effect], wanted: str) -> None:
    assert verdict(effects) == wanted
    assert verdict(effects[::-1]) == wanted


def test_turned_round_what_holds_is_refuted() -> None:
    turned = [Effect(e.name, -e.estimate, -e.high, -e.low, e.unit, e.asked) for e in (MET, MET)]
    assert (verdict([MET, MET]), verdict(turned)) == ("holds", "refuted")
    a, b = [0.9, 0.91, 0.93], [0.8, 0.79, 0.82]
    assert verdict([paired("x", a, b, "points", 1, 100)]) == "holds"
    assert verdict([paired("x", b, a, "points", 1, 100)]) == "refuted"
    assert verdict([paired("x", a, b, "points", 1, -100)]) == "refuted"  # where less would be better


def test_pairs() -> None:
    found = paired("x", [0.9, 0.7, 0.8], [0.6, 0.5, 0.4], "points", 5, 100)
    assert found.estimate == pytest.approx(30)
    half = 4.302653 * 10 / 3**0.5  # Student's quantile of two degrees of freedom; differences 30, 20, 40
    assert (found.low, found.high) == pytest.approx((30 - half, 30 + half), abs=1e-4)
    by_seed = paired("x", {1: 0.9, 3: 0.8, 2: 0.7}, {2: 0.5, 1: 0.6, 3: 0.4}, "points", 5, 100)
    assert by_seed.estimate == pytest.approx(30) and by_seed.low == pytest.approx(found.low)
    with pytest.raises(ValueError, match=re.escape("b: got seeds [1, 2], wanted those of a, [1, 3]")):
        paired("x", {1: 1.0, 3: 1.0}, {1: 1.0, 2: 1.0}, "points", 0)
    with pytest.raises(ValueError, match="a, b: got a dictionary and a sequence, wanted two of a kind"):
        paired("x", {1: 1.0, 2: 1.0}, [1.0, 2.0], "points", 0)
    with pytest.raises(ValueError, match="at least 2"):
        paired("x", [1.0], [2.0], "points", 0)


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="effects: got none, wanted at least one"):
        verdict([])
    with pytest.raises(ValueError, match="effects: got none, wanted at least one"):
        Finding([], "a rule", "data", "seeds")
    with pytest.raises(ValueError, match="verdict: got 'true', wanted one of holds, "):
        Finding([MET], "a rule", "data", "seeds", verdict="true")
    for numbers in [(1, 2, 3), (float("nan"), 0, 1), (0, float("-inf"), 1)]:
        with pytest.raises(ValueError, match=r"x: got .* wanted finite numbers with low ≤ estimate ≤ high"):
            Effect("x", *numbers, "points", 0)
    assert judged(Finding([MET], "a rule", "data", "seeds", verdict="refuted")) == "refuted"  # its own rule
    assert judged(Finding([], "no data are open", "none", "none", verdict="untestable")) == "untestable"
    with pytest.raises(FileNotFoundError):
        _verdicts.runs_of("no such experiment")
