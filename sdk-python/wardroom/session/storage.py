"""Where a session keeps its tokens: one text, readable by whoever shares the storage."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Callable, Protocol


class SessionStorage(Protocol):
    @property
    def name(self) -> str | None:
        """Storages of equal names share one lock."""
        ...

    def get(self) -> str | None: ...

    def set(self, value: str) -> None: ...

    def remove(self) -> None: ...


class MemoryStorage:
    """The default: the session ends with the process."""

    name: str | None = None

    def __init__(self) -> None:
        self._value: str | None = None

    def get(self) -> str | None:
        return self._value

    def set(self, value: str) -> None:
        self._value = value

    def remove(self) -> None:
        self._value = None


class FileStorage:
    """A file that only its owner may read, one for each session: a program that starts again goes
    on without a login.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path).expanduser().absolute()
        self.name: str | None = str(self._path)

    def get(self) -> str | None:
        try:
            return self._path.read_text("utf-8")
        except FileNotFoundError:
            return None

    def set(self, value: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # The file of `mkstemp` is readable by its owner only; the rename leaves no half of a text.
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=self._path.name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(value)
            os.replace(name, self._path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)


class SurvivingStorage:
    """A storage that is full or forbidden must not cost the session: the value that could not be
    written lives in memory, until somebody else has written another one.
    """

    def __init__(self, storage: SessionStorage, failed: Callable[[Exception], None]) -> None:
        self._storage = storage
        self._failed = failed
        # Not written, and what the storage went on holding.
        self._unwritten: tuple[str | None, str | None] | None = None

    def read(self) -> str | None:
        stored = self._stored()
        if self._unwritten and stored == self._unwritten[1]:
            return self._unwritten[0]
        self._unwritten = None
        return stored

    def write(self, value: str | None) -> None:
        try:
            if value is None:
                self._storage.remove()
            else:
                self._storage.set(value)
            self._unwritten = None
        except Exception as cause:
            # A used refresh token that stays behind would end the session when it is presented.
            if value is not None:
                self._remove()
            self._unwritten = (value, self._stored())
            self._failed(cause)

    def _remove(self) -> None:
        try:
            self._storage.remove()
        except Exception:
            # As bad as the write that failed before, which is reported.
            pass

    def _stored(self) -> str | None:
        try:
            return self._storage.get()
        except Exception as cause:
            if self._unwritten is None:
                self._failed(cause)
            return None
