"""The benchmark: ratios in pairs, bounds, a table and bench.json. Started by launch/bench.sh; read launch/bench.md.

    python -m tests.benchmarks.bench [--quick] [--rounds 15] [--sections trl,roles] [--folder runs/bench]

Exit status 1 where a bound is broken; ``--quick`` holds nothing against a bound and only tries everything once.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.benchmarks.sections import QUICK, SECTIONS, Bench, Section

LIBRARIES = ("selfplay", "torch", "trl", "transformers", "peft", "accelerate")
ROUNDS = 15
WARM_UP = 3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round of everything, no bound: does it run at all?")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--sections", default=",".join(SECTIONS), help="some of them, by comma")
    parser.add_argument("--folder", type=Path, default=Path("runs/bench"))
    words = parser.parse_args()
    unknown = sorted(set(words.sections.split(",")) - set(SECTIONS))
    if unknown or words.rounds < 1:
        parser.error(f"--sections knows {', '.join(SECTIONS)}; --rounds is 1 or more")
    make_room(words.folder)
    started = time.time()
    bench = Bench(words.folder.resolve(), 1 if words.quick else words.rounds, warm_up=1 if words.quick else WARM_UP)
    done: dict[str, Section] = {}
    for name in words.sections.split(","):
        print(f"{name} ...", file=sys.stderr, flush=True)
        done[name] = (QUICK if words.quick else SECTIONS)[name](bench)
    report = as_json(done, words.quick, bench.rounds, time.time() - started)
    (words.folder / "bench.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(table(done, words.quick))
    print(f"\n{words.folder / 'bench.json'}, {report['seconds']:.0f} s")
    return 0 if words.quick or report["holds"] else 1


def make_room(folder: Path) -> None:
    """An empty folder; an earlier benchmark is moved aside, never overwritten."""
    if folder.exists() and any(folder.iterdir()):
        number = 1
        while (moved := folder.with_name(f"{folder.name}.{number}")).exists():
            number += 1
        folder.rename(moved)
        print(f"selfplay: {folder} held an earlier benchmark, which is now {moved}", file=sys.stderr)
    folder.mkdir(parents=True, exist_ok=True)


def as_json(done: dict[str, Section], quick: bool, rounds: int, seconds: float) -> dict[str, Any]:
    return {
        "quick": quick,
        "rounds": rounds,
        "seconds": seconds,
        "machine": {"cores": os.cpu_count(), "load": os.getloadavg(), "processor": processor()},
        "versions": {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES},
        "sections": {
            name: {"ratios": [one.as_json() for one in section.ratios], "contenders": section.contenders}
            for name, section in done.items()
        },
        "holds": all(one.holds for section in done.values() for one in section.ratios),
    }


def processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.is_file():
        return platform.processor()
    lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def table(done: dict[str, Section], quick: bool) -> str:
    """Ratios first, then what they are made of."""
    lines = ["", f"{'ratio':<58} {'median':>7}  {'95 % interval':<15} {'bound':<8}"]
    for section in done.values():
        for one in section.ratios:
            verdict = "" if not one.bound or quick else "holds" if one.holds else "BROKEN"
            interval = f"{one.low:.2f} to {one.high:.2f}" if one.rounds > 1 else ""
            lines.append(f"{one.name:<58} {one.median:7.2f}  {interval:<15} {one.bound:<8} {verdict}".rstrip())
    lines += ["", f"{'contender':<16} {'rows':>5} {'dead':>5} {'rows/s':>7} {'ms':>6}  mean ms of a step, by part"]
    for section in done.values():
        lines += [_line(name, one) for name, one in section.contenders.items() if "split_mean" in one]
    return "\n".join(lines)


def _line(name: str, one: dict[str, Any]) -> str:
    parts = ", ".join(f"{part} {seconds * 1e3:.0f}" for part, seconds in one["split_mean"].items())
    dead = f"{one['dead']:.2f}" if "dead" in one else ""
    return (
        f"{name:<16} {one['rows']:5.0f} {dead:>5} {one['rows_per_second']:7.0f} {one['seconds'] * 1e3:6.0f}  "
        f"{one['seconds_mean'] * 1e3:.0f} = {parts}"
    )


if __name__ == "__main__":
    sys.exit(main())
