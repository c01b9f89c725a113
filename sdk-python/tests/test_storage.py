"""A session in a file."""

from __future__ import annotations

import stat
import tempfile
import unittest
from pathlib import Path

from wardroom import FileStorage


class Files(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "below" / "session"
        self.storage = FileStorage(self.path)

    def test_a_session_is_kept_for_its_owner_only(self) -> None:
        self.assertIsNone(self.storage.get())
        self.storage.set("one")
        self.storage.set("two")
        self.assertEqual(FileStorage(self.path).get(), "two")
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
        self.assertEqual([each.name for each in self.path.parent.iterdir()], ["session"])

    def test_a_session_is_forgotten_once_or_twice(self) -> None:
        self.storage.set("one")
        self.storage.remove()
        self.storage.remove()
        self.assertIsNone(self.storage.get())
