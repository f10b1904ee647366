"""``selfplay inspect RUN``: a run's curves, alarms, cost and episodes as one page for the browser.

selfplay inspect RUN [--out FILE] [--open] [--characters N]

The run may still be going. The page is RUN/inspect.html unless ``--out`` says otherwise; a page of an earlier call is
replaced, any other file is left alone. ``--open`` shows it in the system's browser. ``--characters`` is how much text
of episodes to embed at most (default 100 million); the page says which were chosen.
"""

from __future__ import annotations

import argparse
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from selfplay.report import CHARACTERS, write_page

PAGE = "inspect.html"


def main(words: Sequence[str] = ()) -> int:
    """0: written, 1: no run there or no place to write, 2: misuse. Prints the page's path."""
    parser = argparse.ArgumentParser("selfplay inspect", description="A run as one page for the browser.")
    parser.add_argument("run", type=Path, help="a run's folder, finished or still going")
    parser.add_argument("--out", type=Path, help=f"the page; default RUN/{PAGE}")
    parser.add_argument("--open", action="store_true", help="show it in the system's browser")
    parser.add_argument("--characters", type=int, default=CHARACTERS, help="text of episodes to embed at most")
    try:
        said = parser.parse_args(list(words))
    except SystemExit as ending:
        return int(ending.code or 0)
    if said.characters < 1:
        print(f"selfplay: --characters={said.characters} must be 1 or more.", file=sys.stderr)
        return 2
    try:
        target = write_page(said.out or said.run / PAGE, said.run, said.characters)
    except (ValueError, OSError) as error:
        print(f"selfplay: {error}", file=sys.stderr)
        return 1
    print(target)
    if said.open:
        webbrowser.open(target.resolve().as_uri())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
