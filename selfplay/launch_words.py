"""The words of the ``accelerate launch`` that started us, and its config file, read from the process above.

    parents' command lines --among--> Launcher(asked for 2 processes, by MULTI_CPU in default_config.yaml)

A launcher that starts a single process tells it nothing of what it was asked for; its command line does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml


def commands_above() -> list[list[str]]:
    """Command lines of this process's parents, the nearest first; those of others' processes may be hidden from us."""
    import psutil  # comes with accelerate

    commands = []
    for process in psutil.Process().parents():
        try:
            commands.append(process.cmdline())
        except psutil.Error:
            break
    return commands


class Launcher:
    """What the ``accelerate launch`` that started us was asked for; nothing where there is none.

    Args:
        flags: its words before the script's, e.g. ``["--cpu", "--num_processes", "2"]``.
        environ: where it finds its default config (HF_HOME, XDG_CACHE_HOME).
    """

    def __init__(self, flags: Sequence[str], environ: Mapping[str, str]) -> None:
        self._flags = _flags(flags)
        self.file, self._config = _config(self._flags, environ) if flags else (None, {})
        asked = str(self._flags.get("num_processes", self._config.get("num_processes", 1)))
        self.asked = int(asked) if asked.isdigit() else 1  # what accelerate refuses by itself is not our matter
        self.deepspeed = "use_deepspeed" in self._flags or self._config.get("distributed_type") == "DEEPSPEED"

    @classmethod
    def among(cls, above: Sequence[Sequence[str]], environ: Mapping[str, str]) -> Launcher:
        """The nearest one that launches this package; one that launches another program is not ours."""
        for command in above:
            start = _start_of_flags(command)
            if start and any("selfplay" in word for word in command[start:]):
                return cls(command[start:], environ)
        return cls((), environ)

    def blame(self, world: int) -> str:
        """Why one process came of it, in brackets; '' where more than one did or no launcher is known."""
        if world > 1 or self.asked <= 1:
            return ""
        if "cpu" in self._flags:
            return " (--cpu starts a single process, whatever --num_processes says)"
        if self._config.get("distributed_type") == "MULTI_CPU":
            return f" (MULTI_CPU in {self.file} starts a single process)"
        return " (without --multi_gpu or a config it starts a single process where it finds no GPU)"


def _start_of_flags(command: Sequence[str]) -> int | None:
    """Where the launcher's own words begin; None when this is no ``accelerate launch``.

    >>> _start_of_flags(["python", "/venv/bin/accelerate", "launch", "--cpu", "-m", "selfplay.train"])
    3
    >>> _start_of_flags(["bash", "launch/quickstart.sh"]) is None
    True
    """
    names = [Path(word).name for word in command[:4]]  # python [-m] accelerate launch
    for place, name in enumerate(names):
        if name in ("accelerate", "accelerate.commands.accelerate_cli") and names[place + 1 :][:1] == ["launch"]:
            return place + 2
        if name in ("accelerate-launch", "accelerate.commands.launch", "selfplay.launch"):  # ours is accelerate's
            return place + 1
    return None


def _flags(words: Sequence[str]) -> dict[str, str]:
    """``--name value``, ``--name=value`` and ``--name`` up to our module's name, hyphens as underscores.

    >>> _flags(["--cpu", "--num-processes=2", "--config_file", "x.yaml", "-m", "selfplay.train", "seed=1"])
    {'cpu': '', 'num_processes': '2', 'config_file': 'x.yaml'}
    """
    found: dict[str, str] = {}
    name = ""
    for word in words:
        if word in ("-m", "--module", "selfplay.train"):
            break
        if word.startswith("-"):
            name, _, value = word.lstrip("-").partition("=")
            name = name.replace("-", "_")
            found[name] = value
        elif found.get(name) == "":
            found[name] = word
    return found


def _config(flags: Mapping[str, str], environ: Mapping[str, str]) -> tuple[Path | None, dict[str, Any]]:
    """The config file that ``accelerate launch`` reads: the one it was given, or the user's own unless with --cpu."""
    cache = environ.get("XDG_CACHE_HOME", "~/.cache")
    home = Path(environ.get("HF_HOME", Path(cache) / "huggingface")).expanduser()
    path = Path(flags["config_file"]) if "config_file" in flags else home / "accelerate" / "default_config.yaml"
    if not path.is_file() or ("cpu" in flags and "config_file" not in flags):
        return None, {}
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    return path, found if isinstance(found, dict) else {}
