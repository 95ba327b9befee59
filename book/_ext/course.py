"""`{assignment-points} NAME`: what each question of an assignment asks for, and its points.
`{marking-time}`: how long grading took, as measured.

Both come from what they speak of, the questions and assignments/timing.json, so that no page can promise other points
than are given. Titles of concepts are shown; answers and cases stay where they are.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx


def table(head: list[str], rows: list[list[nodes.Node | str]]) -> nodes.table:
    """A table of `head` and `rows`; a cell is text or a node."""
    group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in head), cols=len(head))
    for part, lines in ((nodes.thead(), [head]), (nodes.tbody(), rows)):
        for line in lines:
            row = nodes.row()
            for cell in line:
                row += nodes.entry("", cell if isinstance(cell, nodes.Node) else nodes.paragraph("", cell))
            part += row
        group += part
    return nodes.table("", group, classes=["course-table"])


class AssignmentPoints(Directive):
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        from assignments.questions import questions
        from assignments.reading import argument_cells
        from assignments.submission import source

        rows: list[list[nodes.Node | str]] = []
        for question in questions(self.arguments[0]):
            ideas = nodes.bullet_list("", classes=["simple"])
            for concept in question.concepts:
                ideas += nodes.list_item("", nodes.paragraph("", f"{concept.title} ({concept.points})"))
            name = nodes.paragraph("", "", nodes.literal(text=question.name))
            rows.append([name, ideas, str(question.points)])
        people = argument_cells(source(self.arguments[0]))
        for most in people.values():
            rows.append([nodes.paragraph("", "", nodes.emphasis(text="written")), "read by a person", f"{int(most)}"])
        whole = sum(question.points for question in questions(self.arguments[0])) + sum(people.values())
        rows.append(["together", "", f"{int(whole)}"])
        return [table(["Question", "What is looked at (points)", "Points"], rows)]


class MarkingTime(Directive):
    def run(self) -> list[nodes.Node]:
        file = Path(self.state.document.settings.env.srcdir, "assignments", "timing.json")
        measured = json.loads(file.read_text("utf-8"))
        rows: list[list[nodes.Node | str]] = [
            [each["assignment"], f"{each['submissions']}", f"{each['minutes']:.0f} min"] for each in measured["runs"]
        ]
        words = f"Measured on {measured['machine']}."
        return [table(["Assignment", "Submissions", "Time"], rows), nodes.paragraph("", words)]


def setup(app: Sphinx) -> dict[str, bool]:
    sys.path.insert(0, str(app.confdir))  # for the package of the assignments, which is not installed
    app.add_directive("assignment-points", AssignmentPoints)
    app.add_directive("marking-time", MarkingTime)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
