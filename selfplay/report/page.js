// The browser of episodes. Reads what embedding.py packed; texts of models become text nodes and nothing else.
//
//   index --filters--> candidates --text search in unpacked packs--> found --page--> list --choice--> one episode
"use strict";
(() => {
  const PAGE = 50;
  const KEPT_PACKS = 12;
  const SHORT = 400; // a prompt up to so many characters is shown at once
  const LEFT_OUT_AT_ZERO = ["rejected_", "unreadable_", "failed_", "empty_", "unjudged", "ties"];
  const FEW = 4; // so many folded notes stand by themselves
  const byId = (id) => document.getElementById(id);
  const filters = byId("filters");
  let index, starts, found = [], page = 0, chosen = -1, round = 0;
  const packs = new Map(); // number -> promise of an unpacked pack, least recently used first

  async function unpack(id) {
    const stream = new Blob([bytesOf(byId(id).textContent)]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).json();
  }

  function bytesOf(base64) {
    if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
    const letters = atob(base64);
    const bytes = new Uint8Array(letters.length);
    for (let at = 0; at < letters.length; at++) bytes[at] = letters.charCodeAt(at);
    return bytes;
  }

  function openPack(number) {
    const open = packs.get(number) ?? unpack(`pack-${number}`).then(withPlaces);
    packs.delete(number);
    packs.set(number, open);
    if (packs.size > KEPT_PACKS) packs.delete(packs.keys().next().value);
    return open;
  }

  // The first row of each episode of a pack.
  function withPlaces(pack) {
    pack.rows = [0];
    for (const turns of pack.turns) pack.rows.push(pack.rows.at(-1) + turns);
    return pack;
  }

  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };

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
      pay: [limit("filter-pay-from", -Infinity), limit("filter-pay-to", Infinity)],
      text: byId("filter-text").value.trim().toLowerCase(),
      order: byId("order").value,
    };
  }

  const paysOf = (role) => (role ? index.roles[role] : index.reward);

  function candidates(want) {
    const pays = paysOf(want.role);
    const bit = want.role ? 1 << Object.keys(index.roles).indexOf(want.role) : 0;
    const anyPay = want.pay[0] === -Infinity && want.pay[1] === Infinity;
    const kept = [];
    for (let place = 0; place < index.step.length; place++) {
      if (want.run >= 0 && index.run[place] !== want.run) continue;
      if (bit && !(index.spoke[place] & bit)) continue;
      if (index.step[place] < want.steps[0] || index.step[place] > want.steps[1]) continue;
      const pay = pays[place];
      if (!anyPay && (pay === null || pay < want.pay[0] || pay > want.pay[1])) continue;
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
      const pack = await openPack(number);
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

  const count = (number) => number.toLocaleString("en");
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

  // ---- one episode --------------------------------------------------------------------------------------------

  async function show(place) {
    chosen = place;
    for (const button of byId("list").querySelectorAll("button")) {
      if (Number(button.dataset.place) === place) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
    const number = index.pack[place];
    const pack = await openPack(number);
    if (chosen !== place) return;
    const episode = place - starts[number];
    const title = `${index.runs[index.run[place]]}, step ${index.step[place]}, seed ${index.seed[place]}`;
    byId("episode").replaceChildren(
      element("h3", { textContent: title }),
      ...factsOf(place, JSON.parse(pack.strings[pack.facts[episode]])),
      ...notesOf(JSON.parse(pack.strings[pack.notes[episode]])),
      ...exchangesOf(turnsOf(pack, episode)).map(exchange),
    );
    if (matchMedia("(max-width: 48rem)").matches) byId("episode").scrollIntoView();
  }

  function turnsOf(pack, episode) {
    const turns = [];
    for (let row = pack.rows[episode]; row < pack.rows[episode + 1]; row++) {
      const text = (name) => pack.strings[pack[name][row]];
      turns.push({
        role: text("role"), group: text("group"), prompt: text("prompt"), text: text("text"), failure: text("failure"),
        rewards: JSON.parse(text("rewards") || "{}"), measures: JSON.parse(text("measures") || "{}"),
        advantage: pack.advantage[row], objective: pack.objective[row], stopped: pack.stopped[row],
        tokens: pack.tokens[row], logprob: pack.logprob[row],
      });
    }
    return turns;
  }

  // Turns that follow each other and answer one prompt.
  function exchangesOf(turns) {
    const groups = [];
    for (const turn of turns) {
      const last = groups.at(-1)?.[0];
      if (last && last.role === turn.role && last.group === turn.group && last.prompt === turn.prompt) {
        groups.at(-1).push(turn);
      } else groups.push([turn]);
    }
    return groups;
  }

  const figure = (value) => (Number.isInteger(value) ? String(value) : value.toPrecision(3).replace(/\.?0+$/, ""));
  const words = (name) => name.replaceAll("_", " ");

  // The short facts at once; what is told of every round, folded.
  function factsOf(place, facts) {
    const told = [["topic", index.topics[index.topic[place]]]], byRound = [], agreed = [];
    if (index.reward[place] !== null) told.push(["mean pay", figure(index.reward[place])]);
    for (const [name, value] of Object.entries(facts)) {
      if (value === null || (value === 0 && LEFT_OUT_AT_ZERO.some((start) => name.startsWith(start)))) continue;
      const votes = /^difficulty_(\d+)$/.exec(name);
      if (votes) agreed.push(value === 0 ? "" : `${votes[1]} agree: ${figure(value)}`);
      else (/_\d+$/.test(name) ? byRound : told).push([words(name), figure(value)]);
    }
    const questions = agreed.filter(Boolean).join(", ");
    if (questions) told.push(["questions by answers that agree", questions]);
    const folds = byRound.length ? [element("details", {},
      element("summary", { textContent: `${byRound.length} more numbers` }), pairs(byRound))] : [];
    return [pairs(told), ...folds];
  }

  const pairs = (told) => element("dl", { className: "facts" }, ...told.map(([name, value]) =>
    element("div", {}, element("dt", { textContent: name }), element("dd", { textContent: value }))));

  // Short notes and the chosen skill at once, the others folded.
  function notesOf(notes) {
    const chosenSkill = `skill/reasoner/${notes.selected}`;
    const shown = [], folds = [];
    for (const [name, text] of Object.entries(notes)) {
      if (text === "") continue;
      const told = pretty(text), title = noteName(name);
      if (name === chosenSkill) {
        const heading = element("h4", {}, "chosen skill ", element("small", { textContent: title }));
        shown.push(element("div", { className: "exchange" }, heading, element("pre", {}, marked(text))));
      } else if (told.length <= 80 && !told.includes("\n")) {
        shown.unshift(element("p", {}, element("strong", { textContent: `${title}: ` }), marked(told)));
      } else folds.push(folded(title, told));
    }
    if (folds.length <= FEW) return [...shown, ...folds];
    const all = element("details", {}, element("summary", { textContent: `${folds.length} more notes` }),
      element("div", { className: "notes" }, ...folds));
    return [...shown, all];
  }

  // "skill/reasoner/2" is what the reasoner knew after round 2.
  function noteName(name) {
    const [kind, side, after] = name.split("/");
    if (kind === "skill" && after !== undefined) return `skill of the ${words(side)} after round ${after}`;
    return words(name.replaceAll("/", " "));
  }

  function pretty(text) {
    if (!/^[[{]/.test(text)) return text;
    try {
      return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      return text; // a note that only looks like JSON
    }
  }

  const folded = (summary, text) =>
    element("details", {}, element("summary", { textContent: summary }), element("pre", {}, marked(text)));

  // The text with what was searched for in it marked.
  function marked(text) {
    const piece = document.createDocumentFragment();
    const sought = byId("filter-text").value.trim().toLowerCase();
    const lower = text.toLowerCase();
    let from = 0;
    if (sought && lower.length === text.length) {
      for (let at = lower.indexOf(sought); at >= 0; at = lower.indexOf(sought, from)) {
        piece.append(text.slice(from, at), element("mark", { textContent: text.slice(at, at + sought.length) }));
        from = at + sought.length;
      }
    }
    piece.append(text.slice(from));
    return piece;
  }

  function exchange(turns) {
    const { role, prompt } = turns[0];
    const asked = prompt.length <= SHORT
      ? element("div", { className: "prompt" }, element("pre", {}, marked(prompt)))
      : folded(`prompt, ${count(prompt.length)} characters: ${prompt.slice(0, 90)} …`, prompt);
    const wantedRole = byId("filter-role").value;
    const answers = element("ol", { className: "answers" }, ...distinct(turns).map(answer));
    if (wantedRole && wantedRole !== role) answers.classList.add("other");
    const heading = element("h4", {}, words(role), " ", element("small", { textContent: summaryOf(turns) }));
    heading.title = `group ${turns[0].group}`;
    return element("div", { className: "exchange" }, heading, asked, answers);
  }

  function summaryOf(turns) {
    const paid = turns.filter((turn) => Object.keys(turn.rewards).length);
    const total = paid.flatMap((turn) => Object.values(turn.rewards)).reduce((one, other) => one + other, 0);
    const told = [`${turns.length} ${turns.length === 1 ? "reply" : "replies"}`];
    if (paid.length > 1) told.push(`mean pay ${figure(total / paid.length)}`);
    return told.join(", ");
  }

  // Equal answers with equal pay are told once with their number: the vote.
  function distinct(turns) {
    const groups = new Map();
    for (const turn of turns) {
      const key = JSON.stringify([turn.text, turn.rewards, turn.measures, turn.failure, turn.objective]);
      groups.set(key, [...(groups.get(key) ?? []), turn]);
    }
    return [...groups.values()].sort((one, other) => other.length - one.length);
  }

  function answer(turns) {
    const [turn] = turns;
    const text = turn.failure ? `no answer: ${turn.failure}` : turn.text || "(empty)";
    return element("li", {},
      element("span", { className: "times", textContent: `${turns.length}×` }),
      element("pre", {}, marked(text)),
      element("span", { className: "paid", textContent: paidOf(turns) }));
  }

  function paidOf(turns) {
    const [turn] = turns;
    const parts = (named) => Object.entries(named).map(([name, value]) => `${words(name)} ${figure(value)}`).join(", ");
    const told = [];
    if (Object.keys(turn.rewards).length) told.push(`paid: ${parts(turn.rewards)}`);
    if (Object.keys(turn.measures).length) told.push(`measured: ${parts(turn.measures)}`);
    if (turn.objective === 0) told.push("not learned from");
    else if (turn.advantage !== null) {
      told.push(`advantage ${turn.advantage > 0 ? "+" : ""}${turn.advantage.toFixed(2)}`);
    }
    if (turn.objective === 2) told.push("imitated");
    if (!turn.stopped && !turn.failure) told.push("cut off at the token limit");
    if (turn.tokens !== null) told.push(`${turn.tokens} tokens`);
    if (turn.logprob !== null) told.push(`${turn.logprob.toFixed(2)} nats a token`);
    return told.join(" · ");
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
      if (button) show(Number(button.dataset.place));
    });
    byId("previous").addEventListener("click", () => { page--; showPage(); });
    byId("next").addEventListener("click", () => { page++; showPage(); });
  }

  async function start() {
    if (!("DecompressionStream" in window)) {
      say("This browser cannot unpack the episodes; any from 2023 or later can.");
      return;
    }
    index = await unpack("index");
    starts = firstPlaces();
    fillChoices();
    listen();
    await filter();
    if (found.length) await show(found[0]);
    document.documentElement.dataset.ready = "true";
  }

  start();
})();
