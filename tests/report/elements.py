import re
from html.parser import HTMLParser


class Elements(HTMLParser):
    """All elements of a page: (name, attributes)."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def attributes(self, name):
        return [attributes[name] for _, attributes in self.elements if name in attributes]


def section(page, name):
    return re.search(rf'<section id="{name}">.*?</section>', page, re.DOTALL).group()


def credited(page):
    """The section credits."""
    return Elements(re.search(r'<section id="credits">.*?</section>', page, re.DOTALL).group())
