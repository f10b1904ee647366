"""What this machine can run, and the mend for each lack.

    selfplay doctor [--network] [endpoint.url=URL endpoint.model=NAME endpoint.api_key_env=VARIABLE]

Exit status 0 when the laptop job (recipe sqlm_small) can run here, whatever else is missing; 1 when it cannot. The
network is tried only when asked for.
"""

from __future__ import annotations

import importlib.util
import json
import netrc
import os
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

NEEDED_MEMORY_GIB = 2.5  # resident memory of the laptop job
NEEDED_DISK_GIB = 0.5  # a run folder with its checkpoints
ENDPOINT_WORDS = ("endpoint.url=", "endpoint.model=", "endpoint.api_key_env=")
HUB = "https://huggingface.co"
GIB = 2**30


@dataclass(frozen=True)
class Finding:
    """One line of the report. ``needed`` findings decide the exit status."""

    name: str  # "memory"
    ok: bool
    found: str  # "11.2 GiB free of 15.6"
    mend: str = ""  # what to do when not ok
    needed: bool = False

    def line(self) -> str:
        """
        >>> Finding("ninja", False, "not found", "pip install ninja").line()
        '-  ninja              not found. Mend: pip install ninja'
        """
        mark = "ok" if self.ok else ("NO" if self.needed else "- ")
        return f"{mark} {self.name:<18} {self.found}{'' if self.ok or not self.mend else f'. Mend: {self.mend}'}"


def examine(network: bool = False, endpoint: Mapping[str, str] | None = None) -> list[Finding]:
    """Every finding, in the order of the report; ``endpoint`` has the keys of that group, as far as given."""
    parts: list[Callable[[], Iterator[Finding]]] = [_python, _packages, _machine, _small_base, _gpu, _extras, _accounts]
    return [*(finding for part in parts for finding in part()), _hub(network), *_endpoint(network, endpoint or {})]


def _python() -> Iterator[Finding]:
    found = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", sys.version_info >= (3, 11), found, "install Python 3.11 or newer", needed=True)


def _packages() -> Iterator[Finding]:
    """Installed versions against the package's own pins."""
    from packaging.requirements import Requirement

    for text in requires("selfplay") or ():
        requirement = Requirement(text)
        if requirement.marker is not None:  # an extra
            continue
        mend = f"pip install '{requirement.name}{requirement.specifier}'"
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            yield Finding(requirement.name, False, "not installed", mend, needed=True)
            continue
        fits = requirement.specifier.contains(found, prereleases=True)
        yield Finding(requirement.name, fits, found if fits else f"{found}, written for {requirement.specifier}", mend)


def _machine() -> Iterator[Finding]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    yield Finding("cores", True, f"{cores}" + ("" if cores > 1 else " (two are about twice as fast)"))
    free, total = memory_gib()
    enough = free >= NEEDED_MEMORY_GIB
    mend = f"close other programs: the laptop job needs {NEEDED_MEMORY_GIB} GiB"
    yield Finding("memory", enough, f"{free:.1f} GiB free of {total:.1f}", mend, needed=True)
    disk = shutil.disk_usage(Path.cwd()).free / GIB
    mend = "free some space, or write elsewhere: output_dir=/other/disk"
    yield Finding("disk", disk >= NEEDED_DISK_GIB, f"{disk:.1f} GiB free in {Path.cwd()}", mend, needed=True)


def memory_gib() -> tuple[float, float]:
    """(available, total); what a container may use where it is limited to less than the machine has."""
    import psutil  # comes with accelerate

    memory = psutil.virtual_memory()
    free, total = memory.available, memory.total
    limit_file, used_file = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
    if limit_file.is_file() and (limit := limit_file.read_text().strip()).isdigit() and int(limit) < total:
        free, total = min(free, int(limit) - int(used_file.read_text())), int(limit)
    return free / GIB, total / GIB


def _gpu() -> Iterator[Finding]:
    if importlib.util.find_spec("torch") is None:
        return  # said above
    import torch

    if torch.cuda.is_available():
        names = [torch.cuda.get_device_properties(index) for index in range(torch.cuda.device_count())]
        yield Finding("GPU", True, "; ".join(f"{gpu.name}, {gpu.total_memory / GIB:.0f} GiB" for gpu in names))
    elif torch.version.cuda is None and shutil.which("nvidia-smi"):
        mend = f"pip install --force-reinstall torch=={torch.__version__.partition('+')[0]} from PyPI"
        yield Finding("GPU", False, f"there is one, but torch {torch.__version__} is a CPU build", mend)
    else:
        yield Finding("GPU", False, "none; the small base needs none", "for larger bases use a machine with one")


