"""All pages of docs/reference together: made, written, compared with what is there."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, List

from hack.lib.docs import flags, kinds, life, rights, sentences, states, values
from hack.lib.docs.markdown import bullets, page

FOLDER = "docs/reference"


def pages(root: Path) -> Dict[str, str]:
    """File name -> text of every page, with an index."""
    made = {
        **kinds.pages(),
        # A page for people, which stands beside the folder and not in it.
        **{f"../{name}": text for name, text in sentences.pages().items()},
        **life.pages(),
        **states.pages(root),
        **flags.pages(),
        **values.pages(root),
        **rights.pages(root),
    }
    links = [f"[{_title(text)}]({name})" for name, text in made.items()]
    index = page("the code", "Reference", "What can be set and what can be read.")
    return {"README.md": f"{index}\n{bullets(links)}\n", **made}


def everything(root: Path) -> Dict[str, str]:
    """All pages, and those written by hand that have a generated part in them."""
    return {**pages(root), **life.blocks(root)}


def _title(text: str) -> str:
    return next(line[2:] for line in text.splitlines() if line.startswith("# "))


def write(root: Path) -> None:
    """Write what is stale and remove what nothing makes any more."""
    folder, wanted = root / FOLDER, everything(root)
    folder.mkdir(parents=True, exist_ok=True)
    for name in stale(root):
        if name in wanted:
            (folder / name).write_text(wanted[name], encoding="utf-8")
        else:
            (folder / name).unlink()


def stale(root: Path) -> List[str]:
    """Names of the pages that are missing, different or no longer made."""
    folder, wanted = root / FOLDER, everything(root)
    names = sorted({*wanted, *(path.name for path in folder.glob("*.md"))})
    there = {
        name: (folder / name).read_text(encoding="utf-8")
        for name in names
        if (folder / name).exists()
    }
    return [name for name in names if wanted.get(name) != there.get(name)]
