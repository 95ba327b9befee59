"""The form of the chapters: what a reader sees was run, is in the package, and has its words.

nbval compares the outputs; this file looks at everything nbval lets pass.
"""

import ast
import importlib
import inspect
import json
import pathlib
import re
import textwrap

import nbformat
import pytest

ROOT = pathlib.Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
SECTIONS = ["When it goes wrong", "Summary", "Exercises", "Further reading"]
MAX_LINES = 30
IGNORED_SHARE = 0.05


@pytest.fixture(params=CHAPTERS, ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell):
    return cell.metadata.get("tags", [])


def first_line(cell):
    return cell.source.lstrip().splitlines()[0]


def has_image(cell):
    return any("image/png" in output.get("data", {}) for output in cell.outputs)


def headings(notebook):
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return re.findall(r"^#+ .*", text, flags=re.M)


def test_there_are_chapters():
    assert CHAPTERS, "no chapter found: the tests below would pass on nothing"


def test_every_cell_was_run_in_order(notebook):
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


def test_no_empty_cell(notebook):
    assert all(cell.source.strip() for cell in notebook.cells)


def test_outputs_hold_no_error_no_stderr_no_path(notebook):
    for cell in code_cells(notebook):
        for output in cell.outputs:
            assert output.output_type != "error" or "raises-exception" in tags(cell), cell.source
            assert output.get("name") != "stderr", cell.source
        text = json.dumps([output for output in cell.outputs if output.output_type != "display_data"])
        assert not re.search(r"/(tmp|root|home|Users|work|opt)/|[A-Z]:\\\\|0x[0-9a-f]{6,}|Warning:", text), cell.source


def test_few_outputs_are_ignored_and_each_says_why(notebook):
    cells = code_cells(notebook)
    ignored = [cell for cell in cells if "nbval-ignore-output" in tags(cell) or "nbval-skip" in tags(cell)]
    assert all(first_line(cell).startswith("# why:") for cell in ignored)
    assert not any("NBVAL" in cell.source for cell in cells)
    assert len(ignored) <= IGNORED_SHARE * len(cells)


def test_cells_are_short(notebook):
    for cell in code_cells(notebook):
        assert cell.source.count("\n") < MAX_LINES, cell.source


def test_figures_have_caption_and_alternative_text(notebook):
    for cell in filter(has_image, code_cells(notebook)):
        rendering = cell.metadata.get("mystnb", {})
        alt = rendering.get("image", {}).get("alt", "")
        caption = rendering.get("figure", {}).get("caption", "")
        assert len(alt) > 30 and len(caption) > 30, f"alt {alt!r}, caption {caption!r} for:\n{cell.source}"
        assert alt != caption


def test_every_torch_cell_has_its_keras_twin(notebook):
    cells = notebook.cells
    for position, cell in enumerate(cells):
        if "tab-torch" in tags(cell):
            assert first_line(cell).startswith("# PyTorch"), cell.source
            if first_line(cell).startswith("# PyTorch only:"):
                continue
            twin = cells[position + 1] if position + 1 < len(cells) else None
            assert twin is not None and "tab-keras" in tags(twin), f"no Keras twin after:\n{cell.source}"
        if "tab-keras" in tags(cell):
            assert first_line(cell).startswith("# Keras"), cell.source
            if not first_line(cell).startswith("# Keras only:"):
                assert "tab-torch" in tags(cells[position - 1]), f"no PyTorch twin before:\n{cell.source}"


def test_the_form_of_a_chapter(notebook):
    first = notebook.cells[0]
    assert first.cell_type == "markdown" and first.source.startswith("# ")
    assert "After this chapter you can" in first.source
    found = [heading.lstrip("# ").strip() for heading in headings(notebook)]
    assert [section for section in found if section in SECTIONS] == SECTIONS
    for number, kind in enumerate(["Predict", "Implement", "Break", "Extend"], 1):
        assert f"Exercise {number} · {kind}" in found


def test_every_exercise_has_a_hint_and_a_solution_that_checks_itself(notebook):
    cells = notebook.cells
    starts = [i for i, cell in enumerate(cells) if "### Exercise" in cell.source]
    assert len(starts) == 4
    for start, end in zip(starts, [*starts[1:], len(cells)], strict=True):
        part = cells[start:end]
        assert any("<details><summary>Hint" in cell.source for cell in part), part[0].source
        solutions = [cell for cell in part if "solution" in tags(cell)]
        assert solutions and all("hide-cell" in tags(cell) for cell in solutions), part[0].source
        assert any("assert" in cell.source for cell in solutions), part[0].source


# --- notebook and package stay one -----------------------------------------------------------------


class Bare(ast.NodeTransformer):
    """Take away what a first reading does not need: docstrings, annotations, decorators."""

    def visit_FunctionDef(self, node):
        node.returns, node.decorator_list = None, []
        return self.visit_body(node)

    def visit_ClassDef(self, node):
        node.decorator_list = []
        return self.visit_body(node)

    def visit_body(self, node):
        if ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        return self.generic_visit(node)

    def visit_arg(self, node):
        node.annotation = None
        return node

    def visit_AnnAssign(self, node):
        return ast.Assign(targets=[node.target], value=node.value) if node.value else node


def bare(definition):
    return ast.dump(Bare().visit(definition))


def definitions(source):
    found = (ast.FunctionDef, ast.ClassDef)
    return {node.name: node for node in ast.parse(source).body if isinstance(node, found)}


def package_definition(dotted):
    module, name = dotted.rsplit(".", 1)
    target = inspect.unwrap(getattr(importlib.import_module(module), name))
    return ast.parse(textwrap.dedent(inspect.getsource(target))).body[0]


def references():
    for path in CHAPTERS:
        for cell in code_cells(nbformat.read(path, as_version=4)):
            for tag in tags(cell):
                if tag.startswith("ref:"):
                    yield pytest.param(cell.source, tag.removeprefix("ref:"), id=f"{path.stem}:{tag[4:]}")


@pytest.mark.parametrize(("source", "dotted"), list(references()))
def test_what_a_chapter_builds_is_what_the_package_holds(source, dotted):
    name = dotted.rsplit(".", 1)[1]
    here = definitions(source)
    assert name in here, f"the cell tagged {dotted} defines {sorted(here)}"
    assert bare(here[name]) == bare(package_definition(dotted))


def test_what_a_chapter_builds_is_tagged(notebook):
    """A chapter that defines a public name of the package says so, and is therefore compared."""
    public = {}
    for dialect in ["numpy", "torch", "keras"]:
        module = importlib.import_module(f"attnlstm_ref.{dialect}")
        public |= dict.fromkeys(module.__all__, dialect)
    for cell in code_cells(notebook):
        if "solution" in tags(cell):
            continue
        tagged = {tag.rsplit(".", 1)[1] for tag in tags(cell) if tag.startswith("ref:")}
        assert not (set(definitions(cell.source)) & set(public)) - tagged, cell.source


def test_the_comparison_can_fail():
    ours = "def f(x):\n    'why'\n    return x + 1"
    assert bare(definitions(ours)["f"]) == bare(definitions("@d\ndef f(x: int) -> int:\n    return x + 1")["f"])
    assert bare(definitions(ours)["f"]) != bare(definitions("def f(x):\n    return x + 2")["f"])
