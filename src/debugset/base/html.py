"""HTML from templates."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def template_environment(folder: Path) -> Environment:
    """Templates of a folder; all that they print is escaped, for titles, names and tags come from strangers.

    A name that a template is not given is an error, not an empty text.
    """
    loader = FileSystemLoader(folder)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
