"""A plot's colours for readers in the dark: drawings that follow what the reader prefers.

A drawing keeps a paper of its own, light or dark, so that it can be read on any page, also on one
whose colours do not follow the reader's.
"""

from __future__ import annotations

import re
from colorsys import hls_to_rgb, rgb_to_hls

PAPER = {"#ffffff": "#16181b"}
"""Paper by day and in the dark: that of the site's pages."""

DARKEST, LIGHTEST = 0.095, 0.9
"""Lightness of paper and of ink in the dark."""

USED = re.compile(r'(fill|stroke)(?:: |=")(#[0-9a-f]{6})\b')


ILLEGAL = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML may have: one in a name, and the drawing would not load."""


def for_both(drawn: str) -> str:
    """Return a drawing by matplotlib with a style that turns its colours over in the dark."""
    svg = ILLEGAL.sub("", drawn)
    used = sorted(set(USED.findall(svg)))
    rules = [
        f'[style*="{kind}: {colour}"],[{kind}="{colour}"]{{{kind}:{turned(colour)}!important}}'
        for kind, colour in used
    ]
    # what is filled with black has no fill of its own, and takes the drawing's
    whole = "\n".join([f"svg{{fill:{turned('#000000')}}}", *rules])
    dark = f"@media (prefers-color-scheme: dark) {{\n{whole}\n}}\n"
    return svg.replace("</style>", f"\n{dark}</style>", 1)


def turned(colour: str) -> str:
    """Return ``#rrggbb`` with its lightness turned over and its hue kept: light for dark."""
    if colour in PAPER:
        return PAPER[colour]
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    hue, lightness, saturation = rgb_to_hls(red, green, blue)
    parts = hls_to_rgb(hue, LIGHTEST - (LIGHTEST - DARKEST) * lightness, saturation)
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)
