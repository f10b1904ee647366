// The browser of episodes: filters, list, keyboard.
//
//   index --filters--> candidates --text search in unpacked packs--> found --page--> list --choice--> one episode
"use strict";
(() => {
  const { element, words, count } = reader;
  const PAGE = 50;
  const byId = (id) => document.getElementById(id);
  const filters = byId("filters");
  let index, starts, found = [], page = 0, chosen = -1, round = 0;

  // ---- filters ------------------------------------------------------------------------------------------------

  const limit = (id, otherwise) => {
    const value = byId(id).valueAsNumber;
    return Number.isNaN(value) ? otherwise : value;
  };

  function wanted() {
    return {
      run: Number(byId("filter-run").value || -1),
      role: byId("filter-role").value,
      steps: [limit("filter-step-from", -Infinity), limit("filter-step-to", Infinity)],
      pays: [limit("filter-pay-from", -Infinity), limit("filter-pay-to", Infinity)],
      text: byId("filter-text").value.trim().toLowerCase(),
      order: byId("order").value,
    };
  }

  const paysOf = (role) => (role ? index.roles[role] : index.reward);

  function candidates(want) {
    const pays = paysOf(want.role);
    const bit = want.role ? 1 << Object.keys(index.roles).indexOf(want.role) : 0;
    const anyPay = want.pays[0] === -Infinity && want.pays[1] === Infinity;
    const kept = [];
    for (let place = 0; place < index.step.length; place++) {
      if (want.run >= 0 && index.run[place] !== want.run) continue;
      if (bit && !(index.spoke[place] & bit)) continue;
      if (index.step[place] < want.steps[0] || index.step[place] > want.steps[1]) continue;
      const pay = pays[place];
      if (!anyPay && (pay === null || pay < want.pays[0] || pay > want.pays[1])) continue;
      kept.push(place);
    }
    if (want.order !== "step") {
      const sign = want.order === "highest" ? -1 : 1;
      const last = sign > 0 ? Infinity : -Infinity; // episodes without pay come last either way
      kept.sort((one, other) => sign * ((pays[one] ?? last) - (pays[other] ?? last)) || one - other);
    }
    return kept;
  }

  // Which of the candidates hold the text, in turns of the role if one is chosen. Null where a newer search began.
  async function holding(places, want, mine) {
    const byPack = Map.groupBy ? Map.groupBy(places, (place) => index.pack[place]) : grouped(places);
    const hits = new Set();
    let done = 0;
    for (const [number, some] of byPack) {
      const pack = await store.openPack(number);
      if (mine !== round) return null;
      const said = pack.strings.map((text) => text.toLowerCase().includes(want.text));
      const role = want.role ? pack.strings.indexOf(want.role) : -1;
      for (const place of some) if (holds(pack, place - starts[number], said, role)) hits.add(place);
      done += some.length;
      say(`Searching: ${count(done)} of ${count(places.length)} episodes …`);
    }
    return places.filter((place) => hits.has(place));
  }

  function grouped(places) {
    const groups = new Map();
    for (const place of places) {
      const number = index.pack[place];
      if (!groups.has(number)) groups.set(number, []);
      groups.get(number).push(place);
    }
    return groups;
  }

  function holds(pack, episode, said, role) {
    if (role < 0 && said[pack.notes[episode]]) return true;
    for (let row = pack.rows[episode]; row < pack.rows[episode + 1]; row++) {
      if ((role < 0 || pack.role[row] === role) && (said[pack.text[row]] || said[pack.prompt[row]])) return true;
    }
    return false;
  }

  async function filter() {
    const mine = ++round, want = wanted();
    let places = candidates(want);
    if (want.text) places = await holding(places, want, mine);
    if (mine !== round) return;
    found = places;
    page = 0;
    showPage();
    say(`${count(found.length)} of ${count(index.step.length)} episodes`);
    filters.dataset.round = String(mine); // for whoever waits for the result
  }

  const say = (text) => { byId("status").textContent = text; };

  // ---- list ---------------------------------------------------------------------------------------------------

  function showPage() {
    const pages = Math.max(1, Math.ceil(found.length / PAGE));
    page = Math.min(Math.max(page, 0), pages - 1);
    const pays = paysOf(byId("filter-role").value);
    byId("list").replaceChildren(...found.slice(page * PAGE, (page + 1) * PAGE).map((place) => row(place, pays)));
    byId("page").textContent = `Page ${count(page + 1)} of ${count(pages)}`;
    byId("previous").disabled = page === 0;
    byId("next").disabled = page === pages - 1;
    byId("list").scrollTop = 0;
  }

  function row(place, pays) {
    const run = index.runs.length > 1 ? `${index.runs[index.run[place]]} · ` : "";
    const name = `${run}step ${index.step[place]} · seed ${index.seed[place]}`;
    const pay = pays[place] === null ? "not paid" : `pay ${pays[place].toFixed(2)}`;
    const button = element("button", { type: "button", title: name },
      element("span", { textContent: name }), element("span", { textContent: pay }));
    button.dataset.place = place;
    if (place === chosen) button.setAttribute("aria-current", "true");
    return element("li", {}, button);
  }

  function onListKey(event) {
    const buttons = [...byId("list").querySelectorAll("button")];
    const at = buttons.indexOf(document.activeElement);
    const last = buttons.length - 1;
    const turn = { PageDown: 1, PageUp: -1 }[event.key];
    if (turn !== undefined) {
      event.preventDefault();
      page += turn;
      showPage();
      byId("list").querySelector("button")?.focus();
      return;
    }
    const to = { ArrowDown: Math.min(at + 1, last), ArrowUp: Math.max(at - 1, 0), Home: 0, End: last }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    buttons[to].focus();
  }

  async function show(place) {
    chosen = place;
    for (const button of byId("list").querySelectorAll("button")) {
      if (Number(button.dataset.place) === place) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
    const pack = await store.openPack(index.pack[place]);
    if (chosen !== place) return;
    const about = {
      title: `${index.runs[index.run[place]]}, step ${index.step[place]}, seed ${index.seed[place]}`,
      topic: index.topics[index.topic[place]],
      pay: index.reward[place],
      ...wanted(),
    };
    byId("episode").replaceChildren(...reader.read(pack, place - starts[index.pack[place]], about));
    byId("episode").scrollTop = 0;
  }

  // On a narrow screen the episode stands below the list: who chose one is taken there.
  async function choose(place) {
    await show(place);
    if (matchMedia("(max-width: 48rem)").matches) byId("episode").scrollIntoView();
  }

  // ---- start --------------------------------------------------------------------------------------------------

  function fillChoices() {
    const option = (value, textContent) => element("option", { value, textContent });
    byId("filter-run").replaceChildren(option("", "all"), ...index.runs.map((name, place) => option(place, name)));
    byId("filter-role").replaceChildren(option("", "any"),
      ...Object.keys(index.roles).map((role) => option(role, words(role))));
  }

  // Where each pack's first episode stands in the index.
  function firstPlaces() {
    const firsts = [];
    index.pack.forEach((number, place) => { firsts[number] ??= place; });
    return firsts;
  }

  function listen() {
    let waiting;
    const soon = () => {
      clearTimeout(waiting);
      waiting = setTimeout(filter, 150);
    };
    filters.addEventListener("input", soon);
    filters.addEventListener("submit", (event) => { event.preventDefault(); filter(); });
    filters.addEventListener("reset", () => setTimeout(filter));
    byId("list").addEventListener("keydown", onListKey);
    byId("list").addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) choose(Number(button.dataset.place));
    });
    byId("previous").addEventListener("click", () => { page--; showPage(); });
    byId("next").addEventListener("click", () => { page++; showPage(); });
  }

  async function start() {
    if (!("DecompressionStream" in window)) {
      say("This browser cannot unpack the episodes; any from 2023 or later can.");
      return;
    }
    index = await store.unpack("index");
    starts = firstPlaces();
    fillChoices();
    listen();
    await filter();
    if (found.length) await show(found[0]);
    document.documentElement.dataset.ready = "true";
  }

  start();
})();
