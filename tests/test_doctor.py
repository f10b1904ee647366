"""The doctor finds lacks, names the mend for each, and fails only when the laptop job cannot run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selfplay import doctor
from selfplay.doctor import Finding, examine, main, wandb_login_known


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A user with an empty home and no keys."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    return tmp_path


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def test_every_lack_has_its_mend(nobody: Path):
    findings = examine()
    assert {"python", "torch", "trl", "memory", "disk", "base small", "GPU", "vLLM", "W&B", "hub"} <= set(
        by_name(findings)
    )
    for finding in findings:
        assert finding.ok or finding.mend, finding


def test_a_package_of_another_version_is_told_but_does_not_stop_the_job(monkeypatch):
    monkeypatch.setattr(doctor, "version", lambda name: "0.0.1" if name == "trl" else "999")
    trl = by_name(list(doctor._packages()))["trl"]
    assert (trl.ok, trl.needed) == (False, False)
    assert trl.found.startswith("0.0.1, written for ")
    assert trl.mend.startswith("pip install 'trl~=")


def test_no_memory_stops_the_laptop_job(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "memory_gib", lambda: (0.5, 8.0))
    monkeypatch.setattr(doctor, "_small_base", lambda: iter(()))
    assert main([]) == 1
    printed = capsys.readouterr().out
    assert "NO memory             0.5 GiB free of 8.0. Mend: close other programs" in printed
    assert "cannot run here yet: memory." in printed


def test_a_wandb_login_is_seen_without_being_read_out(nobody: Path, monkeypatch, capsys):
    assert not wandb_login_known()
    (nobody / ".netrc").write_text("machine api.wandb.ai\n  login user\n  password not-a-key\n")
    (nobody / ".netrc").chmod(0o600)
    assert wandb_login_known()
    main([])
    assert "not-a-key" not in capsys.readouterr().out


def test_the_hub_is_tried_only_when_asked(nobody: Path, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("the network was tried")

    monkeypatch.setattr(doctor.urllib.request, "urlopen", refuse)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    assert doctor._hub(network=False).found == "not tried"
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "HF_HUB_OFFLINE" in doctor._hub(network=True).found


def test_a_hub_out_of_reach_is_a_finding(monkeypatch):
    def unreachable(*_, **__):
        raise doctor.urllib.error.URLError("no route")

    monkeypatch.setattr(doctor.urllib.request, "urlopen", unreachable)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    hub = doctor._hub(network=True)
    assert (hub.ok, hub.needed) == (False, False)
    assert "no route" in hub.found


def test_a_base_of_another_recipe_or_none_is_told(monkeypatch, tmp_path: Path):
    from selfplay import small_base

    monkeypatch.setattr(small_base, "WEIGHTS", tmp_path)
    (tmp_path / "small-1").mkdir()
    (tmp_path / "small-1" / "build.json").write_text(json.dumps({"hash": "0123456789ab"}))
    (tmp_path / "small-1" / "model.safetensors").write_bytes(b"x")
    findings = by_name(list(doctor._small_base()))
    assert (findings["base small"].ok, findings["base small"].needed) == (False, True)
    assert "built by recipe 0123456789ab" in findings["base small-1"].found
    assert not findings["base small-1"].ok


def test_an_unknown_word_is_refused(capsys):
    assert main(["--netwrok"]) == 2
    assert "'--netwrok' is unknown" in capsys.readouterr().err
