"""Curves: what is drawn is what was measured."""

import json

import pytest

from selfplay.tracking.curves import arm_of, draw, main, mean_curve, read_curve
from tests.tracking.fakes import opened, pass_at_1

PASS = "yardstick/arithmetic/pass@1"


@pytest.fixture
def runs(tmp_path):
    folders = [tmp_path / f"seed-{seed}" for seed in range(2)]
    for seed, folder in enumerate(folders):
        with opened(folder) as journal:
            for step in (0, 10, 20)[: 3 - seed]:
                journal.measured(step, [pass_at_1(0.3 + step / 50 + seed / 10)])
            journal.finish()
    return folders


def test_a_curve_has_its_values_and_bounds(runs):
    curve = read_curve(runs[0], PASS)
    assert curve.arm == "sqlm_small"
    assert curve.points[10] == (pytest.approx(0.5), pytest.approx(0.45), pytest.approx(0.55))
    assert sorted(curve.points) == [0, 10, 20]


def test_the_mean_is_over_steps_that_every_seed_measured(runs):
    mean = mean_curve([read_curve(folder, PASS) for folder in runs])
    assert mean.points == {
        0: (pytest.approx(0.35), pytest.approx(0.3), pytest.approx(0.4)),
        10: (pytest.approx(0.55), pytest.approx(0.5), pytest.approx(0.6)),
    }


def test_control_arms_have_names_of_their_own(runs):
    summary = json.loads((runs[0] / "summary.json").read_text()) | {"control": "random"}
    (runs[0] / "summary.json").write_text(json.dumps(summary))
    assert arm_of(runs[0]) == "sqlm_small, random reward"
    (runs[0] / "summary.json").unlink()
    assert arm_of(runs[0]) == "seed-0"


def test_a_picture_is_written(runs, tmp_path):
    out = tmp_path / "curve.png"
    main([*map(str, runs), "--metric", PASS, "--out", str(out)])
    assert out.read_bytes().startswith(b"\x89PNG")


def test_an_unmeasured_metric_is_refused_with_what_there_is(runs, tmp_path):
    with pytest.raises(ValueError, match="it has: yardstick/arithmetic/pass@1"):
        draw(runs, ["yardstick/arithmetic/maj@8"], tmp_path / "curve.png")
    with pytest.raises(SystemExit):
        main([str(tmp_path / "nowhere"), "--out", str(tmp_path / "curve.png")])
