"""The rules of the house, as far as a program can hold them."""

from __future__ import annotations

import ast
import re
import unittest
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = sorted([*ROOT.glob("wardroom/**/*.py"), *ROOT.glob("tests/**/*.py")])


def unused(text: str) -> list[str]:
    """Names that are imported and stand nowhere else in the file."""
    found: list[str] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [(each.asname or each.name).split(".")[0] for each in node.names]
            found += [name for name in names if len(re.findall(rf"\b{name}\b", text)) < 2]
    return [name for name in found if name != "annotations"]


class House(unittest.TestCase):
    def test_files_and_lines_are_short(self) -> None:
        for file in FILES:
            lines = file.read_text("utf-8").splitlines()
            with self.subTest(file.name):
                self.assertLessEqual(len(lines), 400)
                self.assertEqual([line for line in lines if len(line) > 100], [])

    def test_imports_are_used(self) -> None:
        for file in FILES:
            with self.subTest(file.name):
                self.assertEqual(unused(file.read_text("utf-8")), [])

    def test_an_import_that_is_not_used_is_found(self) -> None:
        self.assertEqual(unused("import json\nfrom a import b, c\nc()\n"), ["json", "b"])
