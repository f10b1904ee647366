"""Which endpoint plays which role: words of a recipe, checked before anything is asked."""

from __future__ import annotations

import json

import pytest

from selfplay.checks import check
from selfplay.configuration import RecipeError, build, compose
from selfplay.endpoint_plan import asked_rows
from selfplay.endpoints import endpoint_samplers, settings_of
from selfplay.learner.window import endpoint_counts
from selfplay.plan import make_plan
from selfplay.players import keep_answers, ledgers_of, sampler_of
from selfplay.samplers.openai import EndpointError
from selfplay.types import Episode, Seed

HERE = ["recipe=sqlm_small", "endpoint.url=http://localhost:8000/v1", "endpoint.model=m"]
ASKED = [*HERE, "players.proposer=endpoint", "policy.frozen=[proposer]"]
KEY = "sk-secret-123"


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (
            [*HERE, "players.solver=endpoint"],
            ["players.solver=endpoint, but the solver learns", "policy.frozen=[solver]"],
        ),
        (
            [*HERE, "players.solver=endpoint", "policy.frozen=[proposer]"],
            ["players.solver=endpoint", "or let the model play it"],
        ),
        ([*ASKED, "endpoint.url=null"], ["endpoint.url is empty"]),
        ([*ASKED, "endpoint.model=null"], ["endpoint.model is empty"]),
        ([*ASKED, "endpoint.timeout=0"], ["endpoint.timeout=0 must be a number above 0"]),
        ([*ASKED, "endpoint.retries=-1"], ["endpoint.retries=-1 must be a whole number from 0"]),
        ([*ASKED, "endpoint.at_once=0"], ["endpoint.at_once=0"]),
        ([*ASKED, "endpoint.per_minute=0"], ["endpoint.per_minute=0"]),
        ([*ASKED, "endpoint.most_n=0"], ["endpoint.most_n=0"]),
        ([*ASKED, "endpoint.on_failure=skip"], ["endpoint.on_failure='skip'", "stop, mark"]),
        ([*ASKED, "endpoint.extra={n: 3}"], ["endpoint.extra.n"]),
        ([*ASKED, "endpoint.temperature=-1"], ["endpoint.temperature=-1"]),
        ([*ASKED, "endpoint.prices={prompt: 2}"], ["endpoint.prices={'prompt': 2} must give both", "completion: 8.0"]),
        ([*ASKED, "endpoint.prices={prompt: 2, completion: -1}"], ["endpoint.prices.completion=-1"]),
        ([*ASKED, "endpoint.max_new_tokens={solver: 3}"], ["no entry for the role 'proposer'"]),
        ([*ASKED, "endpoint.api_key_env=NOT_SET_ANYWHERE"], ["endpoint.api_key_env=NOT_SET_ANYWHERE", "not set"]),
        ([*ASKED, "endpoint.modle=x"], ["endpoint.modle", "did you mean endpoint.model"]),
        ([*ASKED, "endpoints.proposer.modle=x"], ["endpoints.proposer.modle", "did you mean model"]),
        ([*ASKED, "endpoints.proposr.model=x"], ["endpoints.proposr", "did you mean proposer"]),
        ([*ASKED, "endpoints={proposer: x}"], ["endpoints={'proposer': 'x'}", "mappings by role"]),
    ],
)
def test_a_mistake_is_one_line(words, parts):
    with pytest.raises(RecipeError) as caught:
        check(compose(words))
    line = str(caught.value)
    assert "\n" not in line
    for part in parts:
        assert part in line


@pytest.mark.parametrize(
    "word",
    [f"endpoint.url=http://u:{KEY}@h/v1", f"endpoint.api_key_env={KEY}", f"endpoints.solver.api_key_env={KEY}"],
)  # fmt: skip
def test_a_key_in_the_recipe_is_refused_even_where_no_endpoint_plays(word):
    with pytest.raises(RecipeError, match=r"^endpoint\.") as caught:
        check(compose(["recipe=sqlm_small", word]))
    assert KEY not in str(caught.value)


