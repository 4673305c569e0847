"use strict";

/* The statistics of the run as drawings, each with its numbers in a table below. */
const charts = (() => {
  const view = document.getElementById("statistics-view");
  let facts = null;
  let choose = () => {};
  const drawings = [];

  function shape(name, attributes = {}, ...children) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  function text(content, attributes) {
    return shape("text", attributes, content);
  }

  function titled(mark, words) {
    mark.append(shape("title", {}, words));
    return mark;
  }

  function svg(width, height, label) {
    return shape("svg", {
      width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label,
    });
  }

  const percent = (part, whole) => (whole ? `${((part / whole) * 100).toFixed(1)} %` : "–");

  function table(heads, rows) {
    return element("details", { class: "numbers" }, element("summary", {}, "Numbers"),
      element("div", { class: "scroll", role: "region", tabIndex: 0, "aria-label": "Numbers" },
        element("table", {},
          element("thead", {}, element("tr", {},
            ...heads.map((head) => element("th", { scope: "col" }, head)))),
          element("tbody", {}, ...rows.map(([first, ...rest]) => element("tr", {},
            element("th", { scope: "row" }, first),
            ...rest.map((cell) => element("td", {}, cell))))))));
  }

  /** A figure whose drawing is made anew for the room it has. */
  function figure(title, note, draw, numbers, className = "") {
    const place = element("div", { class: "drawing" });
    drawings.push({ place, draw, width: 0 });
    return element("figure", { class: `panel ${className}` },
      element("figcaption", {}, element("h2", {}, title), note ? element("p", {}, note) : ""),
      place, numbers);
  }

  /** Bars to the right, a row each: `parts` of a row stand one behind the other. */
  function bars(label, rows) {
    return (width) => {
      const [rowHeight, labelWidth, numberWidth] = [24, Math.min(150, width * 0.34), 64];
      const most = Math.max(1, ...rows.map((row) => row.parts.reduce((sum, part) => sum + part.value, 0)));
      const scale = (width - labelWidth - numberWidth) / most;
      const drawing = svg(width, rows.length * rowHeight, label);
      rows.forEach((row, place) => {
        const y = place * rowHeight;
        const group = shape("g", { class: row.chosen ? "row chosen" : "row" });
        group.append(shape("rect", { class: "ground", x: 0, y, width, height: rowHeight }));
        const room = Math.floor((labelWidth - 10) / 7);
        const name = row.name.length > room ? `${row.name.slice(0, room - 1)}…` : row.name;
        group.append(text(name, { x: labelWidth - 10, y: y + 16, class: "label end" }));
        let x = labelWidth;
        for (const part of row.parts) {
          const length = part.value * scale;
          group.append(shape("rect", {
            class: `mark ${part.kind}`, x, y: y + 4, width: Math.max(0, length), height: rowHeight - 8,
          }));
          x += length;
        }
        group.append(text(row.number, { x: x + 6, y: y + 16, class: "number" }));
        drawing.append(titled(group, row.words));
        if (row.chosen) group.addEventListener("click", row.chosen);
      });
      return drawing;
    };
  }

  /** Upright bars over 0 to 1. */
  function histogram(label, { accepted, rejected }) {
    return (width) => {
      const [left, right, top, bottom, height] = [40, 8, 8, 24, 200];
      const most = Math.max(1, ...accepted.map((count, place) => count + rejected[place]));
      const step = niceStep(most);
      const highest = Math.ceil(most / step) * step;
      const y = (count) => top + (1 - count / highest) * (height - top - bottom);
      const column = (width - left - right) / accepted.length;
      const drawing = svg(width, height, label);
      for (let count = 0; count <= highest; count += step) {
        drawing.append(
          shape("line", { class: "grid", x1: left, x2: width - right, y1: y(count), y2: y(count) }),
          text(counted(count), { class: "tick end", x: left - 6, y: y(count) + 4 }));
      }
      accepted.forEach((count, place) => {
        const x = left + place * column + 1;
        const range = `${(place / accepted.length).toFixed(2)} to ${((place + 1) / accepted.length).toFixed(2)}`;
        const bar = shape("g");
        const mark = (kind, from, to) => {
          if (to > from) {
            bar.append(shape("rect", {
              class: `mark ${kind}`, x, y: y(to), width: Math.max(1, column - 2), height: y(from) - y(to),
            }));
          }
        };
        mark("accepted", 0, count);
        mark("rejected", count, count + rejected[place]);
        drawing.append(titled(bar, `${range}: ${count} accepted, ${rejected[place]} rejected`));
      });
      for (const share of [0, 0.25, 0.5, 0.75, 1]) {
        drawing.append(text(String(share), {
          class: `tick ${share === 1 ? "end" : share === 0 ? "" : "middle"}`,
          x: left + share * (width - left - right), y: height - 6,
        }));
      }
      return drawing;
    };
  }

  /** A round distance between lines, for about four of them. */
  function niceStep(most) {
    const power = 10 ** Math.floor(Math.log10(most / 4 || 1));
    return Math.max(1, [1, 2, 5, 10].find((one) => one * power * 4 >= most) * power);
  }

  function placeMap(rows, most) {
    return (width) => {
      const cell = Math.max(1, Math.floor(Math.min(width, 416) / rows.length));
      const side = cell * rows.length;
      const drawing = svg(side, side, `Where objects lie: a grid of ${rows.length} by ${rows.length} cells over the picture`);
      drawing.append(shape("rect", { class: "heat-ground", width: side, height: side }));
      rows.forEach((shares, row) => shares.forEach((share, column) => {
        const mark = shape("rect", {
          class: "heat", x: column * cell, y: row * cell, width: cell, height: cell,
          "fill-opacity": most ? (share / most).toFixed(3) : 0,
        });
        drawing.append(titled(mark, `covered in ${(share * 100).toFixed(1)} % of the pictures`));
      }));
      return drawing;
    };
  }

  function tiles() {
    const objects = facts.pixels.all - facts.pixels.background - facts.pixels.ignored;
    const shown = facts.classes.filter((one) => one.images > 0).length;
    const values = [
      [counted(facts.samples), "samples"],
      [percent(facts.accepted, facts.samples), "accepted"],
      [`${counted(shown)} of ${counted(facts.classes.length)}`, "classes in use"],
      [percent(objects, facts.pixels.all), "of mask pixels show objects"],
    ];
    return element("ul", { class: "tiles" }, ...values.map(([value, name]) =>
      element("li", {}, element("strong", {}, value), element("span", {}, name))));
  }

  function legend() {
    return element("p", { class: "legend" },
      element("span", { class: "key accepted", "aria-hidden": "true" }), "accepted",
      element("span", { class: "key rejected", "aria-hidden": "true" }), "rejected");
  }

  function classFigures() {
    const places = facts.classes.map((one, place) => ({ one, place }));
    const byImages = [...places].sort((a, b) => b.one.images - a.one.images || a.place - b.place);
    const rows = byImages.map(({ one, place }) => ({
      name: one.name, number: counted(one.images),
      parts: [{ kind: "accepted", value: one.accepted }, { kind: "rejected", value: one.images - one.accepted }],
      words: `${one.name}: ${one.images} samples, ${one.accepted} accepted`,
      chosen: () => choose({ class: String(place) }),
    }));
    const byPixels = [...places].sort((a, b) => b.one.pixels - a.one.pixels || a.place - b.place);
    const all = facts.classes.reduce((sum, one) => sum + one.pixels, 0);
    const pixelRows = byPixels.map(({ one, place }) => ({
      name: one.name, number: percent(one.pixels, all),
      parts: [{ kind: "plain", value: one.pixels }],
      words: `${one.name}: ${counted(one.pixels)} pixels`,
      chosen: () => choose({ class: String(place) }),
    }));
    return [
      figure("Samples by class", "A class counts where the prompt names it or the mask shows it. Choose one to see its samples.",
        bars("Samples by class", rows),
        table(["Class", "Samples", "Accepted", "Mask pixels"], byImages.map(({ one, place }) => {
          const link = element("button", { type: "button", class: "link" }, foreign(one.name));
          link.addEventListener("click", () => choose({ class: String(place) }));
          return [link, counted(one.images), counted(one.accepted), counted(one.pixels)];
        }))),
      figure("Mask pixels by class", "Share of the pixels of all classes.",
        bars("Mask pixels by class", pixelRows),
        table(["Class", "Pixels", "Share"], byPixels.map(({ one }) =>
          [foreign(one.name), counted(one.pixels), percent(one.pixels, all)]))),
    ];
  }

  function sharedFigure(title, note, value) {
    const rows = value.accepted.map((count, place) => [
      `${(place / value.accepted.length).toFixed(2)} – ${((place + 1) / value.accepted.length).toFixed(2)}`,
      counted(count), counted(value.rejected[place]),
    ]);
    return figure(title, note, histogram(title, value), table(["Range", "Accepted", "Rejected"], rows));
  }

  function build() {
    const parts = [tiles(), legend()];
    const grid = element("div", { class: "figures" });
    if (facts.classes.length) grid.append(...classFigures());
    if (facts.per_split) {
      const rows = ["seen", "unseen"].map((side) => ({ side, counts: facts.per_split[side] }));
      grid.append(figure("Seen and unseen", "Samples with a class of that side.",
        bars("Samples with seen and with unseen classes", rows.map(({ side, counts }) => ({
          name: side, number: counted(counts.images),
          parts: [
            { kind: "accepted", value: counts.accepted },
            { kind: "rejected", value: counts.images - counts.accepted },
          ],
          words: `${side}: ${counts.images} samples, ${counts.accepted} accepted`,
          chosen: () => choose({ split: side }),
        }))),
        table(["Side", "Samples", "Accepted", "Mask pixels"], rows.map(({ side, counts }) =>
          [side, counted(counts.images), counted(counts.accepted), counted(counts.pixels)]))));
    }
    if (facts.reasons.length) {
      const reasons = [...facts.reasons].sort((a, b) => b[1] - a[1]);
      grid.append(figure("Rejected because", "A sample with two reasons counts for both.",
        bars("Rejected samples by reason", reasons.map(([reason, count]) => ({
          name: reason, number: counted(count), parts: [{ kind: "rejected", value: count }],
          words: `${reason}: ${count}`, chosen: () => choose({ decision: `because ${reason}` }),
        }))),
        table(["Reason", "Samples"], reasons.map(([reason, count]) => [foreign(reason), counted(count)]))));
    }
    if (facts.masks) {
      const most = Math.max(...facts.places.flat());
      grid.append(
        sharedFigure("Mask area", "Share of the picture that an object's mask covers.", facts.area),
        sharedFigure("Confidence", "Mean probability inside an object's mask.", facts.confidence),
        sharedFigure("Edge confidence", "Mean probability along the edge of an object's mask.", facts.edge_confidence),
        figure("Where objects lie",
          `How often each part of the picture is covered; the strongest colour is ${(most * 100).toFixed(0)} %.`,
          placeMap(facts.places, most),
          table(["Row", "Least", "Mean", "Most"], facts.places.map((row, place) => [
            String(place + 1), percent(Math.min(...row), 1),
            percent(row.reduce((sum, one) => sum + one, 0) / row.length, 1), percent(Math.max(...row), 1),
          ])), "map"));
    }
    view.replaceChildren(...parts, grid);
  }

  /** Draws what has got another width; builds the page when it is first looked at. */
  function draw() {
    if (!view.firstChild) build();
    for (const one of drawings) {
      const width = Math.floor(one.place.clientWidth);
      if (width === 0 || width === one.width) continue;
      one.width = width;
      one.place.replaceChildren(one.draw(width));
    }
  }

  function prepare(value, onChoose) {
    facts = value;
    choose = onChoose;
    addEventListener("resize", () => { if (!view.hidden) draw(); });
  }

  return { prepare, draw };
})();
