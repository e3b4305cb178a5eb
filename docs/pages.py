"""Writes the pages that follow from the code: on each requirement and each area, profiles, reports and the lab.

python docs/pages.py            writes the pages
python docs/pages.py --check    says which of them are not what would be written, and fails if any is
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import jinja2
import profile_reference
import report_reference
import scoreboard_page

from conformance.catalogue import load
from conformance.catalogue.links import link_of
from conformance.catalogue.recipes import FRAMEWORKS, recipes_for
from reference_server.faults import Fault
from reference_server.faults import load as load_faults

HERE = Path(__file__).parent
FOLDER = HERE / "requirements"


def pages() -> dict[str, str]:
    """Every page by its path in this folder."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - it is Markdown
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {
        "faults_of": faults_of,
        "link_of": link_of,
        "recipes_for": recipes_for,
        "frameworks": FRAMEWORKS,
    }
    environment.filters["lower_first"] = scoreboard_page.lower_first
    catalogue = load()
    area_page, page = map(environment.get_template, ("area.md.jinja", "requirement.md.jinja"))
    written = {f"requirements/{area.name}.md": area_page.render(area=area) for area in catalogue.areas}
    known = {"capabilities": catalogue.vocabulary.capabilities}
    for area in catalogue.areas:
        for requirement in area.requirements:
            written[f"{requirement.docs_slug}.md"] = page.render(area=area, requirement=requirement, **known)
    index = environment.get_template("index.md.jinja").render(areas=catalogue.areas, vocabulary=catalogue.vocabulary)
    profiles = environment.get_template("profiles.md.jinja").render(tables=profile_reference.tables())
    presets = environment.get_template("presets.md.jinja").render(presets=profile_reference.presets())
    scores = environment.get_template("scoreboard.md.jinja").render(scoreboard_page.values())
    members = environment.get_template("report.md.jinja").render(members=report_reference.members())
    codes = environment.get_template("exit-codes.md.jinja").render(codes=report_reference.CODES)
    top = {"profiles.md": profiles, "presets.md": presets, "scoreboard.md": scores}
    top |= {"report.md": members, "exit-codes.md": codes}
    return {"requirements/index.md": index, **top, **written}


def faults_of(requirement_id: str) -> list[Fault]:
    """The deliberate faults that break a requirement."""
    return [fault for fault in load_faults().values() if requirement_id in fault.breaks]


def stale() -> list[str]:
    """The paths of pages that are missing, superfluous or out of date."""
    wanted = pages()
    files = {*FOLDER.rglob("*.md"), *(HERE / name for name in wanted)}
    there = {file.relative_to(HERE).as_posix(): file.read_text(encoding="utf-8") for file in files if file.exists()}
    return sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))


def main() -> int:
    """Writes or checks; returns the exit code."""
    parser = argparse.ArgumentParser(description="Write the pages.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail where a page is out of date")
    if parser.parse_args().check:
        outdated = stale()
        for name in outdated:
            sys.stderr.write(f"docs/{name} is out of date: run python docs/pages.py\n")
        return bool(outdated)
    wanted = pages()
    for file in FOLDER.rglob("*.md"):
        if file.relative_to(HERE).as_posix() not in wanted:
            file.unlink()
    for name, text in wanted.items():
        (HERE / name).parent.mkdir(parents=True, exist_ok=True)
        (HERE / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
