"""The ledger: every claim of book/claims.yml, with what the stored runs say of it.

    python -m experiments.ledger    # writes book/ledger.md and book/_static/ledger/*.svg; runs no experiment

Nothing on the page is typed by hand: the words of a claim stand in book/claims.yml, its rule in the script that tests
it, every number in that script's results file. Rendered again from the same files, the page is the same to the letter.
"""

from __future__ import annotations

import importlib
import json
import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from attnlstm_ref import _files
from experiments import _verdicts
from experiments._verdicts import Effect, Finding

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "book" / "ledger.md"
FIGURES = ROOT / "book" / "_static" / "ledger"
UNTESTED = "not yet tested"
VERDICTS = (*_verdicts.VERDICTS, UNTESTED)


# --- what stands in the files -----------------------------------------------------------------------


@dataclass(frozen=True)
class Claim:
    """A line of book/claims.yml."""

    id: str
    claim: str
    chapter: int
    experiment: str | None


@dataclass(frozen=True)
class Row:
    """A claim, what was found, and at what cost."""

    claim: Claim
    finding: Finding | None
    cost: str
    machine: str

    @property
    def verdict(self) -> str:
        return _verdicts.judged(self.finding) if self.finding else UNTESTED


def read_claims(path: Path = ROOT / "book" / "claims.yml") -> list[Claim]:
    """All claims, in the order of the file."""
    return [Claim(**one) for one in yaml.safe_load(path.read_text(encoding="utf-8"))]


def find(claim: Claim) -> Row:
    """What the stored runs say of a claim.

    Raises
    ------
    SystemExit
        Its experiment does not judge it, or lacks runs.
    """
    if claim.experiment is None:
        return Row(claim, None, "", "")
    script = importlib.import_module(f"experiments.{claim.experiment}")
    if claim.id not in script.CLAIMS:
        raise SystemExit(f"{claim.id}: experiments.{claim.experiment} does not judge it")
    found = json.loads(script.RESULT.read_text(encoding="utf-8")) if script.RESULT.exists() else {"runs": []}
    missing = set(map(tuple, script.jobs())) - {script.key(run) for run in found["runs"]}
    if missing:
        raise SystemExit(
            f"{claim.id}: {len(missing)} runs are missing; first: python -m experiments.{claim.experiment}"
        )
    return Row(claim, script.CLAIMS[claim.id](), cost(found["runs"]), found["about"]["machine"])


def cost(runs: Sequence[dict[str, Any]]) -> str:
    """CPU time of all runs of a file, in words."""
    seconds = [run["seconds"] for run in runs if "seconds" in run]
    if len(seconds) < len(runs):
        return f"{len(runs)} runs, CPU time not recorded"
    minutes = sum(seconds) / 60
    return f"{len(runs)} runs, {minutes:.0f} CPU minutes" if minutes >= 1 else f"{len(runs)} runs, under a CPU minute"


def chapters() -> dict[int, str]:
    """Each chapter by its number: a link where it is written, its title where it is planned."""
    pages = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    written = {chapter["file"] for part in pages["parts"] for chapter in part["chapters"]}
    plan = yaml.safe_load((ROOT / "book" / "chapters.yml").read_text(encoding="utf-8"))
    names = {}
    for one in (chapter for part in plan for chapter in part["chapters"]):
        name, page = f"{one['number']} · {one['title']}", f"notebooks/{one.get('file')}"
        names[one["number"]] = f"[{name}](../{page})" if page in written else f"{name} (planned)"
    return names


# --- the page ---------------------------------------------------------------------------------------

OPENING = """\
# The claims, tested

Popular articles on the Attention-LSTM make claims. Here are {all} of them, and what became of those we have tried.

{counts}

**How a verdict comes about.** A claim is tested under a few conditions: data sets, lengths, sizes. Each gives an
*effect*: the difference between what the claim recommends and what it is compared with, paired by seed, with Student's
95 % interval, and signed so that more is better for the claim. Before the runs, the script says how much is asked: half
the gain where the claim names a number, otherwise the smallest gain worth having. An effect is *met* if its whole
interval lies above what is asked, *failed* if it lies below, and *open* otherwise. If all effects are met, the claim
holds; if only some are, it holds under conditions; if none is and all have failed, it is refuted; if none is and some
are open, it is not reproduced. A claim that is judged by a rule of its own says so. An interval "0 to 0"
means that both sides were equal in every seed; it says nothing of other seeds. The models are small and were
trained on two processor cores: a verdict says what was found there, and no more.

**How to read a figure.** A line is a 95 % interval, the sign on it its middle: ● met, ○ open, × failed. The dashed mark
is what was asked, the thin line is no difference at all.

`make experiments` makes the runs, and `make ledger` makes this page of them. A test makes it again and compares.
"""
MEANING = {
    "holds": "every effect is met",
    "holds under conditions": "some are",
    "not reproduced": "none is, and some are open",
    "refuted": "every effect has failed, or its own rule says so",
    "untestable": "no experiment can tell",
    UNTESTED: "no experiment yet",
}


