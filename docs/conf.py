"""Sphinx: the pages of this folder as a site, and the reference out of the docstrings."""

project = "spectrogrand"
author = "The spectrogrand authors"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["results/*.raw.md"]
html_theme = "furo"
html_title = "spectrogrand"
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
# Links to files of the repository that are no pages (sources, scripts) stay as they are.
suppress_warnings = ["myst.xref_missing", "myst.header"]
