"""What ships: small files, loadable by transformers alone, built by the recipe as it stands, and as good as it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from selfplay import small_base
from selfplay.small_base import builder, command, scoring
from selfplay.small_base.recipes import RECIPES

BASES = sorted(RECIPES)
OF_RULE_BOOKS = [name for name in BASES if RECIPES[name].corpus == "rule_books"]


def test_all_weights_together_are_small() -> None:
    files = [path for path in small_base.WEIGHTS.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 8 * 2**20
    assert {path.parent.name for path in files} == set(small_base.shipped_names()) == set(BASES)


@pytest.mark.parametrize("name", BASES)
def test_a_shipped_base_was_built_by_its_recipe_and_within_bands(name: str) -> None:
    record = builder.read_record(small_base.shipped_folder(name))
    assert record["hash"] == RECIPES[name].digest()
    assert builder.outside_bands(record["scores"], RECIPES[name].bands) == record["outside_bands"] == []


@pytest.mark.parametrize("name", OF_RULE_BOOKS)
def test_a_base_of_rule_books_plays_every_role_as_well_as_it_claims(name: str) -> None:
    folder = small_base.shipped_folder(name)
    scores = scoring.score(folder, n=25, seed=7, corpus_name="rule_books")
    claimed = builder.read_record(folder)["scores"]
    assert set(scores) == set(claimed)
    for skill, (low, high) in RECIPES[name].bands.items():  # 100 prompts a skill: within three standard errors
        slack = 3 * (claimed[skill] * (1 - claimed[skill]) / 100) ** 0.5 + 0.01
        assert scores[skill] == pytest.approx(claimed[skill], abs=slack), skill
        assert low - slack <= scores[skill] <= high + slack, skill


@pytest.mark.parametrize("name", [name for name in BASES if name not in OF_RULE_BOOKS])
def test_a_shipped_base_is_an_ordinary_checkpoint_with_the_scores_it_claims(name: str) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = small_base.shipped_folder(name)
    model = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert type(model).__name__ == "LlamaForCausalLM"
    assert model.config.vocab_size == len(tokenizer)
    assert model.generation_config.eos_token_id == tokenizer.eos_token_id
    scores = scoring.score(folder, n=30, seed=7)  # other problems and samples than those in build.json
    claimed = builder.read_record(folder)["scores"]
    assert scores["solve/pass@1"] == pytest.approx(claimed["solve/pass@1"], abs=0.08)
    assert scores["solve/worked_right"] >= 0.93
    assert scores["propose/valid"] >= 0.9
    assert scores["judge/sampled"] == pytest.approx(claimed["judge/sampled"], abs=0.12)


def test_an_unknown_base_is_refused_by_naming_the_known() -> None:
    with pytest.raises(ValueError, match=r"base='large'.*contexts, contexts-1, small, small-1"):
        small_base.shipped_folder("large")


def test_finding_a_base_brings_no_torch() -> None:
    code = "import sys; from selfplay import small_base; "
    code += "from selfplay.small_base import command; small_base.shipped_folder(); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"


def test_the_verb_scores_and_tells_mistakes_in_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert command.main(["score", "--base", "small", "--n", "3"]) == 0
    assert "solve/digits_3/worked_right" in capsys.readouterr().out
    assert command.main(["score", "--base", str(tmp_path)]) == 2
    assert command.main(["build", "--name", "nano"]) == 2
    errors = capsys.readouterr().err.strip().splitlines()
    assert len(errors) == 2
    assert "contexts, contexts-1, small, small-1" in errors[0]
    assert "name='nano'" in errors[1]
