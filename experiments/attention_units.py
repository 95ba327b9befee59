"""Are attention units best at a third to a half of the LSTM units?

The claim of popular articles (id `attention-ratio`): "attention units best at ½–⅓ of the LSTM units". Attention units
are the A of additive attention, e_t = v · tanh(W_q q + W_k h_t), where v has A entries. LSTM units are counted as
Keras' `units` argument counts them, in one direction. A BiLSTM of 8 and of 32 units a direction is trained on sentences
of film reviews, with an eighth to twice as many attention units. (Measured against both directions together, a third
to a half would be ⅔ to 1 of the units here; 1 is among the others.)

The rule, fixed before the runs, is told in `_ratios`: the best of the recommended shares must gain 0.5 points of
accuracy on the best of the others, at either size; and to take over the best *share* from one BiLSTM to the other must
gain as much on taking over the best *number* of attention units. All four effects met: holds; some: holds under
conditions; none, and all failed: refuted.

    python -m experiments.attention_units            # about seven minutes on one core; finished runs are kept
    python -m experiments.attention_units --smoke    # seconds, writes nothing
"""

from __future__ import annotations

from pathlib import Path

from experiments import _ratios, _runs, _verdicts

RESULT = Path(__file__).parent / "results" / "attention_units.json"
RULE = _ratios.Rule(
    whole="units",
    part="attention_units",
    sizes=(8, 32),
    shares=("1/8", "1/4", "1/3", "1/2", "1", "2"),
    recommended=("1/3", "1/2"),
)
jobs, key, table, smoke = RULE.jobs, _ratios.key, RULE.table, RULE.smoke


def run(size: int, share: str, seed: int) -> _ratios.Record:
    return RULE.run(size, share, seed)


def about() -> _ratios.Record:
    """Everything the runs depend on."""
    return RULE.terms() | _runs.here()


def ratio() -> _verdicts.Finding:
    return RULE.finding(_verdicts.runs_of("attention_units"))


CLAIMS: _ratios.Claims = {"attention-ratio": ratio}


if __name__ == "__main__":
    _runs.command(__doc__, RESULT, about, jobs, run, key, table, smoke)
