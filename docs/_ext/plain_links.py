"""Links of the form `page.rst <page.rst>`_ lead to the built page, so that pages can also be read as plain files.

Links to other files of the repository become downloads. A `contents` directive, which such a reader needs, is left out
of the site: the theme shows each page's contents beside it.
"""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

logger = logging.getLogger(__name__)

PAGES_OF_ROOT_FILES = {
    "CHANGELOG.rst": "changelog",
    "CODE_OF_CONDUCT.rst": "conduct",
    "CONTRIBUTING.rst": "contributing",
    "SECURITY.rst": "security",
}


class PlainLinks(SphinxTransform):
    """Turns relative links into references that Sphinx resolves, and warns of those that lead nowhere."""

    default_priority = 400

    def apply(self, **kwargs: Any) -> None:
        for contents in list(self.document.findall(nodes.topic)):
            if "contents" in contents["classes"]:
                contents.parent.remove(contents)
        for link in list(self.document.findall(nodes.reference)):
            target = link.get("refuri", "")
            if target and "://" not in target and not target.startswith(("mailto:", "#")):
                link.replace_self(self.resolve(link, target))

    def resolve(self, link: nodes.reference, target: str) -> nodes.Node:
        """Return what a link to a path becomes. The path is relative to the page, or to the repository."""
        folder = posixpath.dirname(self.env.docname)
        if target.startswith("docs/"):
            # In a page that includes a file of the repository's root.
            folder, target = "", target.removeprefix("docs/")
        name = posixpath.normpath(posixpath.join(folder, target)).removesuffix(".rst")
        if target.endswith("/"):
            name = posixpath.join(name, "index")
        name = PAGES_OF_ROOT_FILES.get(target, name)
        text = link.astext()
        if name in self.env.found_docs:
            return addnodes.pending_xref(
                "",
                nodes.inline("", text, classes=["doc"]),
                refdomain="std",
                reftype="doc",
                reftarget=f"/{name}",
                # A text that is only the file's name gives way to the page's title.
                refexplicit=not text.endswith((".rst", "/")),
                refdoc=self.env.docname,
                refwarn=True,
            )
        path = posixpath.join("/", folder, target)
        if not (Path(self.env.srcdir) / folder / target).is_file():
            logger.warning("The link to %s leads nowhere.", target, location=link)
        return addnodes.download_reference(
            "", "", nodes.inline(text, text), refdoc=self.env.docname, refdomain="", reftype="download", reftarget=path
        )


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the transform."""
    app.add_transform(PlainLinks)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
