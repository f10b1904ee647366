// One episode as a person reads it. Texts of models become text nodes and nothing else.
"use strict";
const reader = (() => {
  const SHORT = 400; // a prompt up to so many characters is shown at once
  const FEW = 4; // so many folded notes stand by themselves
  const LEFT_OUT_AT_ZERO = ["rejected_", "unreadable_", "failed_", "empty_", "unjudged", "ties"];
  let sought = ""; // what was searched for, to be marked

  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };

  // `about`: title, topic, pay (or null), role (or ""), text searched for. Returns what an article holds.
  function read(pack, episode, about) {
    sought = about.text;
    const exchanges = exchangesOf(turnsOf(pack, episode));
    return [
      element("h3", { textContent: about.title }),
      ...factsOf(about, JSON.parse(pack.strings[pack.facts[episode]])),
      ...notesOf(JSON.parse(pack.strings[pack.notes[episode]])),
      ...exchanges.map((turns) => exchange(turns, about.role)),
    ];
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

  const count = (number) => number.toLocaleString("en");
  const figure = (value) => (Number.isInteger(value) ? String(value) : value.toPrecision(3).replace(/\.?0+$/, ""));
  const words = (name) => name.replaceAll("_", " ");

  // The short facts at once; what is told of every round, folded.
  function factsOf(about, facts) {
    const told = [["topic", about.topic]], byRound = [], agreed = [];
    if (about.pay !== null) told.push(["mean pay", figure(about.pay)]);
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

  function exchange(turns, wantedRole) {
    const { role, prompt } = turns[0];
    const asked = prompt.length <= SHORT
      ? element("div", { className: "prompt" }, element("pre", {}, marked(prompt)))
      : folded(`prompt, ${count(prompt.length)} characters: ${prompt.slice(0, 90)} …`, prompt);
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

  return { read, element, words, count };
})();
