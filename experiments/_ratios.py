"""Rules of thumb of the form "this size should be such a share of that one", and how they are judged.

A rule names shares that are best. It is tried at two sizes of the whole, one four times the other, on the snippets
(`_curves`). Its readers are trained until three epochs in a row bring no lower steering loss, and the best epoch
counts. What the rule says is two things:

inside         The best of the recommended shares beats the best of the others, at either size.
share, not     Whoever knows the best share at one size knows it at the other: taking over the share gives a better
number         reader than taking over the number itself. (Of sizes that were not run, the nearest one counts.)

Which share is best is decided, for each seed anew, by the steering losses of all *other* seeds (`_curves.chosen`); the
accuracy on the outcome texts judges. So neither the texts nor the seeds that chose have a say in the result, and a
share that won by luck does not keep what it won. There are more shares outside than inside, which is no advantage for
the others: where the chosen one is judged by what had no say in the choice, a larger choice makes it no better, but
(seeds that are lucky for a share are the ones that do not choose it) a trifle worse.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from experiments import _curves, _snippets, _verdicts
from experiments._curves import BASE, SNIPPETS, Record, Runs, Setup

WORTH = 0.5  # points: the smallest gain worth having
RATE, EPOCHS, PATIENCE = 3e-3, 12, 3
SEEDS = (1, 2, 3, 4, 5, 6)  # not those of the trials that chose the settings


@dataclass(frozen=True)
class Rule:
    """`part` should be one of the `recommended` shares of `whole`."""

    whole: str
    """A field of `Setup`."""
    part: str
    """Another."""
    sizes: tuple[int, int]
    """Of the whole."""
    shares: tuple[str, ...]
    """All that are tried, as fractions."""
    recommended: tuple[str, ...]

    def number(self, size: int, share: str) -> int:
        """The part's size."""
        return max(1, round(Fraction(share) * size))

    def setup(self, size: int, share: str) -> Setup:
        changes: dict[str, Any] = {
            self.whole: size,
            self.part: self.number(size, share),
            "rate": RATE,
            "epochs": EPOCHS,
        }
        return replace(BASE[SNIPPETS], **changes)

    def jobs(self) -> list[tuple[int, str, int]]:
        """(size of the whole, share, seed), one seed of everything before the next."""
        return [(size, share, seed) for seed in SEEDS for size in self.sizes for share in self.shares]

    def run(self, size: int, share: str, seed: int, brief: bool = False) -> Record:
        found = _curves.watched(SNIPPETS, self.setup(size, share), seed, patience=PATIENCE, brief=brief)
        return {"size": size, "share": share, "number": self.number(size, share), **found}

    def smoke(self) -> str:
        return self.table(
            [self.run(size, share, 0, brief=True) for size, share, seed in self.jobs() if seed == SEEDS[0]]
        )

    def terms(self) -> Record:
        """What the runs depend on."""
        return {
            "data": _curves.DATA[SNIPPETS],
            "sha256": _snippets.rows()[2],
            "setup": replace(BASE[SNIPPETS], rate=RATE, epochs=EPOCHS).said(),
            "patience": PATIENCE,
            "tried": {str(size): {share: self.number(size, share) for share in self.shares} for size in self.sizes},
            "seeds": list(SEEDS),
        }

    # --- the verdict --------------------------------------------------------------------------------

    def effects(self, runs: Sequence[Record]) -> list[_verdicts.Effect]:
        return [self.inside(runs, size) for size in self.sizes] + [
            self.taken_over(runs, *pair) for pair in (self.sizes, self.sizes[::-1])
        ]

    def inside(self, runs: Sequence[Record], size: int) -> _verdicts.Effect:
        """The best of the recommended shares against the best of the others."""
        others = [share for share in self.shares if share not in self.recommended]
        inside, outside = ([of(runs, size, share) for share in shares] for shares in (self.recommended, others))
        return _verdicts.paired(
            f"{size} {NAMES[self.whole]}: recommended shares against others",
            _curves.of_chosen(inside),
            _curves.of_chosen(outside),
            unit="points",
            asked=WORTH,
            scale=100,
        )

    def taken_over(self, runs: Sequence[Record], known: int, new: int) -> _verdicts.Effect:
        """The share that is best at one size against the number that is best there, both used at another."""
        best = _curves.chosen([of(runs, known, share) for share in self.shares])
        as_share, as_number = {}, {}
        for seed, place in best.items():
            share = self.shares[place]
            number = self.number(known, share)
            nearest = min(self.shares, key=lambda s: abs(self.number(new, s) - number))
            as_share[seed] = _curves.at_best(of(runs, new, share)[seed])
            as_number[seed] = _curves.at_best(of(runs, new, nearest)[seed])
        return _verdicts.paired(
            f"from {known} to {new} {NAMES[self.whole]}: same share against same number",
            as_share,
            as_number,
            unit="points",
            asked=WORTH,
            scale=100,
        )

    def note(self, runs: Sequence[Record]) -> str:
        """How far apart all shares are, which puts any choice among them into proportion."""
        said = []
        for size in self.sizes:
            right = {share: 100 * _curves.mean(of(runs, size, share), _curves.at_best) for share in self.shares}
            low, high = min(right, key=lambda s: right[s]), max(right, key=lambda s: right[s])
            said.append(
                f"At {size} {NAMES[self.whole]} the means of all {len(self.shares)} shares lie between "
                f"{right[low]:.1f} % ({low}) and {right[high]:.1f} % ({high})."
            )
        return " ".join(said)

    def finding(self, runs: Sequence[Record]) -> _verdicts.Finding:
        return _verdicts.Finding(
            effects=self.effects(runs),
            rule=f"The best of the shares {' and '.join(self.recommended)} gains {WORTH:g} points on the best of the "
            f"others; and the share that is best at one size, used at the other, gains as much on the number of "
            f"units best "
            "there. (Where that number was not run the nearest one stands in; if it is the same share, the effect is "
            "0.)",
            data=_curves.DATA[SNIPPETS],
            seeds=f"{len(SEEDS)} a share and size; the share judged on one seed is chosen on the others",
            note=self.note(runs),
        )

    def table(self, runs: Sequence[Record]) -> str:
        lines = [f"{self.whole:>15} {self.part:>15}    share  best epoch   loss  right, by seed"]
        for size in self.sizes:
            for share in self.shares:
                its = of(runs, size, share)
                if its:
                    right = " ".join(f"{100 * _curves.at_best(one):.1f}" for one in its.values())
                    lines.append(
                        f"{size:15} {self.number(size, share):15} {share:>8} "
                        f"{_curves.mean(its, lambda r: r['best'] + 1):11.1f}  {_curves.mean(its, steering_loss):.3f}  "
                        f"{100 * _curves.mean(its, _curves.at_best):.2f} = {right}"
                    )
        return "\n".join(lines)


NAMES = {"embedding": "features", "units": "LSTM units"}


def steering_loss(record: Record) -> float:
    return _curves.at_best(record, "steering_loss")


def of(runs: Sequence[Record], size: int, share: str) -> Runs:
    return _curves.by_seed(runs, size=size, share=share)


def key(record: Record) -> tuple[int, str, int]:
    return record["size"], record["share"], record["seed"]


Claims = dict[str, Callable[[], _verdicts.Finding]]
