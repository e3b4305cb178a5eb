"""What MkDocs does on the way from the pages to the site: links that lead out of the documentation become names.

In the repository they lead to files; the site has no such pages.
"""

from __future__ import annotations

import posixpath
import re
from typing import Any

LINK = re.compile(r"\[([^\]]*)\]\(((?:\.\./)+[^)\s]*)\)")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Rewrites a page's links."""
    folder = posixpath.dirname(page.file.src_uri)

    def rewritten(found: re.Match[str]) -> str:
        place = posixpath.normpath(posixpath.join("docs", folder, found[2].partition("#")[0]))
        if place.startswith("docs/") and place.endswith(".md"):
            return found[0]
        name = found[1].strip("`")
        return f"`{place}`" if name == place else f"{name} (`{place}`)"

    return LINK.sub(rewritten, markdown)
