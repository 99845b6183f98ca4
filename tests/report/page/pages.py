"""Reading of a page as a browser would, without one."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """Tags, texts and addresses of a page."""

    VOID = frozenset({"meta", "link", "img", "input", "br", "line"})

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.texts, self.scripts, self.open = [], [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes another tag"

    def handle_data(self, data):
        (self.scripts if self.open and self.open[-1] == "script" else self.texts).append(data)

    @property
    def text(self):
        return " ".join("".join(self.texts).split())

    def of(self, tag):
        return [attributes for name, attributes in self.attributes if name == tag]


def check(text):
    """Check that a page is whole, asks for nothing outside itself, and runs only its own script."""
    page = Page(text)
    assert page.open == []
    for tag, attributes in page.attributes:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in ("src", "href", "action", "srcset", "data", "poster"):
                assert value.startswith(("data:", "#")), (tag, name, value[:80])
            if name == "style":
                assert "url(" not in value
    assert not {"iframe", "object", "embed", "base", "form", "audio", "video"} & set(page.tags)
    assert "@import" not in text
    kinds = [a.get("type") for a in page.of("script")]
    assert kinds.count(None) == 1
    assert set(kinds) <= {None, "application/json"}
    policy = next(a["content"] for a in page.of("meta") if "http-equiv" in a)
    assert policy.startswith("default-src 'none'; img-src data:;")
    return page
