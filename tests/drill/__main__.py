"""The kill drill: N kills at random moments of short real jobs, each resumed, and nothing lost.

    python -m tests.drill N [--seed S] [--configs laptop,two_cpu,zero2:2] [--launchers ours,accelerate] [--folder F]

Jobs run through the real launcher, in turn under each config. After every kill no process may be left after 60 s and
every checkpoint must load; then the job is started again with resume=auto, until it ends with the adapters and metrics
of the run that nobody disturbed. Exit status 1 below N clean resumes. Which kill and which moment follow from the seed;
where exactly it falls is the machine's.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path

from tests.drill.jobs import ROOT, Job, Setting
from tests.drill.kills import KILLS, strike
from tests.drill.moments import MOMENTS
from tests.drill.wholeness import damaged, differences, files_of, whole_checkpoints

GONE_SECONDS = 60.0
LAST_SECONDS = 600.0


class Drill:
    """Counts what happened. ``words`` are further words for every job."""

    def __init__(self, folder: Path, windows: int, seed: int, launchers: list[str], words: tuple[str, ...]) -> None:
        self.folder, self.windows, self.launchers, self.words = folder, windows, launchers, words
        self.rng = random.Random(seed)
        self.kills = self.clean = self.orphans = self.unreadable = self.ended = self.equal = 0
        self._undisturbed: dict[str, Path] = {}

    def undisturbed(self, setting: Setting) -> Path:
        """The run of this setting that nobody disturbs; made once."""
        if setting.name not in self._undisturbed:
            run = self.folder / f"{setting.name}-undisturbed"
            job = Job(run, setting, self.windows, "ours", self.words)
            if job.wait_until_gone(LAST_SECONDS) is None or job.process.returncode:
                raise SystemExit(f"the undisturbed run of {setting.name} failed; see {job.log}")
            self._undisturbed[setting.name] = run
        return self._undisturbed[setting.name]

    def job(self, number: int, setting: Setting, wanted: int) -> None:
        """Run one job to its end, with up to ``wanted`` kills on the way."""
        undisturbed = self.undisturbed(setting)
        (last, *_) = whole_checkpoints(undisturbed / "checkpoints")
        expected = files_of(last)
        run = self.folder / f"{number:03d}-{setting.name}"
        killed = faults = 0
        while True:
            job = Job(run, setting, self.windows, self.rng.choice(self.launchers), self.words)
            if killed == wanted or not self._disturb(job, setting):
                if job.wait_until_gone(LAST_SECONDS) is None:
                    raise SystemExit(f"{run} does not end; see {job.log}")
                break
            killed += 1
            faults += self._aftermath(job, expected)
        found = differences(run, undisturbed) if job.process.returncode == 0 else [f"exit {job.process.returncode}"]
        self.ended += 1
        self.equal += not found
        self.clean += killed - faults if not found else 0
        self._say(f"{run.name}: {'equal to the undisturbed run' if not found else '; '.join(found)}")

    def _disturb(self, job: Job, setting: Setting) -> bool:
        """Kill the job at a moment of our choice; False when it ended before."""
        kind, moment = self.rng.choice(sorted(KILLS)), self.rng.choice(sorted(MOMENTS))
        if not MOMENTS[moment](job, self.rng):
            return False
        latest = max((path.name for path in whole_checkpoints(job.checkpoints)), default="nothing")
        self.kills += 1
        self._line = f"kill {self.kills:3d}  {setting.name:8s} {kind:17s} {moment:10s} after {latest:11s}"
        strike(job, kind, self.rng)
        return True

    def _aftermath(self, job: Job, expected: set[str]) -> bool:
        """Whether anything is amiss after a kill."""
        seconds = job.wait_until_gone(GONE_SECONDS)
        if seconds is None:
            self.orphans += 1
            for pid in job.alive():  # they would play on with the next job's folder
                strike(job, "SIGKILL all", self.rng)
                self._line += f"  orphan {pid}"
            job.wait_until_gone(GONE_SECONDS)
        torn = damaged(job.checkpoints, expected)
        self.unreadable += bool(torn)
        latest = max((path.name for path in whole_checkpoints(job.checkpoints)), default="nothing")
        end = f"gone in {seconds:4.1f} s" if seconds is not None else "not gone"
        self._say(f"{self._line}  {end}, status {job.process.returncode}, resumes from {latest} {' '.join(torn)}")
        return seconds is None or bool(torn)

    def _say(self, line: str) -> None:
        print(line, flush=True)

    def verdict(self, wanted: int) -> int:
        equal = "bit-equal" if self.equal == self.ended else f"{self.ended - self.equal} of {self.ended} jobs NOT equal"
        self._say(
            f"{self.clean} of {wanted} clean resumes; {equal}; {self.orphans} orphans; "
            f"{self.unreadable} unreadable checkpoints"
        )
        return 0 if self.clean >= wanted else 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="launch/drill.sh", description="N kills, N clean resumes.")
    parser.add_argument("kills", type=int, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--configs", default="laptop,two_cpu", help="in turn; zero2:2 = on 2 processes")
    parser.add_argument("--launchers", default="ours,accelerate", help="drawn for each start")
    parser.add_argument("--windows", type=int, default=16, help="of each job")
    parser.add_argument("--kills-per-job", type=int, default=4)
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / "drill")
    asked, words = parser.parse_known_args()
    settings = [Setting.named(name) for name in asked.configs.split(",")]
    folder = asked.folder / time.strftime("%Y%m%d-%H%M%S")
    drill = Drill(folder.resolve(), asked.windows, asked.seed, asked.launchers.split(","), tuple(words))
    started, number = time.monotonic(), 0
    while drill.kills < asked.kills:
        drill.job(number, settings[number % len(settings)], min(asked.kills_per_job, asked.kills - drill.kills))
        number += 1
    print(f"{number} jobs in {time.monotonic() - started:.0f} s; logs in {folder}")
    return drill.verdict(asked.kills)


if __name__ == "__main__":
    sys.exit(main())
