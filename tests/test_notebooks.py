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
SELF_TESTS = sorted((ROOT / "book").glob("self_test_*.ipynb"))
SECTIONS = ["When it goes wrong", "Summary", "Exercises", "Further reading"]
MAX_LINES = 30
IGNORED_SHARE = 0.05


@pytest.fixture(params=CHAPTERS, ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


@pytest.fixture(params=CHAPTERS + SELF_TESTS, ids=lambda path: path.stem)
def any_notebook(request):
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


def test_every_cell_was_run_in_order(any_notebook):
    counts = [cell.execution_count for cell in code_cells(any_notebook)]
    assert counts == list(range(1, len(counts) + 1))


def test_no_empty_cell(any_notebook):
    assert all(cell.source.strip() for cell in any_notebook.cells)


def test_outputs_hold_no_error_no_stderr_no_path(any_notebook):
    for cell in code_cells(any_notebook):
        for output in cell.outputs:
            assert output.output_type != "error" or "raises-exception" in tags(cell), cell.source
            assert output.get("name") != "stderr", cell.source
        text = json.dumps([output for output in cell.outputs if output.output_type != "display_data"])
        assert not re.search(r"/(tmp|root|home|Users|work|opt)/|[A-Z]:\\\\|0x[0-9a-f]{6,}|Warning:", text), cell.source


def test_few_outputs_are_ignored_and_each_says_why(any_notebook):
    cells = code_cells(any_notebook)
    ignored = [cell for cell in cells if "nbval-ignore-output" in tags(cell) or "nbval-skip" in tags(cell)]
    assert all(first_line(cell).startswith("# why:") for cell in ignored)
    assert not any("NBVAL" in cell.source for cell in cells)
    assert len(ignored) <= IGNORED_SHARE * len(cells)


def test_cells_are_short(any_notebook):
    for cell in code_cells(any_notebook):
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


@pytest.mark.parametrize("path", SELF_TESTS, ids=lambda path: path.stem)
def test_every_question_of_a_self_test_has_a_folded_answer_and_a_way_back(path):
    cells = nbformat.read(path, as_version=4).cells
    questions = [cell.source for cell in cells if cell.source.startswith("## ")]
    assert len(questions) >= 10
    for number, question in enumerate(questions, 1):
        assert question.startswith(f"## {number} · ")
        asked, answer = question.split(f"<details><summary>Answer to question {number}</summary>")
        assert len(asked.split()) > 10 and len(answer.split()) > 12
        target = re.search(r"\]\(\.\./(notebooks/\w+\.ipynb)\)", answer)
        assert target and (ROOT / target[1]).is_file(), question
    checks = [cell for cell in cells if cell.cell_type == "code"][1:]
    assert checks and all("hide-cell" in tags(cell) for cell in checks)


def test_each_part_that_is_written_has_its_self_test():
    assert len(SELF_TESTS) == 3


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
        if node.value:
            return ast.Assign(targets=[node.target], value=node.value)
        node.annotation = ast.Name("anything")  # a field has to have one, whichever it is
        return node


def bare(definition):
    return ast.dump(Bare().visit(definition))


def definitions(source):
    found = (ast.FunctionDef, ast.ClassDef)
    return {node.name: node for node in ast.parse(source).body if isinstance(node, found)}


def package_object(dotted):
    module, name = dotted.rsplit(".", 1)
    return inspect.unwrap(getattr(importlib.import_module(module), name))


def package_definition(dotted):
    return ast.parse(textwrap.dedent(inspect.getsource(package_object(dotted)))).body[0]


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


# What a chapter takes from the package before any chapter has built it, and why it may.
AHEAD_OF_ITSELF = {
    ("03_bottleneck", "attnlstm_ref.numpy.attend"): "a first taste, in words; built in chapter 4",
    ("03_bottleneck", "attnlstm_ref.numpy.dot_scores"): "a first taste, in words; built in chapter 5",
    ("04_soft_dictionary", "attnlstm_ref.numpy.dot_scores"): "written out as keys @ query; the name is chapter 5's",
    ("04_soft_dictionary", "attnlstm_ref.numpy.scaled_dot_scores"): "named as the default, built in chapter 5",
    ("09_attention_lstm", "attnlstm_ref.numpy.attention_lstm"): "compared with the small one built above it",
    ("09_attention_lstm", "attnlstm_ref.numpy.model.parameter_shapes"): "counted by hand below it",
    ("12_sequence_to_sequence", "attnlstm_ref.numpy.Memory"): "a tuple of what step looks at, said in words",
    ("12_sequence_to_sequence", "attnlstm_ref.numpy.remember"): "chapter 9's encoder and a tanh, said in words",
    ("11_forecasting", "attnlstm_ref.numpy.attention_forecaster"): "compared with the small one built above it",
    ("11_forecasting", "attnlstm_ref.numpy.forecaster_shapes"): "names and sizes of that one's parameters",
}


def imports(source):
    """The dotted names a cell takes from the package, and where it takes a module whole, what it uses of it."""
    tree, modules = ast.parse(source), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {name.asname or name.name: name.name for name in node.names if "attnlstm_ref" in name.name}
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("attnlstm_ref"):
            for name in node.names:
                dotted = f"{node.module}.{name.name}"
                if (ROOT / f"{dotted.replace('.', '/')}.py").is_file():
                    modules[name.asname or name.name] = dotted
                else:
                    yield dotted
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            yield f"{modules[node.value.id]}.{node.attr}"


def chapters_in_turn():
    """(name, dotted name -> source tagged with it, untagged definitions, imports) of each chapter in order."""
    for path in CHAPTERS:
        cells = [cell for cell in code_cells(nbformat.read(path, as_version=4)) if "solution" not in tags(cell)]
        refs = {tag[4:]: cell.source for cell in cells for tag in tags(cell) if tag.startswith("ref:")}
        own = [definitions(cell.source) for cell in cells if not any(tag.startswith("ref:") for tag in tags(cell))]
        yield path.stem, refs, {name for one in own for name in one}, {d for c in cells for d in imports(c.source)}


def test_what_a_later_chapter_imports_is_what_an_earlier_one_built():
    built, defined, early = {}, {}, set()
    for chapter, refs, own, taken in chapters_in_turn():
        for dotted in taken:
            name = dotted.rsplit(".", 1)[1]
            # No chapter may have built something else under the name that is imported now.
            assert name not in defined, f"{chapter} imports {dotted}; {defined[name]} built another {name}"
            here = [key for key in built if package_object(key) is package_object(dotted)]
            for key in here:
                assert bare(definitions(built[key])[name]) == bare(package_definition(dotted)), f"{chapter}: {dotted}"
            if dotted.startswith("attnlstm_ref.numpy.") and not here:
                early.add((chapter, dotted))
        built |= refs
        defined |= dict.fromkeys(own, chapter)
    assert early == set(AHEAD_OF_ITSELF), "imported before it is built, or no longer"


def test_the_comparison_can_fail():
    ours = "def f(x):\n    'why'\n    return x + 1"
    assert bare(definitions(ours)["f"]) == bare(definitions("@d\ndef f(x: int) -> int:\n    return x + 1")["f"])
    assert bare(definitions(ours)["f"]) != bare(definitions("def f(x):\n    return x + 2")["f"])