def page(rows: Sequence[Row]) -> str:
    """The whole of book/ledger.md."""
    names = chapters()
    order = [VERDICTS.index(row.verdict) for row in rows]
    lines = ["| verdict | claims | |", "|---|---|---|"]
    for i, verdict in enumerate(VERDICTS):
        if i in order or verdict in VERDICTS[:4]:
            lines.append(f"| {badge(verdict)} | {order.count(i)} | {MEANING[verdict]} |")
    said = [OPENING.format(all=len(rows), counts="\n".join(lines))]
    said += [section(row, names[row.claim.chapter]) for row in rows]
    return "% Made by `make ledger` from book/claims.yml and experiments/results/. Do not edit.\n\n" + "\n".join(said)


def badge(verdict: str) -> str:
    """The verdict in words; the style sheet puts its sign and colour before it."""
    slug = verdict.replace(" ", "-")
    return f'<span class="ledger-badge ledger-{slug}">{verdict}</span>'


def section(row: Row, chapter: str) -> str:
    """One claim."""
    claim, finding, slug = row.claim, row.finding, row.verdict.replace(" ", "-")
    first = f"(claim-{claim.id})=\n## {claim.claim[0].upper()}{claim.claim[1:]}\n"
    head = (
        f":::{{div}} ledger-head verdict-{slug} chapter-{claim.chapter}\n{badge(row.verdict)} Chapter {chapter}\n:::\n"
    )
    if finding is None:
        return f"{first}\n{head}"
    parts = [first, head]
    if finding.effects:
        parts += [f"{headline(finding.effects[0])}\n"]
        # Drawn in the page, not shown as a picture, so that it takes its colours and letters from there.
        parts += [f"```{{raw}} html\n:file: _static/ledger/{claim.id}.svg\n```\n"]
    parts += [f"{finding.note}\n"] if finding.note else []
    own = " (its own)" if finding.verdict else ""
    facts = {
        f"Rule{own}": finding.rule,
        "Data": finding.data,
        "Seeds": finding.seeds,
        "Cost": f"{row.cost} ({row.machine})",
        "Command": f"`python -m experiments.{claim.experiment}`",
    }
    parts += [":::{div} ledger-facts\n" + "\n".join(f"{name}\n: {fact}\n" for name, fact in facts.items()) + ":::\n"]
    return "\n".join(parts)


def headline(effect: Effect) -> str:
    """The first effect as a sentence."""
    middle, low, high = three_numbers(effect)
    said = f"**{middle} {effect.unit}**, 95 % interval {low} to {high}; asked: more than {number(effect.asked)}."
    return f"{effect.name[0].upper()}{effect.name[1:]}: {said}"


def three_numbers(effect: Effect) -> list[str]:
    """Middle and ends with equally many decimals, three digits for the largest of them."""
    found = (effect.estimate, effect.low, effect.high)
    return [number(x, decimals(max(map(abs, found)))) for x in found]


def decimals(x: float) -> int:
    """Of a number that is to have three digits, at most three."""
    return min(3, max(0, 2 - math.floor(math.log10(x)))) if x else 0


def number(x: float, after: int | None = None) -> str:
    """With so many decimals, else with three digits and no trailing nought; with a true minus."""
    text = f"{x:.{decimals(abs(x)) if after is None else after}f}"
    if after is None and "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.replace("-", "−") if float(text) else text.removeprefix("-")


# --- the figures ------------------------------------------------------------------------------------

WIDTH, EDGE, VALUES = 360, 8, 128  # of the drawing; its margin; room for the numbers on the right
LETTERS = 54  # that fit on a line


