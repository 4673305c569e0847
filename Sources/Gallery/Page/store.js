"use strict";

/* What is known of the run. The files in data/ call `run`, `list` and `samples` with it; scripts are the only data that
   a page opened from a disk may load. Texts of the run go into text nodes and nowhere else. */
const gallery = (() => {
  const groupSize = 1000;
  const rows = [];
  const details = new Map();
  const loading = new Map();
  let facts = null;

  /** Loads a script of data once; resolves when it has run. */
  function load(name) {
    if (!loading.has(name)) {
      loading.set(name, new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = `data/${name}.js`;
        script.onload = resolve;
        script.onerror = () => {
          loading.delete(name);
          script.remove();
          reject(new Error(`data/${name}.js is missing or damaged; write the gallery again`));
        };
        document.head.append(script);
      }));
    }
    return loading.get(name);
  }

  function run(value) {
    facts = value;
  }

  /** Takes the rows of one script of the list. */
  function list(number, values) {
    values.forEach((value, place) => {
      const [index, width, height, hasMask, prompt, reasons, classes, scores] = value;
      const position = number * facts.list_size + place;
      rows[position] = {
        position, index, width, height, hasMask, prompt, reasons, classes, scores,
        words: prompt.toLowerCase(),
      };
    });
  }

  function samples(number, values) {
    details.set(number, values);
  }

  /** Loads the whole list, in order; `arrived` is called after each part. */
  async function loadList(arrived) {
    const parts = Math.ceil(facts.samples / facts.list_size);
    for (let part = 0; part < parts; part += 1) {
      await load(`list-${part}`);
      arrived(rows.length);
    }
  }

  /** Everything about a sample. */
  async function detail(row) {
    const part = Math.floor(row.position / facts.detail_size);
    await load(`samples-${part}`);
    return details.get(part)[row.position % facts.detail_size];
  }

  function path(kind, row, suffix) {
    return `${kind}/${Math.floor(row.index / groupSize)}/${row.index}.${suffix}`;
  }

  /** The files of a sample: `small` ones for the sheet, else the picture itself. */
  function files(row, small) {
    const hasSmall = Math.max(row.width, row.height) > facts.thumbnail_limit;
    const [image, overlay] = small && hasSmall
      ? [path("thumbnails", row, "jpg"), path("thumbnail-overlays", row, "png")]
      : [path("images", row, "png"), path("overlays", row, "png")];
    return { image, overlay: row.hasMask ? overlay : null };
  }

  return {
    run, list, samples, loadList, detail, files, rows,
    get facts() { return facts; },
  };
})();

/** Makes an element. Properties are set as such, except for `class`, `data-`, `aria-` and `role`. */
function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "class" || key === "role" || key.includes("-")) made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children);
  return made;
}

/** Text of the run: kept apart from the page's own, whichever way it is written. */
function foreign(text) {
  return element("bdi", { dir: "auto" }, text);
}

/** A number with thin groups of three digits. */
function counted(number) {
  return number.toLocaleString("en-GB").replaceAll(",", "\u202f");
}

/** A picture with its mask over it, both of one size. */
function layered(row, small) {
  const files = gallery.files(row, small);
  const size = { width: row.width, height: row.height, decoding: "async", draggable: false };
  const layers = [element("img", { ...size, src: files.image, alt: "" })];
  if (files.overlay) {
    layers.push(element("img", { ...size, src: files.overlay, alt: "", class: "overlay" }));
  }
  return layers;
}