def test_nothing_learns_where_no_model_plays():
    check(compose([*HERE, "players=endpoint"]))
    check(compose([*HERE, "players={solver: endpoint, proposer: script}", "script.proposer=[3+4]"]))


def test_a_role_has_its_own_settings_over_the_common_ones():
    words = ["players=endpoint", "endpoint.at_once=3", "endpoints.solver={model: other, max_new_tokens: 7}"]
    config = compose([*HERE, *words])
    assert settings_of(config, "proposer")["max_new_tokens"] == {"proposer": 16, "solver": 48}  # the recipe's own
    proposer, solver = endpoint_samplers(config, ["proposer", "solver"]).values()
    assert (proposer.settings.model, solver.settings.model) == ("m", "other")
    assert (proposer.settings.at_once, solver.settings.at_once) == (3, 3)
    assert (proposer.settings.new_tokens("proposer"), solver.settings.new_tokens("solver")) == (16, 7)


def test_equal_settings_share_one_sampler_and_its_limits():
    config = compose([*HERE, "players=endpoint"])
    proposer, solver = endpoint_samplers(config, ["proposer", "solver"]).values()
    assert proposer is solver
    arena = sampler_of(config, build(config, "game"), lambda: pytest.fail("no role is the model's"))
    assert len(ledgers_of(arena)) == 1


def test_what_all_processes_asked_is_added_up():
    spent = [{"judge": {"calls": 2, "retries": 1}}], [{"judge": {"calls": 3, "retries": 0}}, {"actor": {"calls": 5}}]
    episodes = [Episode(Seed(at, "a"), notes={"endpoints": json.dumps(of_rank)}) for at, of_rank in enumerate(spent)]
    assert endpoint_counts([*episodes, Episode(Seed(2, "a"))]) == {
        "perf/endpoint/judge/calls": 5.0, "perf/endpoint/judge/retries": 1.0, "perf/endpoint/actor/calls": 5.0
    }  # fmt: skip


def test_the_plan_shows_who_is_asked_and_how_much(capsys):
    from selfplay.plan import show

    config = compose([*ASKED, "endpoints.proposer.max_new_tokens=10"])
    proposer, solver = make_plan(config).roles
    assert (proposer.player, proposer.adapter, proposer.tokens) == ("endpoint", "m", 12 * 10)
    assert (solver.player, solver.adapter) == ("model", "solver")
    show(config)
    shown = " ".join(capsys.readouterr().out.split())
    assert "m at http://localhost:8000/v1 plays proposer." in shown
    assert "│ proposer │ 480 │ 61,440 │ 4,800 │ - │ 480 │" in shown  # a call for each reply; prompts of 128 tokens


def test_a_sum_of_which_a_part_has_no_price_says_so():
    priced = "endpoints.proposer.prices={prompt: 1.0, completion: 1.0}"
    plan = make_plan(compose([*HERE, "players=endpoint", priced]))
    (proposer, solver, total) = asked_rows(plan.asked)
    assert (solver[0], solver[4]) == ("solver", "-")
    assert total[4] == f"at least {proposer[4]}"
    assert float(proposer[4]) > 0


def test_each_process_keeps_its_answers_in_a_file_of_its_own(tmp_path):
    sampler = sampler_of(compose([*HERE, "players=endpoint", "endpoint.at_once=2", "endpoints.solver.model=other"]),
                         build(compose(HERE), "game"), lambda: None)  # fmt: skip
    keep_answers(sampler, tmp_path, rank=1)
    first, second = {id(player): player for player in sampler.by_role.values()}.values()
    assert first.asker.answered is second.asker.answered
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.jsonl")] == ["calls/rank-1.jsonl"]
    scripted = sampler_of(compose([*HERE, "debug=scripted"]), build(compose(HERE), "game"), lambda: None)
    keep_answers(scripted, tmp_path / "other", rank=0)
    assert not (tmp_path / "other").exists()
    (tmp_path / "calls" / "rank-2.jsonl").mkdir()
    with pytest.raises(EndpointError, match=r"^answered calls cannot be kept in .*rank-2\.jsonl \(Is a directory\)"):
        keep_answers(sampler, tmp_path, rank=2)