def figure(row: Row) -> str:
    """All effects of a claim, one below the other, those of a unit on one scale: SVG, to stand within a page."""
    assert row.finding is not None
    parts: list[str] = []
    y = 4.0
    for unit, group in groupby(sorted_by_unit(row.finding.effects), key=lambda effect: effect.unit):
        drawn, y = panel(list(group), unit, y)
        parts += drawn
    words = "; ".join(spoken(effect) for effect in row.finding.effects)
    title = escape(f"{len(row.finding.effects)} effects with 95 % intervals. {words}.", quote=True)
    return (
        f'<svg class="ledger-figure" viewBox="0 0 {WIDTH} {y:g}" role="img" aria-label="{title}">\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def sorted_by_unit(effects: Sequence[Effect]) -> list[Effect]:
    """Effects of one unit together, units in the order of their first effect."""
    units = list(dict.fromkeys(effect.unit for effect in effects))
    return sorted(effects, key=lambda effect: units.index(effect.unit))


def spoken(effect: Effect) -> str:
    state = "met" if effect.met else "failed" if effect.failed else "open"
    middle, low, high = three_numbers(effect)
    return f"{effect.name}: {middle} {effect.unit}, {low} to {high}, asked more than {number(effect.asked)}, {state}"


def panel(effects: Sequence[Effect], unit: str, y: float) -> tuple[list[str], float]:
    """The effects of one unit from height y on, and the height where they end."""
    ends = [0.0, *(x for effect in effects for x in (effect.low, effect.high, effect.asked))]
    ticks = round_numbers(min(ends), max(ends))
    low, high = min(*ends, ticks[0]), max(*ends, ticks[-1])
    left, right = EDGE + 4.0, WIDTH - VALUES - 4.0

    def at(x: float) -> float:
        return round(left + (right - left) * (x - low) / (high - low), 1)

    top, marks = y, []
    for effect in effects:
        for line in textwrap.wrap(effect.name, LETTERS):
            y += 15
            marks.append(text(EDGE, y, line, "ledger-name"))
        y += 15
        marks += mark(effect, at, y)
        y += 7
    y += 5
    zero = f'<line class="ledger-zero" x1="{at(0)}" x2="{at(0)}" y1="{top + 6:g}" y2="{y:g}"/>'
    axis = f'<line class="ledger-axis" x1="{left:g}" x2="{right:g}" y1="{y:g}" y2="{y:g}"/>'
    numbers = [text(at(tick), y + 14, number(tick), "ledger-tick") for tick in ticks]
    said = text(WIDTH - VALUES + 6, y + 14, unit, "ledger-unit")
    return [zero, axis, *numbers, said, *marks], y + 26


def mark(effect: Effect, at: Any, y: float) -> Iterator[str]:
    """An interval, its middle, what is asked, and the numbers."""
    middle, asked = at(effect.estimate), at(effect.asked)
    yield f'<line class="ledger-asked" x1="{asked}" x2="{asked}" y1="{y - 11:g}" y2="{y + 3:g}"/>'
    yield f'<line class="ledger-interval" x1="{at(effect.low)}" x2="{at(effect.high)}" y1="{y - 4:g}" y2="{y - 4:g}"/>'
    if effect.failed:
        arms = f"M{middle - 4:g} {y - 8:g}l8 8m0 -8l-8 8"
        yield f'<path class="ledger-cross" d="{arms}"/>'
    else:
        yield f'<circle class="{"ledger-met" if effect.met else "ledger-open"}" cx="{middle}" cy="{y - 4:g}" r="4.5"/>'
    middle_said, low, high = three_numbers(effect)
    yield text(WIDTH - VALUES + 6, y, f"{middle_said} [{low}, {high}]", "ledger-value")


def text(x: float, y: float, words: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(words)}</text>'


def round_numbers(low: float, high: float) -> list[float]:
    """Two to five round numbers that lie between the two."""
    span = (high - low) or 1.0
    power = 10.0 ** math.floor(math.log10(span))
    step = next(step for step in (0.2 * power, 0.5 * power, power, 2 * power, 5 * power) if span / step <= 4.5)
    return [round(i * step, 10) for i in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


# --- writing ----------------------------------------------------------------------------------------


def render() -> dict[Path, str]:
    """Every file of the ledger and what stands in it."""
    rows = [find(claim) for claim in read_claims()]
    files = {FIGURES / f"{row.claim.id}.svg": figure(row) for row in rows if row.finding and row.finding.effects}
    return {PAGE: page(rows), **files}


def main() -> None:
    files = render()
    FIGURES.mkdir(parents=True, exist_ok=True)
    for path in set(FIGURES.iterdir()) - set(files):
        path.unlink()
    for path, words in files.items():
        _files.write_text(path, words)
    print(f"{PAGE.relative_to(ROOT)}: {len(read_claims())} claims, {len(files) - 1} of them tested")


if __name__ == "__main__":
    main()
