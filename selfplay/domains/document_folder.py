"""A folder of texts as contexts: each file is one, and so is each sub-folder.

folder/handbook.md                     one context, "handbook"
folder/product/system.md               one context, "product": its system prompt ...
folder/product/manual.pdf, notes.txt   ... and its documents, by name
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from selfplay.domains.documents import LONGEST, Documents, bounded, split_of
from selfplay.types import Context

TEXT = (".md", ".txt")
READABLE = (*TEXT, ".pdf")


class Folder(Documents):
    """The contexts of a folder of .md, .txt and .pdf files.

    A file named ``system.md`` or ``system.txt`` in a sub-folder is its system prompt. Other kinds of files, folders in
    sub-folders, and whatever has a name that begins with a dot are passed over. PDF needs the package pypdf.

    Args:
        path: the folder.
        held_out_share: of the contexts, by a hash of their names.
        longest_context: characters of one context.
        wording: see `selfplay.roles.skill_wording.JsonWording`.

    Raises:
        ValueError: no folder, no document in it, two of one name, a file that cannot be read, a context too long.
    """

    def __init__(self, path: str, held_out_share: float = 0.0, longest_context: int = LONGEST, **wording: Any) -> None:
        super().__init__(read_folder(path, longest_context), held_out_share, longest_context, **wording)


def read_folder(path: str, longest: int = LONGEST) -> list[Context]:
    """The contexts of a folder, by name; raises as ``Folder`` does."""
    if not str(path).strip():  # a variable of the shell that is not set; "" would be the working directory
        raise ValueError(f"domain.path is empty; give a folder with {', '.join(READABLE)} files.")
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise ValueError(f"domain.path={path}: is no folder; give one with {', '.join(READABLE)} files.")
    contexts = list(_contexts(folder, f"domain.path={path}", longest))
    if not contexts:
        raise ValueError(f"domain.path={path}: holds no {', '.join(READABLE)} file; give a folder of documents.")
    return contexts


def number_of_contexts(path: str, held_out_share: float = 0.0, split: str = "train") -> int:
    """How many contexts of a split a folder holds, by names alone: no document is read. 0 where there is no folder."""
    folder = Path(path).expanduser()
    if not path.strip() or not folder.is_dir():
        return 0
    names = [entry.stem for entry in folder.iterdir() if _documents(entry)]
    return sum(split_of(name, held_out_share) == split for name in names)


def _contexts(folder: Path, where: str, longest: int) -> Iterator[Context]:
    seen: dict[str, str] = {}
    for entry in sorted(folder.iterdir()):
        files = _documents(entry)
        if not files:
            continue
        if entry.stem in seen:
            raise ValueError(f"{where}: {seen[entry.stem]} and {entry.name} are of one name; rename one of them.")
        seen[entry.stem] = entry.name
        prompts = [file for file in files if entry.is_dir() and file.stem == "system" and file.suffix in TEXT]
        system = _joined(prompts, where)
        document = _joined([file for file in files if file not in prompts], where)
        if not document:
            raise ValueError(f"{where}: {entry.name} holds no text; a scanned PDF must be put through OCR first.")
        yield bounded(Context(entry.stem, system, document), longest, where)


def _documents(entry: Path) -> list[Path]:
    """The readable files of an entry: itself, or those directly in it."""
    if entry.name.startswith("."):
        return []
    files = sorted(entry.iterdir()) if entry.is_dir() else [entry]
    return [file for file in files if file.is_file() and file.suffix in READABLE and not file.name.startswith(".")]


def _joined(files: list[Path], where: str) -> str:
    return "\n\n".join(text for file in files if (text := _text(file, f"{where}: {file.name}")))


def _text(file: Path, where: str) -> str:
    if file.suffix == ".pdf":
        return _pdf_text(file, where)
    try:
        return file.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ValueError(f"{where} cannot be read ({reason}).") from error


def _pdf_text(file: Path, where: str) -> str:
    try:
        from pypdf import PdfReader  # type: ignore[import-not-found]
    except ImportError as error:
        raise ValueError(f"{where} needs the package pypdf: pip install pypdf, or give its text as .txt.") from error
    try:
        return "\n\n".join(page.extract_text() for page in PdfReader(file).pages).strip()
    except Exception as error:  # pypdf has many exceptions for a file that it cannot read
        raise ValueError(f"{where} cannot be read ({type(error).__name__}); give its text as .txt.") from error
