"""Written arguments: what only a person can mark goes out as a table, reading.csv, and comes back by it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attnlstm_ref._files import write_text

from .gradebook import alembic_on_path, course, read_marks, write_feedback, write_mark
from .questions import NAMES
from .submission import Result, grade_id, source


@dataclass(frozen=True)
class Reading:
    """A written argument: who wrote what, and what a person gave for it (None: not read yet)."""

    student: str
    assignment: str
    cell: str
    of: float
    points: float | None
    comment: str = ""
    text: str = ""


def name_of(cell: Mapping[str, Any]) -> str | None:
    """The id of a cell that a person marks; None for any other."""
    about = cell.get("metadata", {}).get("nbgrader", {})
    return grade_id(cell) if about.get("grade") and about.get("solution") else None


def argument_cells(notebook: Any) -> dict[str, float]:
    """id -> points of the cells that a person marks"""
    cells = [cell for cell in notebook.cells if name_of(cell) is not None]
    return {str(name_of(cell)): float(cell.metadata.nbgrader.points) for cell in cells}


def entered(results: Sequence[Result], out: Path) -> dict[tuple[str, str], float | None]:
    """Take points from reading.csv into the gradebook, write the table anew, and return them; None: not read yet."""
    given = read(out / "reading.csv")
    found: dict[tuple[str, str], float | None] = {}
    rows = []
    for each in results:
        cells = argument_cells(source(each.assignment)) if each.assignment in NAMES else {}
        for cell, most in cells.items():
            written = next((c["source"] for c in each.cells if name_of(c) == cell), "")
            handed_out = next(c.source for c in source(each.assignment).cells if name_of(c) == cell)
            row = given.get((each.student, each.assignment, cell))
            if row is not None and row.points is not None and not 0 <= row.points <= most:
                raise SystemExit(
                    f"reading.csv: {each.student}, {cell}: wanted 0 to {most:g} points, got {row.points:g}"
                )
            points, comment = (row.points, row.comment) if row is not None else (None, "")
            if points is None and written.strip() in ("", handed_out.strip()):
                points, comment = 0.0, "Nothing was written."
            if points is not None:
                _enter(each, cell, points, comment, out)
            found[each.student, each.assignment] = points
            rows.append(Reading(each.student, each.assignment, cell, most, points, comment, written))
    if rows:
        write(rows, out / "reading.csv")
    return found


def _enter(result: Result, cell: str, points: float, comment: str, out: Path) -> None:
    api = course(out)
    if read_marks(api, result.assignment, result.student).get(cell) != points:
        write_mark(api, result.assignment, result.student, cell, points, comment)
        with alembic_on_path():
            write_feedback(api, result.assignment, result.student)


def read(file: Path) -> dict[tuple[str, str, str], Reading]:
    """What people gave so far."""
    if not file.exists():
        return {}
    found = {}
    for row in csv.DictReader(io.StringIO(file.read_text("utf-8-sig"), newline="")):
        try:
            points = float(row["points"]) if row["points"].strip() else None
        except ValueError:
            raise SystemExit(
                f"{file.name}: points of {row['student']}: wanted a number, got {row['points']!r}"
            ) from None
        place = row["student"], row["assignment"], row["cell"]
        found[place] = Reading(*place, float(row["of"]), points, row["comment"], row["text"])
    return found


def write(rows: Sequence[Reading], file: Path) -> None:
    """The list to fill in."""
    names = ("student", "assignment", "cell", "points", "of", "comment", "text")
    plain = [{name: getattr(row, name) for name in names} for row in rows]
    write_csv([row | {"points": "" if row["points"] is None else row["points"]} for row in plain], names, file)


def write_csv(rows: Sequence[Mapping[str, object]], names: Sequence[str], file: Path) -> None:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, names)
    writer.writeheader()
    writer.writerows({name: _plain(row[name]) for name in names} for row in rows)
    write_text(file, out.getvalue())


def _plain(value: object) -> object:
    """A text that a spreadsheet would take for a formula gets an apostrophe in front."""
    return f"'{value}" if isinstance(value, str) and value[:1] in tuple("=+-@\t\r") else value
