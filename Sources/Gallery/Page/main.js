"use strict";

/* Puts the parts together: views, masks, address. */
(() => {
  const views = ["samples", "statistics", "about"];
  const { facts } = gallery;
  let view = "samples";

  function showView(name) {
    view = views.includes(name) ? name : "samples";
    for (const one of views) document.getElementById(`${one}-view`).hidden = one !== view;
    for (const button of document.querySelectorAll("nav [data-view]")) {
      if (button.dataset.view === view) button.setAttribute("aria-current", "page");
      else button.removeAttribute("aria-current");
    }
    if (view === "statistics") charts.draw();
  }

  /** Keeps the address up to date without filling the history. */
  function writeAddress() {
    const parts = new URLSearchParams(filters.changed());
    if (view !== "samples") parts.set("view", view);
    if (sheet.page) parts.set("page", sheet.page + 1);
    if (sample.row) parts.set("sample", sample.row.index);
    const text = parts.toString();
    history.replaceState(null, "", text ? `#${text}` : "#");
  }

  function showCounts() {
    const all = gallery.rows.length;
    const loaded = all < facts.samples ? ` (${counted(facts.samples - all)} still to come)` : "";
    const found = sheet.found.length;
    document.getElementById("count").textContent = found === all
      ? `${counted(all)} ${all === 1 ? "sample" : "samples"}${loaded}`
      : `${counted(found)} of ${counted(all)} samples${loaded}`;
    const active = filters.activeCount();
    const pill = document.getElementById("filter-count");
    pill.hidden = active === 0;
    pill.textContent = `${active} active`;
  }

  function applyFilters(show = sheet.show) {
    show(filters.apply(gallery.rows, facts.classes));
    showCounts();
  }

  function setMasks(isOn) {
    document.body.classList.toggle("masks-off", !isOn);
    for (const toggle of document.querySelectorAll(".mask-toggle")) toggle.checked = isOn;
  }

  function setOpacity(percent) {
    document.documentElement.style.setProperty("--mask-opacity", percent / 100);
    for (const slider of document.querySelectorAll(".mask-opacity")) {
      slider.value = percent;
      slider.setAttribute("aria-valuetext", `${percent} percent`);
    }
  }

  function prepareMasks() {
    for (const toggle of document.querySelectorAll(".mask-toggle")) {
      toggle.addEventListener("change", () => setMasks(toggle.checked));
    }
    for (const slider of document.querySelectorAll(".mask-opacity")) {
      slider.addEventListener("input", () => setOpacity(Number(slider.value)));
    }
    setOpacity(55);
    if (facts.masks === 0) {
      for (const controls of document.querySelectorAll(".mask-controls")) controls.hidden = true;
    }
  }

  function prepareForm() {
    const form = document.getElementById("filters");
    const update = () => {
      filters.readForm();
      applyFilters();
      writeAddress();
    };
    form.addEventListener("input", update);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", (event) => {
      event.preventDefault();
      filters.set({});
      update();
    });
    document.getElementById("filter-box").open = matchMedia("(min-width: 60rem)").matches;
  }

  function prepareKeys() {
    document.addEventListener("keydown", (event) => {
      const isTyping = event.target.matches("input:not([type=checkbox]):not([type=range]), select");
      if (isTyping || event.altKey || event.ctrlKey || event.metaKey) return;
      if (event.key === "m") {
        setMasks(document.body.classList.contains("masks-off"));
      } else if (event.key === "/" && view === "samples" && !sample.row) {
        document.getElementById("filter-box").open = true;
        document.getElementById("search").focus();
        event.preventDefault();
      }
    });
  }

  function describeRun() {
    document.title = `${facts.name} – gallery`;
    document.getElementById("run-name").textContent = facts.name;
    document.getElementById("run-summary").textContent = [
      `${counted(facts.samples)} ${facts.samples === 1 ? "sample" : "samples"}`,
      `${counted(facts.accepted)} accepted`,
      facts.classes.length ? `${counted(facts.classes.length)} classes` : null,
    ].filter(Boolean).join(" · ");
    const notices = [];
    if (facts.missing_shards) {
      notices.push(`The run is not finished: ${counted(facts.samples)} of ${counted(facts.planned)} samples are here, `
        + `shards ${facts.missing_shards} are not made yet.`);
    }
    if (facts.is_filtered) notices.push("Decisions are those of triptych filter.");
    const notice = document.getElementById("notice");
    notice.hidden = !notices.length;
    notice.textContent = notices.join(" ");
    document.getElementById("licence").textContent = facts.licence ?? "Not stated by the run.";
    document.getElementById("configuration").textContent = facts.configuration;
  }

  /** Shows what the address says; rows may still be on their way. */
  function readAddress() {
    const parts = new URLSearchParams(location.hash.slice(1));
    const values = {};
    for (const name of Object.keys(filters.state)) {
      if (parts.has(name)) values[name] = parts.get(name);
    }
    filters.set(values);
    showView(parts.get("view"));
    return { page: Number(parts.get("page")) || 1, index: parts.get("sample") };
  }

  async function start() {
    describeRun();
    filters.prepare(facts);
    prepareMasks();
    prepareForm();
    prepareKeys();
    charts.prepare(facts, (values) => {
      filters.set(values);
      applyFilters();
      showView("samples");
      writeAddress();
      scrollTo(0, 0);
    });
    sheet.prepare((row) => sample.open(row), writeAddress);
    sample.prepare(writeAddress);
    for (const button of document.querySelectorAll("nav [data-view]")) {
      button.addEventListener("click", () => {
        showView(button.dataset.view);
        writeAddress();
      });
    }
    const wanted = readAddress();
    await gallery.loadList(() => applyFilters(sheet.extend));
    document.body.dataset.loaded = "true";
    go(wanted);
    addEventListener("hashchange", () => {
      const wanted = readAddress();
      applyFilters();
      go(wanted);
    });
  }

  function go({ page, index }) {
    if (page > 1) sheet.turnTo(page - 1);
    const row = index === null ? null : gallery.rows.find((one) => String(one.index) === index);
    if (row) sample.open(row);
    else if (sample.row) sample.close();
  }

  start().catch((error) => {
    const notice = document.getElementById("notice");
    notice.hidden = false;
    notice.textContent = error.message;
  });
})();
