"""Which weights with which skills: Cross-time Replay over the checkpoints of a run of Ctx2Skill and its skill versions.

selfplay pairs RUN [contexts=40] [probes=10] [seed=0]

Every checkpoint that was kept (learner.keep), and the base, answers the latest ``probes`` probes of each context with
the skills as of every checkpoint, and with none (which competes only with game.no_skill). Nothing but the run's own
rubrics and its frozen base as the judge decides. The table and the choice go to RUN/pairs.json.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from selfplay.configuration import RecipeError, build
from selfplay.duel_contestants import Run, read_run
from selfplay.evaluation.pairs import Pair, Probes, best_pair
from selfplay.learner.checkpoint_names import step_of, whole_checkpoints
from selfplay.skills.history import probes_of, skills_at
from selfplay.skills.store import SKILLS, SkillStore, Visit
from selfplay.tracking.files import write_json

FILE = "pairs.json"
WORDS = {"contexts": 40, "probes": 10, "seed": 0}


def replay(folder: Path, contexts: int = 40, probes: int = 10, seed: int = 0) -> dict[Pair, float]:
    """The score of every pair of a run.

    Raises:
        RecipeError: no run of Ctx2Skill that was trained, or one whose skill store holds no probes, or whose
            checkpoints or contexts are gone.
    """
    run = read_run(str(folder))
    updates = run.config.learner.updates_per_window
    saved = {step_of(path) // updates: read_run(str(path)) for path in whole_checkpoints(folder / "checkpoints")}
    if not saved:
        raise RecipeError(f"{run.name} has no checkpoint left to pair with skills; train with learner.keep=0.")
    visits = SkillStore(folder / SKILLS).visits()
    asked = _probes(run, visits, contexts, probes, seed)
    windows = (0, *saved)
    skills = {
        window: [skills_at(visits, window).get(context.key, "") for context in asked.contexts_C] for window in windows
    }
    from selfplay.duel_stage import Stage  # which loads torch: after the mistakes

    stage, scores = Stage(), {}
    for window in windows:
        reasoner = stage.sampler(saved.get(window, run), "reasoner", bare=not window)
        answers = {Pair(window, of): asked.answers(reasoner, skills[of]) for of in windows}
        judge = stage.sampler(run, "judge", bare=True)
        scores |= {pair: asked.score(judge, answers_C) for pair, answers_C in answers.items()}
    return scores


def table(scores: dict[Pair, float], best: Pair) -> str:
    """Adapters down, skills across, by the window they are of; the best pair is marked.

    >>> print(table({Pair(0, 0): 0.25, Pair(0, 9): 0.5, Pair(9, 0): 0.5, Pair(9, 9): 0.75}, Pair(9, 9)))
    adapters  skills 0  skills 9
           0    0.250     0.500
           9    0.500     0.750*
    """
    columns = sorted({pair.skills for pair in scores})
    lines = ["adapters" + "".join(f"{f'skills {window}':>10}" for window in columns)]
    for row in sorted({pair.adapters for pair in scores}):
        cells = (f"{scores[Pair(row, of)]:.3f}" + ("*" if Pair(row, of) == best else " ") for of in columns)
        lines.append(f"{row:>8}" + "".join(f"{cell:>10}" for cell in cells).rstrip())
    return "\n".join(lines)


def main(words: Sequence[str]) -> int:
    """Exit status: 0 done, 2 a mistake in the words or a folder that holds no such run."""
    try:
        folder, settings = _read(words)
        scores = replay(folder, **settings)
        best = best_pair(scores, read_run(str(folder)).config.game.no_skill)
    except RecipeError as error:
        print(f"selfplay: {error}", file=sys.stderr)
        return 2
    rows = [{"adapters": pair.adapters, "skills": pair.skills, "score": score} for pair, score in scores.items()]
    write_json(folder / FILE, {"best": rows[list(scores).index(best)], "pairs": rows, **settings})
    print(table(scores, best))
    print(f"best: adapters of window {best.adapters}, skills of window {best.skills} ({folder / FILE})")
    return 0


def _probes(run: Run, visits: Sequence[Visit], contexts: int, most: int, seed: int) -> Probes:
    found = probes_of(visits, most)
    if not found:
        raise RecipeError(f"{run.name} stored no probes to replay; give the folder of a run of Ctx2Skill.")
    domain, game = build(run.config, "domain"), run.config.game
    known = [context for context in domain.contexts(game.split) if context.key in found][:contexts]
    if not known:
        raise RecipeError(f"{run.name}: the domain has none of the contexts that it stored probes of; bring them back.")
    combine = "sum" if game.select == "sum" else "product"
    return Probes(domain, known, [found[context.key] for context in known], game.verdict, combine, seed)


def _read(words: Sequence[str]) -> tuple[Path, dict[str, int]]:
    folders = [word for word in words if "=" not in word]
    if len(folders) != 1:
        raise RecipeError("pairs takes the folder of one run; see selfplay pairs --help.")
    settings = dict(WORDS)
    for key, _, value in (word.partition("=") for word in words if "=" in word):
        if key not in WORDS or not value.isdecimal() or int(value) < (key != "seed"):
            raise RecipeError(f"{key}={value}: pairs takes {', '.join(f'{name}=NUMBER' for name in WORDS)}.")
        settings[key] = int(value)
    return Path(folders[0]).expanduser(), settings


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
