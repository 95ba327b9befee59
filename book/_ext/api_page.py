"""`.. api:: attnlstm_ref`: the reference of a package from its docstrings, on one page.

A package that lists its names in `__all__` is documented by them, as a reader imports them; one that does
not is documented module by module. New modules appear by themselves. autodoc writes reStructuredText, so in a
Markdown page the directive stands in an `{eval-rst}` block.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


def modules(name: str) -> Iterator[str]:
    """The modules below `name` that have something public to say, by name."""
    module = importlib.import_module(name)
    if getattr(module, "__all__", None):
        yield name
        return
    inside = sorted(info.name for info in pkgutil.iter_modules(getattr(module, "__path__", [])))
    public = [each for each in inside if not each.startswith("_")]
    if not public and getattr(module, "__path__", None) is None:
        yield name
    for each in public:
        yield from modules(f"{name}.{each}")


class Api(SphinxDirective):
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        sections = [self.section(name) for name in modules(self.arguments[0])]
        return sections

    def section(self, name: str) -> nodes.section:
        section = nodes.section("", nodes.title("", "", nodes.literal("", name)), ids=[nodes.make_id(name)])
        listed = getattr(importlib.import_module(name), "__all__", None)
        text = f".. automodule:: {name}\n   :members:\n" + ("   :imported-members:\n" if listed else "")
        self.state.nested_parse(StringList(text.splitlines(), source=f"api of {name}"), 0, section)
        return section


def signature_of_init(
    app: Sphinx, what: str, name: str, obj: Any, options: object, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """Keras' layers are made in a `__new__(*args, **kwargs)`; a reader wants the arguments of `__init__`."""
    if what != "class" or signature != "(*args, **kwargs)":
        return signature, returns
    parameters = list(inspect.signature(obj.__init__).parameters.values())[1:]
    bare = [each.replace(annotation=inspect.Parameter.empty) for each in parameters]
    return str(inspect.Signature(bare)), returns


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("api", Api)
    app.connect("autodoc-process-signature", signature_of_init)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
