"""What an instructor reads: a table of marks, one of concepts, the page of mistakes."""

from __future__ import annotations

import html
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from attnlstm_ref._files import write_text

from .questions import NAMES
from .reading import argument_cells, write_csv
from .submission import Mark, Result, source

STYLE = """<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin-bottom: 2rem; }
th, td { text-align: left; vertical-align: top; padding: 0.4rem 0.6rem; border-bottom: 1px solid #8886; }
td.share { white-space: nowrap; font-variant-numeric: tabular-nums; }
meter { width: 6rem; }
li { margin: 0.2rem 0; }
</style>"""


def write_marks(results: Sequence[Result], read: Mapping[tuple[str, str], float | None], file: Path) -> None:
    """One row a submission: points, of how many, and a line for whatever was odd."""
    rows = []
    for each in results:
        most = sum(mark.of for mark in each.marks)
        row: dict[str, object] = {
            "student": each.student,
            "assignment": each.assignment,
            "status": each.status,
            "points": each.points,
            "read": "",
            "of": most,
            "notes": "; ".join(each.notes),
        }
        if each.assignment in NAMES:
            row["of"] = most + sum(argument_cells(source(each.assignment)).values())
        if (each.student, each.assignment) in read:
            points = read[each.student, each.assignment]
            row["read"] = "to be read" if points is None else points
            row["points"] = each.points + (points or 0)
        rows.append(row)
    write_csv(rows, ("student", "assignment", "status", "points", "of", "read", "notes"), file)


def write_concepts(results: Sequence[Result], file: Path) -> None:
    """One row a concept of each submission."""
    rows = [
        {"student": each.student, "assignment": each.assignment, **{name: getattr(mark, name) for name in _MARK}}
        for each in results
        for mark in each.marks
    ]
    write_csv(rows, ("student", "assignment", *_MARK), file)


_MARK = ("question", "concept", "points", "of", "words")


def write_mistakes(results: Sequence[Result], file: Path) -> None:
    """Which concepts were lost how often, and to which mistakes."""
    parts = ["<h1>Which mistakes, and how many made them</h1>"]
    for assignment in sorted({each.assignment for each in results if each.marks}):
        graded = [each for each in results if each.assignment == assignment and each.status == "graded"]
        if not graded:
            continue
        lost: dict[tuple[str, str], list[Mark]] = defaultdict(list)
        for each in graded:
            for mark in each.marks:
                if mark.points < mark.of:
                    lost[mark.question, mark.title].append(mark)
        parts.append(f"<h2>{html.escape(assignment)}: {len(graded)} submissions</h2>")
        parts.append("<table><thead><tr><th>Concept</th><th>Lost by</th><th>What was said</th></tr></thead><tbody>")
        for (question, title), marks in sorted(lost.items(), key=lambda item: -len(item[1])):
            said = Counter(_kind(mark.words) for mark in marks).most_common(4)
            words = "".join(f"<li>{count} × {html.escape(text)}</li>" for text, count in said)
            share = len(marks) / len(graded)
            meter = f"<meter value='{share:.3f}' aria-label='share of the class'></meter>"
            parts.append(
                f"<tr><td><code>{html.escape(question)}</code>: {html.escape(title)}</td>"
                f"<td class='share'>{len(marks)} ({share:.0%})<br>{meter}</td><td><ul>{words}</ul></td></tr>"
            )
        parts.append("</tbody></table>")
    head = "<meta charset='utf-8'><meta name='viewport' content='width=device-width'><title>Mistakes</title>"
    page = f"<!doctype html><html lang='en'><head>{head}{STYLE}</head><body>{''.join(parts)}</body></html>"
    write_text(file, page)


def _kind(words: str) -> str:
    """Without the numbers that differ from one to the next."""
    for start, kind in (("Expected ", "another number than expected"), ("Wanted ", "another kind of answer")):
        if words.startswith(start):
            return kind
    return words.split(" See chapter")[0]
