"""What a browser would make of an HTML file: page.py FILE

Fails where tags are not closed in order, or an attribute or element is there that loads or runs anything.
Prints "TAG COUNT" of each element, then "text: ..." of each piece of text.
"""
import base64
import collections
import html.parser
import io
import sys

from PIL import Image

VOID = {"meta", "img", "br"}
counts, stack, texts = collections.Counter(), [], []


class Page(html.parser.HTMLParser):
    def handle_starttag(self, tag, attributes):
        counts[tag] += 1
        assert tag not in ("script", "link", "iframe", "object", "embed"), tag
        for name, value in attributes:
            assert not name.startswith("on"), name
            if name in ("src", "href"):
                kind, _, text = value.partition(";base64,")
                assert kind == "data:image/jpeg", value[:40]
                picture = Image.open(io.BytesIO(base64.b64decode(text, validate=True)))
                picture.load()
                wanted = dict(attributes)
                assert (str(picture.width), str(picture.height)) == (wanted["width"], wanted["height"])
        ids.extend(value for name, value in attributes if name == "id")
        if tag not in VOID:
            stack.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert stack and stack[-1] == tag, (tag, stack[-5:])
        stack.pop()

    def handle_data(self, data):
        if data.strip() and stack[-1] != "style":
            texts.append(data.strip())


ids = []
Page().feed(open(sys.argv[1], encoding="utf-8").read())
assert not stack, stack
assert len(ids) == len(set(ids)), ids
for tag, count in sorted(counts.items()):
    print(tag, count)
for text in texts:
    print("text:", text)
