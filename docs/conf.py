"""The handbook: `python -m sphinx -W docs FOLDER`, with the packages of the extra `docs`."""

import re
from importlib.metadata import version as _version

project = "hebbware"
copyright = "the hebbware authors"
version = release = _version("hebbware")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
root_doc = "index"
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"hebbware {version}"
html_static_path = ["_static"]
html_css_files = ["handbook.css"]

myst_heading_anchors = 4  # links to headings, as the pages have them
myst_enable_extensions = ["colon_fence", "deflist"]
# names in docstrings may be of golden and hdl alike
suppress_warnings = ["ref.python"]

default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # they stand in the docstrings, with shapes and units
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_custom_sections = [("Members", "params_style"), ("Key", "params_style"), "Behaviour"]


def _files_of_the_root(app, relative_path, parent_docname, content):
    """Pages that are included stand a folder higher than those that include them."""
    link = re.compile(r"\]\((?!https?:|#)(docs/)?([^)]*)\)")
    text = link.sub(lambda m: f"](docs/{m[2]})" if m[1] else f"](../{m[2]})", content[0])
    content[0] = text.replace("](../CONTRIBUTING.md)", "](contributing.md)")


def setup(app):
    """Called by Sphinx."""
    app.connect("include-read", _files_of_the_root)
