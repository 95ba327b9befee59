"""The same step in NumPy, PyTorch and Keras as one set of tabs.

Neighbouring code cells tagged `tab-numpy`, `tab-torch`, `tab-keras` are joined into tabs of sphinx-design,
which keeps all sets of a group in step, remembers the choice over pages, and obeys `?framework=torch`.
Prose joins through `:::{div} tab-torch`, since a Markdown cell's tags are lost on the way.
In Jupyter nothing changes: the cells follow each other and each runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx_design.shared import create_component

NAMES = {"numpy": "NumPy", "torch": "PyTorch", "keras": "Keras"}
GROUP = "framework"  # also the name of the parameter in the address


def framework_of(node: nodes.Node) -> str | None:
    """The framework a block is tagged with: `tag_tab-torch` on a cell, `tab-torch` on a div."""
    classes = node.get("classes", []) if isinstance(node, nodes.Element) else []
    return next((name for name in NAMES if f"tag_tab-{name}" in classes or f"tab-{name}" in classes), None)


def runs(parent: nodes.Element) -> Iterator[list[nodes.Element]]:
    """Stretches of neighbouring children that belong to a framework."""
    for tagged, children in groupby(parent.children, key=lambda child: framework_of(child) is not None):
        if tagged:
            yield list(children)


def tab(framework: str, blocks: list[nodes.Element]) -> nodes.Element:
    label = nodes.rubric(NAMES[framework], NAMES[framework], classes=["sd-tab-label"])
    label["sync_group"], label["sync_id"] = GROUP, framework
    content = create_component("tab-content", classes=["sd-tab-content"], children=blocks)
    return create_component("tab-item", classes=["sd-tab-item"], children=[label, content])


class FrameworkTabs(SphinxTransform):
    default_priority = 750  # after the cells have become nodes, before references are looked up

    def apply(self, **kwargs: object) -> None:
        parents = [node for node in self.document.findall(nodes.Element) if any(map(framework_of, node.children))]
        for parent in parents:
            for blocks in list(runs(parent)):
                by_framework = {name: [b for b in blocks if framework_of(b) == name] for name in NAMES}
                present = [name for name in NAMES if by_framework[name]]
                if len(present) < 2:  # a single framework needs no choice
                    continue
                start = parent.index(blocks[0])
                items = [tab(name, by_framework[name]) for name in present]
                tab_set = create_component("tab-set", classes=["sd-tab-set", "framework-tabs"], children=items)
                parent.children[start : start + len(blocks)] = []
                parent.insert(start, tab_set)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_transform(FrameworkTabs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
