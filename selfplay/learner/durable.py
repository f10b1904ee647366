"""Folders that a kill or a power cut leaves whole or absent, and that can be known to be whole. No torch here.

    write into .NAME.writing --sync_tree, seal--> rename to NAME --sync-->      rename to .NAME.removing --> rmtree

A rename is the one moment at which a folder appears or goes; ``manifest.json``, written last, has the size and the
sha256 of every other file, so that a folder torn by whatever else (a copy that broke off, a disk) is known as such.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

MANIFEST = "manifest.json"
WRITING, REMOVING = "writing", "removing"


def hidden(folder: Path, why: str) -> Path:
    """Where a folder is while it comes or goes.

    >>> hidden(Path("checkpoints/step-000020"), WRITING).as_posix()
    'checkpoints/.step-000020.writing'
    """
    return folder.with_name(f".{folder.name}.{why}")


def sync(path: Path) -> None:
    """Wait until the disk has this file, or this folder's list of names.

    Raises:
        OSError: the disk refused, perhaps what was written long before.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Wait until the disk has everything below ``folder``, and its own list of names."""
    for path in [*folder.rglob("*"), folder]:
        sync(path)


def seal(folder: Path) -> None:
    """Write the manifest of all files below ``folder``; after this the folder is what it will be."""
    files = {str(path.relative_to(folder)): _print_of(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    (folder / MANIFEST).write_text(json.dumps({"files": files}, indent=1), encoding="utf-8")


def fault(folder: Path) -> str:
    """What is wrong with a sealed folder, e.g. ``optimizer.pt is missing``; an empty text when it is whole."""
    try:
        files = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
    except FileNotFoundError:
        return f"{MANIFEST} is missing"
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"{MANIFEST} cannot be read ({error})"
    for name, written in files.items():
        path = folder / name
        try:
            if path.stat().st_size != written["bytes"]:
                return f"{name} has {path.stat().st_size} bytes of {written['bytes']}"
            if _print_of(path) != written:
                return f"{name} holds other bytes than were written"
        except OSError as error:
            return f"{name} is missing" if isinstance(error, FileNotFoundError) else f"{name}: {error.strerror}"
    return ""


def publish(written: Path, folder: Path) -> None:
    """Give a whole folder its name. One that has the name already is set aside, never overwritten."""
    if folder.exists():
        set_aside(folder)
    written.rename(folder)
    for parent in folder.parents[:3]:  # their lists of names, up to the folder of all runs
        sync(parent)


def set_aside(folder: Path) -> Path:
    """Rename to ``NAME.1``, ``NAME.2``, ..., the first that is free."""
    number = 1
    while (moved := folder.with_name(f"{folder.name}.{number}")).exists():
        number += 1
    return folder.rename(moved)


def discard(folder: Path) -> None:
    """Remove a folder so that a kill in the middle leaves nothing that looks whole."""
    going = hidden(folder, REMOVING)
    shutil.rmtree(going, ignore_errors=True)
    shutil.rmtree(folder.rename(going))


def _print_of(path: Path) -> dict[str, object]:
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
