"""Model cards: what they say of base, reward and arms, and whose README is left alone.

That the code in a card loads the adapter is tried in tests/test_quickstart.py, on a trained one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml
from huggingface_hub import ModelCard, ModelCardData
from omegaconf import OmegaConf

from selfplay.configuration import compose, recipe_header
from selfplay.model_card import is_replaceable, write_cards
from selfplay.policy import Policy
from tests.tiny import tiny_base

PASS = "yardstick/arithmetic/pass@1"


def finished_run(folder: Path, *words: str, last: float = 0.9, adapters: tuple[str, ...] = ("solver",)) -> Path:
    """A run's folder as training leaves it, without the training."""
    given = ["recipe=sqlm_small", f"run_name={folder.name}", *words]
    config = compose(given)
    folder.mkdir(parents=True)
    OmegaConf.save(config, folder / "config.yaml", resolve=True)
    course = {"first": 0.3, "best": last, "last": last, "low": last - 0.05, "high": last + 0.05, "definition": "share"}
    summary = {
        "recipe": "sqlm_small", "name": folder.name, "seed": config.seed, "control": config.control.arm, "steps": 40,
        "seconds": 31.0, "versions": {"peft": "0.21.2"}, "metrics": {PASS: course},
        "facts": {"base_digest": "9f2c", "recipe_header": recipe_header(given)},
    }  # fmt: skip
    (folder / "summary.json").write_text(json.dumps(summary))
    rows = [{"step": 0, "time": 1, PASS: 0.3, f"{PASS}/low": 0.25, f"{PASS}/high": 0.35}, {"step": 40, PASS: last}]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for adapter in adapters:
        (folder / "adapters" / adapter).mkdir(parents=True)
        (folder / "adapters" / adapter / "adapter_config.json").write_text("{}")
    return folder


def card_of(run: Path, *beside: Path) -> str:
    (written,) = write_cards(run, beside)
    return written.read_text()


def front_matter(text: str) -> dict:
    return yaml.safe_load(text.split("---\n")[1])


def test_a_card_says_what_the_run_was_and_measured(tmp_path):
    text = card_of(finished_run(tmp_path / "mine", "seed=3"))
    assert front_matter(text)["library_name"] == "peft"
    assert "# mine: the adapter of the solver" in text
    assert "[arXiv 2508.03682](https://arxiv.org/abs/2508.03682)" in text
    assert "Recipe `sqlm_small`, seed 3, 40 windows" in text
    assert "`selfplay.domains.arithmetic.Arithmetic` (operators=+, digits=3, wording=compact)" in text
    assert "| arithmetic pass@1 | 0.300 [0.250, 0.350] | 0.900 [0.850, 0.950] | 0.900 |" in text
    assert "- Expected: held-out pass@1 rises by 45 points or more" in text
    assert "peft 0.21.2" in text
    assert "No control arms were run beside this run" in text


@pytest.mark.parametrize(
    ("words", "base_model", "said", "code"),
    [
        ([], None, "ships with the package selfplay and is not on the hub", "base = str(shipped_folder('small'))"),
        (
            ["policy.base=./bases/mine"],
            None,
            "a checkpoint in a local folder, `./bases/mine`, which is not on the hub",
            "base = './bases/mine'",
        ),
        (
            ["policy.base=Qwen/Qwen3-0.6B", "policy.revision=abc"],
            "Qwen/Qwen3-0.6B",
            "[Qwen/Qwen3-0.6B](https://huggingface.co/Qwen/Qwen3-0.6B), revision abc",
            "AutoModelForCausalLM.from_pretrained(base, revision='abc')",
        ),
    ],
)
def test_where_the_base_is_to_be_had_is_said_as_it_is(tmp_path, words, base_model, said, code):
    text = card_of(finished_run(tmp_path / "mine", *words))
    assert front_matter(text).get("base_model") == base_model
    assert said in text
    assert code in text


def test_control_arms_of_the_same_recipe_stand_in_the_card_and_no_others(tmp_path):
    run = finished_run(tmp_path / "a", adapters=("shared",))
    random = finished_run(tmp_path / "b", "control=random", "seed=1", last=0.31)
    other = finished_run(tmp_path / "c", "control=truth", "learner.epsilon=0.3", last=0.97)
    text = card_of(run, random, other)
    assert "the adapter of all roles" in text
    assert "| sqlm_small | small | method | 1 | 40 | 0.300 -> 0.900 (0.900 to 0.900) |" in text
    assert "| sqlm_small | small | random | 1 | 40 | 0.300 -> 0.310 (0.310 to 0.310) |" in text
    assert "0.970" not in text
    assert "paid by the control arm `random`, not the method" in card_of(random, run)


