"""JSON as it is sent."""

from __future__ import annotations

import json
from typing import Any


def json_text(value: Any) -> str:
    """Half of a surrogate pair, which UTF-8 cannot hold, is escaped. NaN is no JSON: it raises."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    if text.isascii() or _is_whole(text):
        return text
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def _is_whole(text: str) -> bool:
    return not any("\ud800" <= each <= "\udfff" for each in text)
