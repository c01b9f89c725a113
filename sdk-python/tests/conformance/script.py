"""The scripts of sdk/conformance/. Their README says what each step means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Iterator, Mapping

FOLDER = Path(__file__).parents[3] / "sdk" / "conformance"
_TEMPLATES: dict[str, Any] = json.loads((FOLDER / "templates.json").read_text("utf-8"))
_MISSING = object()


def scripts() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """File and case."""
    for path in sorted(FOLDER.glob("*.json")):
        if path.name != "templates.json":
            for case in json.loads(path.read_text("utf-8"))["cases"]:
                yield path.name, case


class Names:
    """Values that a case has learned: `$name` in a match stands for one, and later means it."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}

    def meant(self, value: Any) -> Any:
        """A value of a script as it is sent: templates filled in, names replaced."""
        if isinstance(value, str) and value.startswith("$"):
            return self._known[value]
        if isinstance(value, list):
            return [self.meant(item) for item in value]
        if not isinstance(value, dict):
            return value
        if "$repeat" in value:
            return value["$repeat"] * value["times"]
        filled = {name: self.meant(field) for name, field in value.items() if name != "$like"}
        return {**_TEMPLATES.get(value.get("$like", ""), {}), **filled}

    def difference(self, wanted: Any, actual: Any, path: str = "") -> str | None:
        """Where `actual` is not as `wanted`. More fields than wanted are no difference."""
        if isinstance(wanted, str) and wanted.startswith("$"):
            if actual is _MISSING:
                return f"{path} is missing"
            self._known[wanted] = actual
            return None
        if isinstance(wanted, dict) and "$repeat" not in wanted:
            fields = actual if isinstance(actual, dict) else {}
            inner = (
                self.difference(field, fields.get(name, _MISSING), f"{path}.{name}")
                for name, field in wanted.items()
            )
            return next((found for found in inner if found), None)
        if isinstance(wanted, list):
            if not isinstance(actual, list) or len(actual) != len(wanted):
                return f"{path} is {actual!r}, not {wanted!r}"
            pairs = enumerate(zip(wanted, actual))
            found = (self.difference(want, item, f"{path}.{at}") for at, (want, item) in pairs)
            return next((one for one in found if one), None)
        want = self.meant(wanted)
        is_same = actual == want and isinstance(actual, bool) == isinstance(want, bool)
        return None if is_same else f"{path} is {actual!r}, not {want!r}"