def _extras() -> Iterator[Finding]:
    for tool, mend in (("g++", "apt install g++, or your system's compiler package"), ("ninja", "pip install ninja")):
        beside = Path(sys.executable).parent / tool
        path = shutil.which(tool) or (str(beside) if beside.exists() else None)
        found = path or "not found; DeepSpeed (ZeRO) cannot build its operators"
        yield Finding(f"{tool} (DeepSpeed)", path is not None, found, mend)
    try:
        yield Finding("vLLM", True, version("vllm"))
    except PackageNotFoundError:
        mend = "pip install 'selfplay[vllm]' on a machine with a GPU"
        yield Finding("vLLM", False, "not installed; transformers generates", mend)


def _accounts() -> Iterator[Finding]:
    found = "logged in" if wandb_login_known() else "not logged in; runs are kept offline in the run folder"
    yield Finding("W&B", wandb_login_known(), found, "wandb login")


def wandb_login_known() -> bool:
    """Whether a key is at hand, in the environment or in ~/.netrc; the key itself is not looked at."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    try:
        return netrc.netrc().authenticators("api.wandb.ai") is not None
    except (OSError, netrc.NetrcParseError):
        return False


def _small_base() -> Iterator[Finding]:
    """The shipped bases, and whether they are what this version's recipes build."""
    from selfplay.small_base import WEIGHTS
    from selfplay.small_base.recipes import RECIPES

    for name, recipe in RECIPES.items():
        try:
            built = json.loads((WEIGHTS / name / "build.json").read_text(encoding="utf-8"))["hash"]
            size = (WEIGHTS / name / "model.safetensors").stat().st_size
        except (OSError, ValueError, KeyError) as error:
            mend = "reinstall the package, or build one: selfplay small-base build"
            yield Finding(f"base {name}", False, f"not whole ({error})", mend, needed=name == "small")
            continue
        same = built == recipe.digest()
        found = f"{size / 2**20:.1f} MiB, built by recipe {built}"
        mend = f"selfplay small-base build --name {name}, then policy.base=THAT_FOLDER"
        yield Finding(
            f"base {name}", same, found + ("" if same else f", while this version's is {recipe.digest()}"), mend
        )


def _hub(network: bool) -> Finding:
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "YES", "ON"):
        return Finding("hub", False, "switched off by HF_HUB_OFFLINE", "unset HF_HUB_OFFLINE to load other bases")
    if not network:
        return Finding("hub", False, "not tried", "selfplay doctor --network tries it")
    try:
        with urllib.request.urlopen(HUB, timeout=5) as answer:
            return Finding("hub", True, f"{HUB} answers ({answer.status})")
    except (urllib.error.URLError, TimeoutError) as error:
        reason = getattr(error, "reason", error)
        mend = "check the network; the small base needs no hub, other bases can be given as a folder"
        return Finding("hub", False, f"{HUB} does not answer ({reason})", mend)


def _endpoint(network: bool, given: Mapping[str, str]) -> Iterator[Finding]:
    """Only where one was named; nothing is generated."""
    if not given:
        return
    if not network:
        yield Finding("endpoint", False, "not tried", "selfplay doctor --network endpoint.url=URL tries it")
        return
    from selfplay.samplers.endpoint.probe import probe

    ok, found = probe(given.get("url"), given.get("api_key_env"), given.get("model"))
    yield Finding("endpoint", ok, found.rstrip("."), "see recipes/endpoints.md")


def main(words: Sequence[str] = ()) -> int:
    """Print the report; 0 when the laptop job can run, 1 when it cannot, 2 for a word that is not known."""
    endpoint = dict(word.removeprefix("endpoint.").split("=", 1) for word in words if word.startswith(ENDPOINT_WORDS))
    unknown = [word for word in words if word != "--network" and not word.startswith(ENDPOINT_WORDS)]
    if unknown:
        print(f"selfplay: {unknown[0]!r} is unknown; selfplay doctor [--network] [endpoint.url=URL]", file=sys.stderr)
        return 2
    findings = examine("--network" in words, endpoint)
    for finding in findings:
        print(finding.line())
    lacking = [finding.name for finding in findings if finding.needed and not finding.ok]
    if lacking:
        print(f"\nThe laptop job cannot run here yet: {', '.join(lacking)}.")
        return 1
    print("\nThe laptop job can run: bash launch/quickstart.sh, or selfplay train recipe=sqlm_small")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
