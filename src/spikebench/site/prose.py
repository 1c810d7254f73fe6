"""Markdown as HTML: raw HTML is shown as text but for comments, which are not shown at all.

Links lead to pages of the site or nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup

from spikebench.site.slug import Slugs

Address = Callable[[str], str | None]
"""From a relative link in a file to its address from the page; None where the site has no such."""

COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)

ELSEWHERE = ("http://", "https://", "mailto:")


@dataclass(frozen=True)
class Prose:
    """A document: the text of its first heading of level 1, and all else as HTML."""

    title: str
    html: Markup


def render(text: str, address: Address) -> Prose:
    """Render CommonMark with tables.

    Headings get ids. A link that leads nowhere, and an image from elsewhere, become their text.
    """
    parser = _parser()
    tokens = parser.parse(text)
    title, body = _apart(tokens)
    _name_headings(body)
    _lead(body, address)
    return Prose(title, Markup(parser.renderer.render(_framed(body), parser.options, {})))


def inline(text: str, address: Address) -> Markup:
    """Render a line of Markdown within a line of a page."""
    parser = _parser()
    tokens = parser.parseInline(text)
    _lead(tokens, address)
    return Markup(parser.renderer.render(tokens, parser.options, {}))


def _parser() -> MarkdownIt:
    """A parser that knows raw HTML only to show it as text, and to leave comments out."""
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    parser.add_render_rule("html_inline", _raw_inline)
    parser.add_render_rule("html_block", _raw_block)
    return parser


def _raw_inline(_: RendererHTML, tokens: Sequence[Token], place: int, *__: object) -> str:
    return escapeHtml(COMMENT.sub("", tokens[place].content))


def _raw_block(_: RendererHTML, tokens: Sequence[Token], place: int, *__: object) -> str:
    shown = escapeHtml(COMMENT.sub("", tokens[place].content)).strip()
    return f"<p>{shown}</p>\n" if shown else ""


def _apart(tokens: Sequence[Token]) -> tuple[str, list[Token]]:
    """The first heading of level 1 as text, and all tokens but those of it."""
    for place, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag == "h1":
            return _text(tokens[place + 1]), [*tokens[:place], *tokens[place + 3 :]]
    return "", list(tokens)


def _text(token: Token) -> str:
    return "".join(child.content for child in token.children or () if child.content)


def _name_headings(tokens: Sequence[Token]) -> None:
    slugs = Slugs()
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", slugs.unique(_text(tokens[place + 1])))
            if token.tag == "h1":  # a page has one, and that is its title
                token.tag = tokens[place + 2].tag = "h2"
        elif token.type == "th_open":
            token.attrSet("scope", "col")


def _framed(tokens: Sequence[Token]) -> list[Token]:
    """Tables within boxes that scroll by themselves, which a keyboard has to reach."""
    framed: list[Token] = []
    tables = 0
    for token in tokens:
        if token.type == "table_open":
            tables += 1
            box = Token("box_open", "div", 1, block=True)
            box.attrs = {
                "class": "scroll",
                "role": "region",
                "tabindex": "0",
                "aria-label": f"table {tables} of the text",
            }
            framed.append(box)
        framed.append(token)
        if token.type == "table_close":
            framed.append(Token("box_close", "div", -1, block=True))
    return framed


def _lead(tokens: Sequence[Token], address: Address) -> None:
    for token in tokens:
        if token.children:
            token.children = _led(token.children, address)


def _led(children: Sequence[Token], address: Address) -> list[Token]:
    led: list[Token] = []
    ended: list[bool] = []
    for child in children:
        if child.type == "link_open":
            found = _found(str(child.attrs.get("href", "")), address)
            ended.append(found is None)
            child.attrs = {} if found is None else {**child.attrs, "href": found}
        if child.type in ("link_open", "link_close") and ended and ended[-1]:
            if child.type == "link_close":
                ended.pop()
            continue
        if child.type == "link_close":
            ended.pop()
        led.append(_picture(child, address) if child.type == "image" else child)
    return led


def _found(href: str, address: Address) -> str | None:
    if href.startswith(("#", *ELSEWHERE)):
        return href
    return address(href)


def _picture(image: Token, address: Address) -> Token:
    """The image where the site has it, else its text: nothing is loaded from elsewhere."""
    source = str(image.attrs.get("src", ""))
    found = None if source.startswith(ELSEWHERE) else address(source)
    if found is None:
        return Token("text", "", 0, content=image.content)
    image.attrs = {**image.attrs, "src": found}
    return image
