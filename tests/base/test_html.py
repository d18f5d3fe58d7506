import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from debugset.base.html import template_environment


def rendered(folder, template, **values):
    (folder / "page.html").write_text(template, encoding="utf-8")
    return template_environment(folder).get_template("page.html").render(values)


def test_what_strangers_wrote_is_escaped_and_our_own_html_is_not(tmp_path):
    text = rendered(tmp_path, "{{ title }}{{ ours }}", title="<script>&", ours=Markup("<b>bold</b>"))
    assert text == "&lt;script&gt;&amp;<b>bold</b>"


def test_a_name_that_is_not_given_is_an_error(tmp_path):
    with pytest.raises(UndefinedError, match="'title' is undefined"):
        rendered(tmp_path, "{{ title }}")


def test_lines_of_statements_leave_no_trace(tmp_path):
    assert rendered(tmp_path, "<ul>\n  {% for n in (1, 2) %}\n<li>{{ n }}\n  {% endfor %}\n</ul>") == (
        "<ul>\n<li>1\n<li>2\n</ul>"
    )
