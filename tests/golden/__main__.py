"""`write` adds the golden files of present versions that are missing; one that is there is never written again."""

from __future__ import annotations

import sys

from .files import FOLDER, files


def write() -> int:
    for place, content in files():
        path = FOLDER / place
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            print(f"kept   {place}")
            continue
        with open(path, "xb") as file:
            file.write(content())
        print(f"added  {place}")
    return 0


if __name__ == "__main__":
    sys.exit(write() if sys.argv[1:] == ["write"] else __doc__)
