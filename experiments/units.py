"""Are LSTM units best at a quarter to a half of the input dimension?

The claim of popular articles (id `units-ratio`): "LSTM units best at ¼–½ of the input dimension". The input of an LSTM
that reads words is their embedding. So a BiLSTM with additive attention is trained over embeddings of 16 and of 64
features, with a sixteenth to twice as many units a direction, on sentences of film reviews.

The rule, fixed before the runs, is told in `_ratios`: the best of the recommended shares must gain 0.5 points of
accuracy on the best of the others, at either size; and to take over the best *share* from one embedding to the other
must gain as much on taking over the best *number* of units. If the number is what counts, or if hardly anything does,
this fails. All four effects met: holds; some: holds under conditions; none, and all failed: refuted.

    python -m experiments.units            # about a quarter of an hour on one core; finished runs are kept
    python -m experiments.units --smoke    # seconds, writes nothing
"""

from __future__ import annotations

from pathlib import Path

from experiments import _ratios, _runs, _verdicts

RESULT = Path(__file__).parent / "results" / "units.json"
RULE = _ratios.Rule(
    whole="embedding",
    part="units",
    sizes=(16, 64),
    shares=("1/16", "1/8", "1/4", "1/2", "1", "2"),
    recommended=("1/4", "1/2"),
)
jobs, key, table, smoke = RULE.jobs, _ratios.key, RULE.table, RULE.smoke


def run(size: int, share: str, seed: int) -> _ratios.Record:
    return RULE.run(size, share, seed)


def about() -> _ratios.Record:
    """Everything the runs depend on."""
    return RULE.terms() | _runs.here()


def ratio() -> _verdicts.Finding:
    return RULE.finding(_verdicts.runs_of("units"))


CLAIMS: _ratios.Claims = {"units-ratio": ratio}


if __name__ == "__main__":
    _runs.command(__doc__, RESULT, about, jobs, run, key, table, smoke)
