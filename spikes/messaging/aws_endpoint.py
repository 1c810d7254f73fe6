"""An endpoint of AWS's API: whether AWS itself answers there, and if not, who does."""

from __future__ import annotations

import ipaddress
import json
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

PROBE_TIMEOUT_S = 2.0

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def is_aws(url: str) -> bool:
    """Whether an address is AWS's own; all else imitates it."""
    host = urlsplit(url).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn"))


def on_loopback(url: str) -> bool:
    """Whether an address is this machine's own: no proxy for the outside world leads there."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def health(url: str) -> Mapping[str, Any] | None:
    """Return what ministack's health page says; None where there is no such page."""
    page = f"{url.rstrip('/')}/_ministack/health"
    ask = _DIRECT.open if on_loopback(url) else urllib.request.urlopen
    try:
        with ask(page, timeout=PROBE_TIMEOUT_S) as answer:
            said = json.load(answer)
    except (OSError, ValueError):
        return None
    return said if isinstance(said, dict) else None


def emulator(url: str) -> str:
    """Return the name and version of what imitates AWS, e.g. ``ministack 1.5.17``."""
    said = health(url)
    return "an emulator" if said is None else f"ministack {said.get('version', '')}".rstrip()
