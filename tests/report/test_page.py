"""The page in a real headless browser: it renders, filters, takes the keyboard, and texts of models do nothing."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.keys import Keys

from selfplay.report import write_page, write_report
from selfplay.types import Episode, Seed, Turn
from tests.report.conftest import Page
from tests.report.made import ANSWERS, episode, fill_store, made_run
from tests.report.made_standings import standings

HOSTILE = (
    "</script><script>document.title = 'taken'</script><img src=x onerror=\"document.title='taken'\">&amp;<b>b</b>"
)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Two arms and a standings; the first run has 60 episodes in 3 steps."""
    folder = tmp_path_factory.mktemp("report")
    runs = [made_run(folder / "sqlm-0"), made_run(folder / "sqlm-random-0", "random", gain=0.0)]
    (runs[0] / "episodes" / "step-000004.parquet").unlink()
    fill_store(runs[0], steps=3, per_step=20)
    return write_report(folder / "out", runs, standings(), "Two arms")


@pytest.fixture
def page(browser, report) -> Page:
    browser.size(1280, 900)
    browser.scheme("light")
    browser.open(report)
    return browser


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.driver.switch_to.active_element.send_keys(key)


def focused(page: Page) -> str:
    return page.ask("document.activeElement.textContent")


def test_the_page_renders_without_a_word_on_the_console(page):
    assert page.errors() == []
    assert page.text("h1") == "Two arms"
    assert page.ask("document.querySelectorAll('figure > svg').length") > 8
    hidden = "[...document.querySelectorAll('main > section')].filter((one) => one.offsetHeight < 50).length"
    assert page.ask(hidden) == 0
    assert "better" in page.text("#verdict .verdict li")
    assert "No evidence" in page.text("#verdict")


def test_an_episode_shows_prompts_answers_votes_and_notes(page):
    assert page.text("#status") == "68 of 68 episodes"
    shown = page.text("#episode")
    assert "sqlm-0, step 1, seed 20" in shown
    assert "asked: " in shown
    assert "propose addition" in page.texts("#episode .prompt pre")
    assert "6 replies" in page.texts("#episode .exchange h4 small")[-1]
    counts = [int(text.rstrip("×")) for text in page.texts("#episode .exchange:last-child .times")]
    assert sum(counts) == ANSWERS
    assert "paid: majority 1" in shown
    assert "measured: truth 1" in shown


def test_filters_narrow_the_list(page):
    assert page.filter(run="1") == "8 of 68 episodes"
    assert page.filter(run="0", step_from="2", step_to="3") == "40 of 68 episodes"
    names = page.texts("#list button span:first-child")
    assert all("step 2" in name or "step 3" in name for name in names)
    page.filter(pay_from="0.6", order="lowest")
    pays = [float(text.removeprefix("pay ")) for text in page.texts("#list button span:last-child")]
    assert pays == sorted(pays)
    assert min(pays) >= 0.6
    page.driver.find_element("css selector", "button[type=reset]").click()
    page.until("document.getElementById('status').textContent === '68 of 68 episodes'")


def test_a_role_filters_and_its_pay_is_shown(page):
    assert page.ask("[...document.querySelectorAll('#filter-role option')].map((one) => one.value)") == [
        "",
        "proposer",
        "solver",
    ]
    page.filter(role="proposer", run="0")
    pays = set(page.texts("#list button span:last-child"))
    assert pays == {"pay 0.00", "pay 1.00"}, "the paid proposal of an episode"
    page.driver.find_element("css selector", "#list button").click()
    page.until("document.querySelectorAll('#episode .answers.other').length === 1")


def test_text_is_searched_and_marked(page):
    question = page.ask("document.querySelector('#episode .exchange:last-child .prompt pre').textContent")
    assert page.filter(text=question.upper()).startswith("1 of")
    page.driver.find_element("css selector", "#list button").click()
    page.until("document.querySelectorAll('#episode mark').length > 0")
    assert set(page.texts("#episode mark")) == {question}
    assert page.filter(text="nobody said this") == "0 of 68 episodes"
    assert page.texts("#list button") == []
    assert page.filter(text="propose addition", role="solver") == "0 of 68 episodes", "the role's own turns alone"


