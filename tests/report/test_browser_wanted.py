"""Without a browser the page's tests skip and say why; where one is required they fail."""

from __future__ import annotations

import pytest

from tests.report.conftest import find_browser, no_browser


def test_no_browser_is_a_skip_with_its_reason(monkeypatch):
    monkeypatch.delenv("SELFPLAY_BROWSER", raising=False)
    with pytest.raises(pytest.skip.Exception, match="nothing on PATH"):
        no_browser("nothing on PATH")


def test_no_browser_fails_where_one_is_required(monkeypatch):
    monkeypatch.setenv("SELFPLAY_BROWSER", "required")
    with pytest.raises(pytest.fail.Exception, match="SELFPLAY_BROWSER=required, but nothing on PATH"):
        no_browser("nothing on PATH")


def test_a_browser_without_its_driver_is_none(monkeypatch, tmp_path):
    for name in ("chromium", "chromedriver"):
        monkeypatch.setenv("PATH", str(tmp_path))
        assert find_browser() is None
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    assert find_browser() == (str(tmp_path / "chromium"), str(tmp_path / "chromedriver"))
