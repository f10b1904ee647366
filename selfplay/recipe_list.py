"""``selfplay recipes``: every shipped recipe with the first line of its header."""

from __future__ import annotations

from collections.abc import Sequence

from selfplay.configuration import recipe_names, recipes_folder


def main(words: Sequence[str] = ()) -> int:
    """Print one line for each recipe; the words are not used."""
    del words
    folder = recipes_folder()
    names = recipe_names()
    width = max(map(len, names))
    for name in names:
        first = (folder / f"{name}.yaml").read_text(encoding="utf-8").partition("\n")[0]
        print(f"{name:<{width}}  {first.lstrip('# ')}")
    print(f"\nin {folder}; your own: copy one and name it by its path, recipe=folder/mine.yaml")
    return 0