def test_the_list_takes_the_keyboard(page):
    page.driver.find_element("css selector", "#list button").send_keys("")
    first = focused(page)
    assert first.startswith("sqlm-0 · step 1 · seed 20")
    press(page, Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    assert "seed 22" in focused(page)
    press(page, Keys.ENTER)
    page.until("document.querySelector('#episode h3').textContent.endsWith('seed 22')")
    assert page.ask("document.querySelector('#list [aria-current=true]').textContent") == focused(page)
    press(page, Keys.ARROW_UP, Keys.END)
    assert "seed 69" in focused(page)
    press(page, Keys.PAGE_DOWN)
    assert page.text("#page") == "Page 2 of 2"
    assert "seed 70" in focused(page)
    assert page.ask("document.getElementById('next').disabled")
    press(page, Keys.PAGE_UP, Keys.HOME)
    assert focused(page) == first


def test_every_control_has_a_name_and_is_reached_by_tab(page):
    nameless = """[...document.querySelectorAll('input, select, button, a, [role=region], nav, article')].filter(
        (one) => !(one.labels?.length || one.textContent.trim() || one.getAttribute('aria-label'))
    ).map((one) => one.outerHTML)"""
    assert page.ask(nameless) == []
    page.driver.execute_script("document.getElementById('filter-run').focus()")
    seen = []
    for _ in range(8):
        press(page, Keys.TAB)
        seen.append(page.ask("document.activeElement.id || document.activeElement.type"))
    steps = ["filter-role", "filter-step-from", "filter-step-to", "filter-pay-from", "filter-pay-to", "order"]
    assert seen == [*steps, "filter-text", "reset"]


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_scrolls_sideways_and_text_stands_out(browser, report, width, scheme):
    browser.size(width, 900)
    browser.scheme(scheme)
    browser.open(report)
    browser.driver.execute_script("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert browser.ask("document.documentElement.scrollWidth") == width
    wide = """[...document.querySelectorAll('main *')].filter((one) => !one.closest('.scroll, svg, #list, .skip')
        && one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.outerHTML.slice(0, 120))"""
    assert browser.ask(wide) == []
    ground = browser.ask("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(18, 22, 27)")
    for selector in ("body", ".note", "a", ".pill.good", ".pill.none", "thead th", "#episode .paid", "svg text"):
        assert contrast(browser, selector) >= 4.5, selector
    assert browser.errors() == []


def test_a_narrow_page_begins_at_its_top_and_goes_to_an_episode_that_is_chosen(browser, report):
    browser.size(390, 900)
    browser.open(report)
    assert browser.ask("scrollY") == 0
    browser.driver.execute_script("document.querySelectorAll('#list button')[1].click()")
    browser.until("scrollY > 0")
    assert browser.errors() == []


def contrast(page: Page, selector: str) -> float:
    """Of the text against what lies behind it, as WCAG 2.2 counts it; 4.5 is asked of body text."""
    script = """
    const one = document.querySelector(arguments[0]);
    let behind = one;
    const ground = (of) => getComputedStyle(of).backgroundColor;
    while (ground(behind) === 'rgba(0, 0, 0, 0)') behind = behind.parentElement;
    const style = getComputedStyle(one);
    return [one.closest('svg') ? style.fill : style.color, ground(behind)]"""
    luminances = []
    for colour in page.driver.execute_script(script, selector):
        channels = [int(part) / 255 for part in colour.strip("rgba()").split(",")[:3]]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
        luminances.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    low, high = sorted(luminances)
    return (high + 0.05) / (low + 0.05)


def test_texts_of_models_are_data(browser, tmp_path):
    notes = {"skill/reasoner/1": HOSTILE, "round/1": '[{"task": "</script>"}]', "broken": "[1, 2"}
    turns = [Turn("solver", HOSTILE, HOSTILE, "g", rewards={HOSTILE: 1.0}), Turn("judge", "p", "", failure=HOSTILE)]
    hostile = Episode(Seed(0, HOSTILE), turns, {HOSTILE: 1.0}, notes)
    run = made_run(tmp_path / "run", recipe=HOSTILE, episodes=[hostile])
    browser.open(write_page(tmp_path / "page.html", run))
    assert browser.ask("document.title") != "taken"
    assert browser.ask("document.querySelectorAll('#episode img, #episode b, #episode script').length") == 0
    assert HOSTILE in browser.texts("#episode .answers pre")
    assert f"no answer: {HOSTILE}" in browser.texts("#episode .answers pre")
    assert "skill of the reasoner after round 1" in browser.texts("#episode summary")
    assert browser.filter(text="<IMG SRC=X") == "4 of 4 episodes"
    assert browser.errors() == []


def test_a_run_without_episodes_has_a_page(browser, tmp_path):
    browser.open(write_page(tmp_path / "page.html", made_run(tmp_path / "run", finish=False, steps=0)))
    assert browser.text("#status") == "0 of 0 episodes"
    assert "No episode has been stored yet." in browser.text("#episodes p")
    assert browser.errors() == []


@pytest.mark.timeout(1200)
def test_a_hundred_thousand_episodes_stay_usable(browser, tmp_path):
    """Seconds are for a quiet machine (see ``selfplay.report``); here is what makes them few: short lists, and texts
    that are unpacked only where they are looked at."""
    run = made_run(tmp_path / "run")
    fill_store(run, steps=500, per_step=200)
    target = write_page(tmp_path / "page.html", run)
    assert target.stat().st_size < 30e6
    browser.open(target)
    assert browser.text("#status") == "100,000 of 100,000 episodes"
    packs = browser.ask("document.querySelectorAll('script[id^=pack-]').length")
    assert packs > 10
    browser.driver.execute_script(
        "const open = store.openPack; window.opened = [];"
        "store.openPack = (number) => { window.opened.push(number); return open(number); };"
    )
    assert browser.filter(step_from="100") == "80,200 of 100,000 episodes"
    browser.filter(order="lowest")
    assert browser.ask("opened.length") <= 2, "that of the episode shown, each time"
    last = episode(100_199).turns[2].prompt
    assert " of 100,000 episodes" in browser.filter(text=last)
    assert packs / 2 < browser.ask("new Set(opened).size") <= browser.ask("opened.length") <= packs + 3, "each once"
    assert any("step 500" in name for name in browser.texts("#list button span:first-child"))
    assert browser.ask("document.querySelectorAll('*').length") < 10_000
    assert browser.errors() == []
