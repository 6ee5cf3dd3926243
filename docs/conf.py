"""The manual: `make docs` builds it into build/docs, warnings being errors."""

from maxent_cli import __version__

project, author = "maxent_cli", "The developers of maxent_cli"
version = release = __version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click"]
html_theme, html_title = "furo", f"maxent {version}"
html_copy_source = False
myst_heading_anchors = 3
myst_enable_extensions = ["deflist"]
nb_execution_mode = "off"  # the tests run the notebook, and what it shows is kept
napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
suppress_warnings = ["misc.highlighting_failure"]  # what commands print is no language
