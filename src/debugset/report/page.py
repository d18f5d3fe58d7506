"""The page: every section rendered into one HTML file that needs nothing else."""

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from jinja2 import Environment
from markupsafe import Markup

from debugset.base.html import template_environment
from debugset.report.inputs import Inputs
from debugset.report.sections import (
    accuracy,
    by_class,
    credits,
    embedders,
    failure_modes,
    heldout,
    leaks,
    picks,
    pool,
    relations,
    remeasured,
    repeat,
    sparse,
    summary,
)

TEMPLATES = Path(__file__).parent / "templates"
SECTIONS: tuple[ModuleType, ...] = (
    summary,
    accuracy,
    failure_modes,
    remeasured,
    sparse,
    relations,
    heldout,
    picks,
    by_class,
    pool,
    leaks,
    embedders,
    repeat,
    credits,  # after all that show photos
)


def render(inputs: Inputs, sections: Sequence[ModuleType] = SECTIONS) -> str:
    """The whole page as HTML; a section whose files are missing says so."""
    templates = template_environment(TEMPLATES)
    style = Markup((TEMPLATES / "style.css").read_text(encoding="utf-8"))  # ours, not a stranger's
    inputs.shown_pool_rows.clear()
    parts = [_render_section(templates, inputs, section) for section in sections]
    shown = [part for part in parts if part is not None]
    return templates.get_template("page.html").render(style=style, sections=shown)


def _render_section(templates: Environment, inputs: Inputs, section: ModuleType) -> dict[str, object] | None:
    """What the page shows of a section; None if the section has nothing to say."""
    name = section.__name__.rpartition(".")[2]
    missing = inputs.missing_files(section.NEEDS)
    body = ""
    if not missing:
        context = section.context(inputs)
        if context is None:
            return None
        body = Markup(templates.get_template(f"{name}.html").render(inputs=inputs, **context))
    return {"name": name, "short": section.SHORT, "title": section.TITLE, "missing": missing, "body": body}
