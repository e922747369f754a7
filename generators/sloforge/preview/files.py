"""Files that are there as a whole, or as they were before."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from sloforge.errors import Problem


def write(file: Path, data: bytes) -> None:
    """Beside the file first, then in its place. Raises Problem and leaves what was there."""
    staged = ""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, staged = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        Path(staged).chmod(0o644)
        Path(staged).replace(file)
    except OSError as error:
        with suppress(OSError):
            Path(staged).unlink()
        raise Problem(f"cannot write {file}: {error.strerror}; name another file") from None
    except BaseException:
        with suppress(OSError):
            Path(staged).unlink()
        raise
