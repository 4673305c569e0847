"use strict";

/* Which samples are shown, in which order. The state stands behind the # of the address too, so that a place in a gallery
   can be kept and shared. */
const filters = (() => {
  const usual = {
    search: "", class: "", split: "", decision: "", score: "0", from: "", to: "", order: "",
  };
  const state = { ...usual };
  const field = (name) => document.getElementById(name);

  function option(value, text) {
    return element("option", { value }, text);
  }

  /** Fills in the choices that depend on the run. */
  function prepare(facts) {
    const named = facts.classes
      .map((one, place) => ({ one, place }))
      .sort((a, b) => a.one.name.localeCompare(b.one.name));
    for (const { one, place } of named) {
      field("class").append(option(String(place), `${one.name} (${one.images})`));
    }
    if (!facts.classes.length) field("class").parentElement.hidden = true;
    field("split").hidden = !facts.has_split;
    if (facts.reasons.length) {
      const group = element("optgroup", { label: "Rejected because" });
      for (const [reason, count] of facts.reasons) {
        group.append(option(`because ${reason}`, `${reason} (${count})`));
      }
      field("decision").append(group);
    }
    facts.scores.forEach(([label, isUsed], place) => {
      if (isUsed) field("score").append(option(String(place), label));
    });
    const first = field("score").options[0];
    if (first) usual.score = state.score = first.value;
  }

  /** Takes over what the form says. */
  function readForm() {
    for (const name of Object.keys(usual)) {
      state[name] = name === "split"
        ? document.querySelector("input[name=split]:checked").value
        : field(name).value;
    }
  }

  function writeForm() {
    for (const [name, value] of Object.entries(state)) {
      if (name === "split") {
        for (const radio of document.getElementsByName("split")) radio.checked = radio.value === value;
      } else {
        field(name).value = value;
      }
    }
    // What the run does not have cannot be chosen; it counts as not said.
    readForm();
  }

  /** Sets some conditions and takes the others away. */
  function set(values) {
    Object.assign(state, usual, values);
    writeForm();
  }

  /** The conditions that differ from the usual ones, for the address. */
  function changed() {
    return Object.entries(state).filter(([name, value]) => value !== usual[name]);
  }

  /** How many conditions leave samples out. */
  function activeCount() {
    return changed().filter(([name]) => name !== "score" && name !== "order").length;
  }

  /** The samples that pass, in order. */
  function apply(rows, classes) {
    const words = state.search.toLowerCase().split(/\s+/).filter(Boolean);
    const only = state.class === "" ? null : Number(state.class);
    const score = Number(state.score);
    const from = state.from === "" ? null : Number(state.from);
    const to = state.to === "" ? null : Number(state.to);
    const reason = state.decision.startsWith("because ") ? state.decision.slice(8) : null;
    const passes = (row) =>
      (only === null || row.classes.includes(only)) &&
      (!state.split || row.classes.some((place) => classes[place].split === state.split)) &&
      (state.decision !== "accepted" || !row.reasons.length) &&
      (state.decision !== "rejected" || row.reasons.length > 0) &&
      (reason === null || row.reasons.includes(reason)) &&
      (from === null || (row.scores[score] !== null && row.scores[score] >= from)) &&
      (to === null || (row.scores[score] !== null && row.scores[score] <= to)) &&
      words.every((word) => row.words.includes(word));
    const found = rows.filter(passes);
    if (!state.order) return found;
    // Samples without the score come last either way.
    const sign = state.order === "up" ? 1 : -1;
    const key = (row) => row.scores[score] ?? sign * Infinity;
    return found.sort((a, b) => sign * (key(a) - key(b)) || a.position - b.position);
  }

  return { state, prepare, readForm, set, changed, activeCount, apply };
})();