def test_another_seed_is_no_other_recipe_though_the_domain_takes_it_too(tmp_path):
    words = ("domain=prompt_file", "domain.path=prompts.jsonl")
    runs = [finished_run(tmp_path / str(seed), *words, f"seed={seed}", last=0.8 + seed / 10) for seed in (0, 1)]
    assert "0.300 -> 0.850 (0.800 to 0.900) |" in card_of(*runs, finished_run(tmp_path / "r", *words, "control=random"))


def test_a_summary_is_read_as_json(tmp_path):
    run = finished_run(tmp_path / "a")
    summary = json.loads((run / "summary.json").read_text())
    (run / "summary.json").write_text(json.dumps({**summary, "seconds": 1e-05}))  # which YAML takes for a word
    assert "40 windows, 0 s." in card_of(run)


@pytest.mark.parametrize("torn", ["summary", "weights", "config"])
def test_a_card_that_cannot_be_made_is_no_reason_to_fail_a_finished_run(tmp_path, capsys, torn):
    from selfplay.job import Job

    run = finished_run(tmp_path / "a")
    if torn == "summary":
        summary = json.loads((run / "summary.json").read_text())
        del summary["versions"]
        (run / "summary.json").write_text(json.dumps(summary))
    elif torn == "weights":
        (run / "adapters" / "solver" / "adapter_model.safetensors").write_bytes(b"torn")
    else:
        (run / "config.yaml").write_text("policy: {base: small}\ncontrol: {arm: none}\n")
    Job._write_cards(SimpleNamespace(folder=SimpleNamespace(path=run)))  # type: ignore[arg-type]
    said = capsys.readouterr().err
    assert said.startswith("selfplay: no model card was written (")
    assert said.count("\n") == 1


def test_an_edited_card_is_left_alone_and_an_unedited_one_written_anew(tmp_path):
    run = finished_run(tmp_path / "a")
    before = card_of(run)
    assert is_replaceable(before)
    after = card_of(run, finished_run(tmp_path / "b", "control=random"))
    assert after != before
    file = run / "adapters" / "solver" / "README.md"
    file.write_text(after + "\nMine.")
    assert write_cards(run) == []
    assert file.read_text().endswith("Mine.")


def test_pefts_template_is_replaced_and_a_filled_one_is_not(tmp_path):
    run = finished_run(tmp_path / "a")
    file = run / "adapters" / "solver" / "README.md"
    template = str(ModelCard.from_template(ModelCardData(library_name="peft")))
    file.write_text(template.replace("[More Information Needed]", "known"))
    assert write_cards(run) == []
    file.write_text(template)
    assert "# a: the adapter of the solver" in card_of(run)


def test_a_run_that_ends_once_more_keeps_the_readme_beside_its_adapters(tmp_path):
    policy = Policy.build(str(tiny_base(tmp_path / "base")), ("solver", "proposer"), rank=2)
    policy.save(tmp_path / "adapters")
    (tmp_path / "adapters" / "solver" / "README.md").write_text("Mine.")
    policy.save(tmp_path / "adapters")
    assert (tmp_path / "adapters" / "solver" / "README.md").read_text() == "Mine."
    assert not (tmp_path / "adapters" / "proposer" / "README.md").exists()


def test_an_adapter_that_never_learned_says_so(tmp_path):
    run = finished_run(tmp_path / "run", adapters=())
    policy = Policy.build(str(tiny_base(tmp_path / "base")), ("solver",), rank=2)
    policy.save(run / "adapters")
    assert "It never learned in this run" in card_of(run)
    with torch.no_grad():
        next(p for name, p in policy.parameters_of("solver") if ".lora_B." in name)[0, 0] = 0.1
    policy.save(run / "adapters")
    assert "It never learned in this run" not in card_of(run)


def test_cards_need_no_torch(tmp_path):
    run = finished_run(tmp_path / "a")
    code = "import sys; from pathlib import Path; from selfplay.model_card import write_cards; "
    code += "write_cards(Path(sys.argv[1])); sys.exit('torch' in sys.modules)"
    root = Path(__file__).parents[1]
    environ = {**os.environ, "PYTHONPATH": str(root)}
    assert subprocess.run([sys.executable, "-c", code, str(run)], env=environ).returncode == 0
