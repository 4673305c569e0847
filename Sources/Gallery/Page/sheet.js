"use strict";

/* The contact sheet: one page of the samples that pass. */
const sheet = (() => {
  const pageSize = 48;
  const grid = document.getElementById("sheet");
  let found = [];
  let drawn = [];
  let page = 0;
  let ahead = [];
  let opened = () => {};
  let turned = () => {};

  // Not every browser says when it is idle.
  const whenIdle = window.requestIdleCallback ?? ((task) => setTimeout(task, 100));
  const pageCount = () => Math.max(1, Math.ceil(found.length / pageSize));
  const cards = () => [...grid.querySelectorAll(".card")];

  function card(row, isFirst) {
    const picture = element("span", { class: "picture" }, ...layered(row, true));
    const caption = element("span", { class: "prompt" }, foreign(row.prompt));
    const made = element("button", {
      type: "button", class: "card", tabIndex: isFirst ? 0 : -1, "data-position": row.position,
    }, picture, caption);
    if (row.reasons.length) made.append(element("span", { class: "badge rejected" }, "rejected"));
    return element("li", {}, made);
  }

  function draw() {
    const rows = found.slice(page * pageSize, (page + 1) * pageSize);
    // What is there stays: the focus too, while more of the list arrives.
    if (rows.length !== drawn.length || rows.some((row, place) => row !== drawn[place])) {
      for (const image of ahead) if (!image.complete) image.removeAttribute("src");
      grid.replaceChildren(...rows.map((row, place) => card(row, place === 0)));
      drawn = rows;
      whenIdle(lookAhead);
    }
    document.getElementById("empty").hidden = found.length > 0;
    document.querySelector("#sheet + .pager").hidden = pageCount() === 1;
    for (const number of document.querySelectorAll(".page-number")) {
      number.value = page + 1;
      number.max = pageCount();
    }
    for (const count of document.querySelectorAll(".page-count")) {
      count.textContent = counted(pageCount());
    }
    for (const button of document.querySelectorAll("[data-turn]")) {
      const target = page + Number(button.dataset.turn);
      button.disabled = target < 0 || target >= pageCount();
    }
  }

  /** Loads the pictures of the pages beside this one, so that turning finds them there. */
  function lookAhead() {
    const beside = [page + 1, page - 1].filter((one) => one >= 0 && one < pageCount());
    ahead = beside.flatMap((one) => found.slice(one * pageSize, (one + 1) * pageSize))
      .flatMap((row) => Object.values(gallery.files(row, true)))
      .filter(Boolean)
      .map((src) => Object.assign(new Image(), { src }));
  }

  /** Shows other samples, from the first page on. */
  function show(rows) {
    found = rows;
    page = 0;
    draw();
  }

  /** Takes over a longer list without leaving the page. */
  function extend(rows) {
    found = rows;
    draw();
  }

  /** Goes to a page, from 0, as near as there is one. */
  function turnTo(number) {
    const target = Math.min(pageCount() - 1, Math.max(0, number));
    if (target === page) return draw();
    page = target;
    draw();
    if (grid.getBoundingClientRect().top < 0) document.querySelector(".results").scrollIntoView();
    turned();
  }

  /** Gives a sample of the page the focus. */
  function focus(place) {
    const all = cards();
    const next = all[Math.min(all.length - 1, Math.max(0, place))];
    if (!next) return;
    for (const one of all) one.tabIndex = one === next ? 0 : -1;
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  }

  /** Goes to the page of a sample and gives it the focus. */
  function reveal(row) {
    const place = found.indexOf(row);
    if (place < 0) return;
    turnTo(Math.floor(place / pageSize));
    focus(place % pageSize);
  }

  function onKey(event) {
    const all = cards();
    const place = all.indexOf(event.target.closest(".card"));
    if (place < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const columns = getComputedStyle(grid).gridTemplateColumns.split(" ").length;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    if (event.key in steps) {
      const target = place + steps[event.key];
      if (target >= 0 && target < all.length) focus(target);
    } else if (event.key === "Home" || event.key === "End") {
      focus(event.key === "Home" ? 0 : all.length - 1);
    } else if (event.key === "PageUp" || event.key === "PageDown") {
      turnTo(page + (event.key === "PageUp" ? -1 : 1));
      focus(place);
    } else {
      return;
    }
    event.preventDefault();
  }

  function prepare(open, turn) {
    opened = open;
    turned = turn;
    grid.addEventListener("keydown", onKey);
    grid.addEventListener("click", (event) => {
      const hit = event.target.closest(".card");
      if (!hit) return;
      focus(cards().indexOf(hit));
      opened(gallery.rows[Number(hit.dataset.position)]);
    });
    for (const button of document.querySelectorAll("[data-turn]")) {
      button.addEventListener("click", () => turnTo(page + Number(button.dataset.turn)));
    }
    for (const number of document.querySelectorAll(".page-number")) {
      number.addEventListener("change", () => turnTo(Math.trunc(Number(number.value) || 1) - 1));
    }
  }

  /** The sample that stands `step` places behind another; none beyond the ends. */
  function neighbour(row, step) {
    return found[found.indexOf(row) + step] ?? null;
  }

  /** Where a sample stands among those that pass, for people. */
  function place(row) {
    return `${counted(found.indexOf(row) + 1)} of ${counted(found.length)}`;
  }

  return {
    prepare, show, extend, turnTo, reveal, neighbour, place,
    get page() { return page; },
    get found() { return found; },
  };
})();
