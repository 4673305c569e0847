"use strict";

/* One sample, opened large. */
const sample = (() => {
  const dialog = document.getElementById("sample");
  const stage = document.getElementById("stage");
  const facts = document.getElementById("sample-facts");
  let row = null;
  let changed = () => {};

  const share = (value) => (value === null ? "–" : value.toFixed(2));
  const percent = (value) => `${(value * 100).toFixed(value < 0.1 ? 1 : 0)} %`;

  function heading(text) {
    return element("h3", {}, text);
  }

  /** Names and values; values are text of the run. */
  function list(pairs) {
    return element("dl", { class: "pairs" }, ...pairs
      .filter(([, value]) => value !== null)
      .map(([name, value]) => element("div", {},
        element("dt", {}, name), element("dd", {}, foreign(String(value))))));
  }

  function swatch(name) {
    const known = gallery.facts.classes.find((one) => one.name === name);
    const made = element("span", { class: "swatch", "aria-hidden": "true" });
    if (known) made.style.background = known.colour;
    return made;
  }

  function entityTable(entities) {
    const heads = ["Entity", "Words", "Presence", "Area", "Confidence", "Edge", "Parts"];
    const hasAgreement = entities.some((one) => one.agreement !== null);
    if (hasAgreement) heads.push("Agreement");
    const body = entities.map((one) => {
      const notes = [one.named ? null : "not named", one.border ? "at the border" : null];
      const shown = [
        foreign(one.words || "–"), share(one.presence), percent(one.area), share(one.confidence),
        share(one.edge_confidence), String(one.parts),
      ];
      if (hasAgreement) shown.push(share(one.agreement));
      const remark = notes.filter(Boolean).join(", ");
      return element("tr", { class: one.present ? "" : "absent" },
        element("th", { scope: "row" }, swatch(one.name), foreign(one.name),
          one.present ? "" : element("span", { class: "badge rejected" }, "absent"),
          remark ? element("small", {}, remark) : ""),
        ...shown.map((value) => element("td", {}, value)));
    });
    const table = element("table", {},
      element("thead", {}, element("tr", {},
        ...heads.map((head) => element("th", { scope: "col" }, head)))),
      element("tbody", {}, ...body));
    return element("div", {
      class: "scroll", role: "region", tabIndex: 0, "aria-label": "Entities and their scores",
    }, table);
  }

  function decision(reasons) {
    if (!reasons.length) return element("p", {}, element("span", { class: "badge accepted" }, "accepted"));
    return element("p", {}, element("span", { class: "badge rejected" }, "rejected"), " because of ",
      ...reasons.flatMap((reason, place) =>
        [place ? ", " : "", element("code", {}, foreign(reason))]));
  }

  function attempts(rejected) {
    const lines = rejected.map((one) => element("li", {},
      `Attempt ${one.attempt + 1}, seed ${one.seed}: `, foreign(one.reasons.join(", "))));
    return element("details", {},
      element("summary", {}, rejected.length === 1
        ? "One attempt was rejected before" : `${rejected.length} attempts were rejected before`),
      element("ul", {}, ...lines));
  }

  /** Copies without leave of the system too: pages from a disk do not always have it. */
  async function copy(text, button) {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(button.previousElementSibling);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  }

  function command(text) {
    if (text === null) return [element("p", {}, "It was not made by a command of this program.")];
    const button = element("button", { type: "button", "aria-label": "Copy the command" }, "Copy");
    button.addEventListener("click", () => copy(text, button));
    // Each option stays on one line where there is room for it.
    const options = text.split(/ (?=--)/).flatMap((option, place) =>
      [place ? " " : "", element("span", { class: "option" }, option)]);
    const code = element("pre", { tabIndex: 0, role: "region", "aria-label": "Command" }, ...options);
    const notes = gallery.facts.placeholders.map(([name, meaning]) =>
      element("li", {}, element("code", {}, name), ` stands for ${meaning}.`));
    return [
      element("div", { class: "command" }, code, button),
      notes.length ? element("ul", { class: "notes" }, ...notes) : "",
    ];
  }

  function describe(record) {
    const { scores } = record;
    facts.replaceChildren(
      element("p", { class: "full-prompt" }, foreign(record.prompt)),
      decision(record.reasons),
      ...(record.entities.length
        ? [heading("Entities"), entityTable(record.entities)] : []),
      heading("Picture"),
      list([
        ["Seed", record.seed], ["Attempt", record.attempt + 1], ["Steps", record.steps],
        ["Guidance", record.guidance], ["Scheduler", record.scheduler],
        ["Size", `${record.width} × ${record.height}`], ["Shard", record.shard],
        ["Brightness", share(scores.brightness)], ["Contrast", share(scores.contrast)],
        ["Clipped", percent(scores.clipped)],
      ]),
      record.rejected_attempts.length ? attempts(record.rejected_attempts) : "",
      ...(record.sources ? [heading("Composed of"),
        element("ul", { class: "notes" }, ...record.sources.map((one) => element("li", {}, foreign(one))))] : []),
      heading("Make it again"), ...command(record.command));
  }

  /** Opens a sample, or shows another one in place. */
  async function open(next) {
    row = next;
    document.getElementById("sample-title").textContent = `Sample ${row.index}`;
    const isAmongFound = sheet.found.includes(row);
    document.getElementById("sample-place").textContent = isAmongFound ? sheet.place(row) : "";
    const frame = element("div", { class: "frame" }, ...layered(row, false));
    frame.style.setProperty("--ratio", row.width / row.height);
    frame.firstChild.alt = row.prompt;
    stage.replaceChildren(frame);
    document.getElementById("sample-previous").disabled = !sheet.neighbour(row, -1);
    document.getElementById("sample-next").disabled = !sheet.neighbour(row, 1);
    if (!dialog.open) {
      facts.replaceChildren();
      dialog.showModal();
    }
    changed();
    try {
      const record = await gallery.detail(next);
      if (row !== next) return;
      describe(record);
    } catch (error) {
      if (row === next) facts.replaceChildren(element("p", { class: "notice" }, error.message));
    }
    dialog.querySelector(".sample-body").scrollTop = 0;
  }

  function move(step) {
    const next = row && sheet.neighbour(row, step);
    if (next) open(next);
  }

  function prepare(onChange) {
    changed = onChange;
    document.getElementById("sample-previous").addEventListener("click", () => move(-1));
    document.getElementById("sample-next").addEventListener("click", () => move(1));
    document.getElementById("sample-close").addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
    dialog.addEventListener("keydown", (event) => {
      const isEditing = event.target.matches("input[type=range], .scroll, pre");
      if (isEditing || event.altKey || event.ctrlKey || event.metaKey) return;
      if (event.key === "ArrowLeft") move(-1);
      else if (event.key === "ArrowRight") move(1);
      else return;
      event.preventDefault();
    });
    dialog.addEventListener("close", () => {
      const last = row;
      row = null;
      changed();
      sheet.reveal(last);
    });
  }

  return { prepare, open, close: () => dialog.close(), get row() { return row; } };
})();
