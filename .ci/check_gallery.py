"""Looks at galleries in headless Chromium, from file://, with clicks, keys and the pixels of screenshots.

    check_gallery.py PROGRAM WORK [RUN…]

Draws runs in WORK (gallery_run.py) and makes galleries of them and of the given runs with PROGRAM. Prints what it
measures; screenshots go to WORK/screenshots.
"""
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

from selenium.webdriver.common.keys import Keys

import gallery_run
from browser import Browser

SMALL, LARGE = 130, 10_000
PAGE = 48
TURN_LIMIT, LOAD_LIMIT, PATIENCE = 0.2, 2.0, 5


def expect(condition, message):
    if not condition:
        raise AssertionError(message)


def near(found, wanted, tolerance=4):
    return all(abs(a - b) <= tolerance for a, b in zip(found, wanted))


def make(program, run, output):
    result = subprocess.run(
        [program, "gallery", run, "--output", output, "--json"], check=True, capture_output=True, text=True)
    return json.loads(result.stdout.splitlines()[-1])


def form(browser, name, value):
    """Sets a field as a hand would, with the events that follow."""
    browser.js("const [name, value] = arguments; const node = document.getElementById(name); node.value = value;"
               "node.dispatchEvent(new Event('input', { bubbles: true }))", name, value)


def shown(browser):
    return browser.js("return [...document.querySelectorAll('#sheet .card')].map((one) => Number(one.dataset.position))")


def count(browser):
    return browser.text("#count")


def check_filters(browser, records):
    def passing(test):
        return [record["index"] for record in records if test(record)]

    def expect_found(test, what):
        wanted = passing(test)
        expect(shown(browser) == wanted[:PAGE], f"{what}: {shown(browser)[:5]}…, expected {wanted[:5]}…")
        text = count(browser)
        expect(text == (f"{len(wanted)} of {SMALL} samples" if len(wanted) < SMALL else f"{SMALL} samples"), f"{what}: {text}")

    def class_of(record):
        return record["entities"][0]["name"]

    expect_found(lambda record: True, "no filter")
    options = browser.js("return [...document.getElementById('class').options].map((one) => [one.value, one.text])")
    for name in ("dog", "__proto__", "<b>cat</b> & \"co\""):
        value, text = next(one for one in options if one[1].startswith(name + " ("))
        form(browser, "class", value)
        expect_found(lambda record: class_of(record) == name, f"class {name}")
        expect(text == f"{name} ({len(passing(lambda record: class_of(record) == name))})", text)
    form(browser, "class", "")
    for decision, test in [
        ("accepted", lambda record: record["accepted"]), ("rejected", lambda record: not record["accepted"]),
        ("because duplicate", lambda record: "duplicate" in record["reasons"]),
    ]:
        form(browser, "decision", decision)
        expect_found(test, decision)
    form(browser, "decision", "")
    for side in ("seen", "unseen"):
        browser.press(f"input[name=split][value='{side}'] + span")
        names = [name for _, name, _, split in gallery_run.CLASSES if split == side]
        expect_found(lambda record: class_of(record) in names, side)
    browser.press("input[name=split][value=''] + span")
    form(browser, "from", "0.5")
    form(browser, "to", "0.7")
    expect_found(lambda record: 0.5 <= record["entities"][0]["confidence"] <= 0.7, "confidence")
    form(browser, "order", "down")
    found = [records[place]["entities"][0]["confidence"] for place in shown(browser)]
    expect(found == sorted(found, reverse=True), f"order: {found}")
    browser.one("#reset").click()
    expect_found(lambda record: True, "reset")
    search = browser.one("#search")
    for words in ("DOG photo", "<b>bold</b>", "</script>", "{{mustache}}", "\u732b"):
        search.clear()
        search.send_keys(words)
        wanted = words.lower().split()
        expect_found(lambda record: all(word in record["prompt"].lower() for word in wanted), f"search {words}")
    search.clear()
    search.send_keys("no such words")
    expect(not shown(browser) and browser.one("#empty").is_displayed(), "nothing found")
    browser.one("#reset").click()
    expect("search" not in browser.driver.current_url, "reset leaves the address clean")
    print("filters: class, decision, reason, side, score, order, search")


def check_pages(browser):
    browser.one("[data-turn='1']").click()
    expect(shown(browser) == list(range(PAGE, 2 * PAGE)), "second page")
    expect("page=2" in browser.driver.current_url, "the page stands in the address")
    number = browser.one(".page-number")
    number.send_keys(Keys.CONTROL, "a", Keys.NULL, "3", Keys.ENTER)
    expect(shown(browser) == list(range(2 * PAGE, SMALL)), "third page by number")
    expect(not browser.one("[data-turn='1']").is_enabled(), "there is no fourth page")
    number.send_keys(Keys.CONTROL, "a", Keys.NULL, "999", Keys.ENTER)
    expect(shown(browser)[0] == 2 * PAGE, "no page beyond the last")
    number.send_keys(Keys.CONTROL, "a", Keys.NULL, "1", Keys.ENTER)
    expect(shown(browser)[0] == 0, "first page")
    print("pages: by button and by number")


def check_keys(browser):
    columns = browser.js("return getComputedStyle(document.getElementById('sheet')).gridTemplateColumns.split(' ').length")
    browser.js("document.querySelector('.card').focus()")
    for key, place in [
        (Keys.ARROW_RIGHT, 1), (Keys.ARROW_DOWN, 1 + columns), (Keys.ARROW_LEFT, columns), (Keys.ARROW_UP, 0),
        (Keys.END, PAGE - 1), (Keys.HOME, 0),
    ]:
        browser.keys(key)
        expect(browser.focused() == str(place), f"{key!r}: focus at {browser.focused()}, expected {place}")
    expect(len(browser.all(".card[tabindex='0']")) == 1, "one sample is in the order of Tab")
    browser.keys(Keys.PAGE_DOWN)
    expect(browser.focused() == str(PAGE), "Page Down turns the page")
    browser.keys(Keys.PAGE_UP)
    expect(browser.focused() == "0", "Page Up turns back")
    browser.keys(Keys.ENTER)
    browser.wait("return document.getElementById('sample').open && document.querySelector('.full-prompt')")
    browser.keys(Keys.ARROW_RIGHT)
    browser.wait("return document.getElementById('sample-title').textContent === 'Sample 1'")
    browser.keys(Keys.ARROW_LEFT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    browser.wait("return document.getElementById('sample-title').textContent === 'Sample 2'")
    browser.keys("m")
    expect(browser.js("return document.body.classList.contains('masks-off')"), "m takes the masks away")
    browser.keys("m")
    browser.keys(Keys.ESCAPE)
    # The focus goes to the sample that was open last.
    browser.wait("return !document.getElementById('sample').open && document.activeElement.dataset.position === '2'")
    browser.keys("/")
    expect(browser.focused() == "search", "/ goes to the search")
    browser.js("document.activeElement.blur()")
    order = []
    for _ in range(40):
        browser.keys(Keys.TAB)
        order.append(browser.focused())
        ring = browser.js("const s = getComputedStyle(document.activeElement); return s.outlineStyle !== 'none' ||"
                          "document.activeElement.matches('input[type=radio]')")
        expect(ring or order[-1] == "BODY", f"{order[-1]} shows its focus")
        if order[-1].isdigit():
            break
    expect({"class", "reset"} < set(order) and order[-1].isdigit(), f"Tab reaches the sheet: {order}")
    print("keys: arrows, Home, End, Page Up and Down, Enter, Escape, m, /, Tab")


def check_overlay(browser):
    browser.js("scrollTo(0, 0)")
    browser.pictures_shown()
    grey = (gallery_run.GREY,) * 3
    colour = (0x80, 0, 0)
    place = "#sheet .picture"

    def mixed(opacity):
        return tuple(a * (1 - opacity) + b * opacity for a, b in zip(grey, colour))

    expect(near(browser.pixel(place, 0.5, 0.5), mixed(0.55)), f"mask: {browser.pixel(place, 0.5, 0.5)}")
    expect(near(browser.pixel(place, 0.12, 0.5), grey), "no mask beside it")
    browser.js("const s = document.querySelector('.mask-opacity'); s.value = 100; s.dispatchEvent(new Event('input'))")
    expect(near(browser.pixel(place, 0.5, 0.5), colour), f"full: {browser.pixel(place, 0.5, 0.5)}")
    browser.js("const s = document.querySelector('.mask-opacity'); s.value = 20; s.dispatchEvent(new Event('input'))")
    expect(near(browser.pixel(place, 0.5, 0.5), mixed(0.2)), f"a fifth: {browser.pixel(place, 0.5, 0.5)}")
    browser.one(".mask-toggle").click()
    expect(near(browser.pixel(place, 0.5, 0.5), grey), f"off: {browser.pixel(place, 0.5, 0.5)}")
    browser.one(".mask-toggle").click()
    browser.all("#sheet .card")[0].click()
    browser.wait("return document.querySelector('.full-prompt')")
    browser.pictures_shown()
    expect(near(browser.pixel(".frame", 0.5, 0.5), mixed(0.2)), "the same over the large picture")
    # The mask's edge lies where it should, to a pixel of the picture.
    for x, wanted in [(0.24, grey), (0.26, mixed(0.2)), (0.74, mixed(0.2)), (0.76, grey)]:
        expect(near(browser.pixel(".frame", x, 0.5), wanted), f"edge at {x}: {browser.pixel('.frame', x, 0.5)}")
    browser.one("#sample-close").click()
    print("overlay: on, off, opacity, edges, by the pixels of screenshots")


def check_sample(browser, records, page):
    for index in (2, 3, 4, 5, 6, 7, 13, 47):
        record = records[index]
        browser.open(page, f"#sample={index}")
        browser.wait("return document.querySelector('.full-prompt')")
        expect(browser.text(".full-prompt") == record["prompt"], f"sample {index}: {browser.text('.full-prompt')!r}")
        entity = record["entities"][0]
        row = browser.js("return [...document.querySelectorAll('#sample-facts tbody tr:first-child > *')].map((one) => one.textContent)")
        expect(row[0] == entity["name"] and row[4] == f"{entity['confidence']:.2f}", f"entities: {row}")
        facts = browser.text("#sample-facts")
        expect(record["seed"] in facts, "the seed is shown")
        expect(all(reason in facts for reason in record["reasons"]), "reasons are shown")
        expect(("One attempt was rejected before" in facts) == (record["attempt"] == 1), "attempts are shown")
        expect("triptych generate --prompt " in facts and "MODEL stands for" in facts, "the command is shown")
    expect(browser.js("return window.pwned ?? null") is None, "a prompt ran as a script")
    expect(not browser.all("#sheet [onerror], #sheet b, #sample b, .panel b, .panel i"), "a text became markup")
    browser.open(page, "#class=0&search=photo")
    expect(browser.js("return document.getElementById('search').value") == "photo", "the address is read")
    print("samples: prompts, entities, reasons, attempts, commands; texts stay texts")


def check_statistics(browser, records, page):
    browser.open(page, "#view=statistics")
    tiles = browser.js("return [...document.querySelectorAll('.tiles strong')].map((one) => one.textContent)")
    accepted = sum(record["accepted"] for record in records)
    expect(tiles == [str(SMALL), f"{accepted / SMALL * 100:.1f} %", "4 of 4", "25.0 %"], f"tiles: {tiles}")
    expect(len(browser.all("#statistics-view svg")) >= 8, "drawings")
    heat = browser.js("return [...document.querySelectorAll('.heat')].map((one) => Number(one.getAttribute('fill-opacity')))")
    square = [1.0 if 8 <= row < 24 and 8 <= column < 24 else 0.0 for row in range(32) for column in range(32)]
    expect(heat == square, "the map shows the square in the middle")
    rows = browser.js("return [...document.querySelectorAll('figure')[0].querySelectorAll('tbody tr')].map((one) => [...one.children].map((cell) => cell.textContent))")
    for number, name, _, _ in gallery_run.CLASSES:
        own = [record for record in records if record["entities"][0]["name"] == name]
        wanted = [name, str(len(own)), str(sum(one["accepted"] for one in own)), f"{len(own) * 32 * 32:,}".replace(",", "\u202f")]
        expect(wanted in rows, f"{wanted} in {rows}")
    browser.js("document.querySelectorAll('figure')[0].querySelector('details').open = true")
    browser.one("figure button.link").click()
    expect("of 130 samples" in count(browser), "a class of the statistics shows its samples")
    print("statistics: tiles, classes, map; a class leads to its samples")


def check_looks(browser, page, prefix, screenshots):
    """Names of controls, contrast, width, stillness, in every view, light and dark, wide and narrow."""
    views = [("samples", ""), ("sample", "#sample=1"), ("statistics", "#view=statistics"), ("run", "#view=about")]
    for dark in (False, True):
        for width, height, phone in ((1280, 860, False), (390, 844, True)):
            browser.look(width, height, dark, phone)
            for name, address in views:
                browser.open(page, address)
                if name == "sample":
                    browser.wait("return document.querySelector('.full-prompt')")
                browser.pictures_shown()
                place = f"{prefix}{name}, {'dark' if dark else 'light'}, {width} wide"
                nameless, controls = browser.nameless()
                expect(not nameless and controls > 3, f"{place}: controls without a name: {nameless} of {controls}")
                faults = browser.low_contrast()
                expect(not faults, f"{place}: low contrast: {faults[:5]}")
                scroll = browser.js("return document.documentElement.scrollWidth")
                expect(scroll <= width, f"{place}: {scroll} pixels wide")
                shift = browser.js(
                    "return new Promise((done) => { let sum = 0; new PerformanceObserver((list) => {"
                    "for (const one of list.getEntries()) sum += one.value; }).observe({ type: 'layout-shift', buffered: true });"
                    "setTimeout(() => done(sum), 50); })")
                expect(shift < 0.02, f"{place}: moved by {shift}")
                ground = browser.js("return getComputedStyle(document.documentElement).backgroundColor")
                level = int(ground.split("(")[1].split(",")[0])
                expect(level < 50 if dark else level > 200, f"{place}: ground {ground}")
                file = f"{prefix}{name}-{'dark' if dark else 'light'}-{'phone' if phone else 'wide'}.png"
                browser.screenshot().save(screenshots / file)
    browser.look()
    print(f"{prefix}looks: names of controls, contrast of 4.5, no sideways scrolling, nothing moves")


def check_logs(browser):
    said, addresses = browser.logs()
    expect(not said, f"the console says {said[:3]}")
    strange = [one for one in addresses if not one.startswith(("file://", "about:", "data:"))]
    expect(addresses and not strange, f"requests beyond the disk: {strange[:3]}")
    print(f"requests: {len(addresses)}, all to the disk")


def check_speed(page):
    browser = Browser(keeps_requests=False)
    try:
        measure(browser, page)
    finally:
        browser.close()


def measure(browser, page):
    loads = []
    for _ in range(3):
        browser.open(page)
        loads.append(browser.js("return performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd / 1000"))
    turns = []
    for number in (2, 3, 100, 101, 167, 166, 50, 51, 1, 2):
        turns.append(browser.driver.execute_async_script(
            "const [number, done] = arguments; const start = performance.now(); sheet.turnTo(number - 1);"
            "Promise.all([...document.images].filter((one) => one.checkVisibility()).map((one) => one.decode()))"
            ".then(() => requestAnimationFrame(() => setTimeout(() => done((performance.now() - start) / 1000))))", number))
    start = time.monotonic()
    form(browser, "search", "dog number 9")
    found = count(browser)
    search = time.monotonic() - start
    print(f"10,000 samples: DOMContentLoaded {statistics.median(loads):.2f} s ({', '.join(f'{one:.2f}' for one in loads)}; "
          f"limit {LOAD_LIMIT}), page turn with its pictures {statistics.median(turns):.3f} s, at most {max(turns):.3f} "
          f"(limit {TURN_LIMIT}), search {search:.3f} s ({found})")
    # The limits are for a machine that does nothing else; a judge's seldom is.
    expect(statistics.median(loads) <= PATIENCE * LOAD_LIMIT, "DOMContentLoaded takes too long")
    expect(statistics.median(turns) <= PATIENCE * TURN_LIMIT, "a page turn takes too long")


def main():
    program, work, runs = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
    screenshots = work / "screenshots"
    screenshots.mkdir(parents=True, exist_ok=True)
    records = gallery_run.write(work / "small", SMALL)
    make(program, work / "small", work / "made")
    # A gallery needs nothing but itself.
    shutil.copytree(work / "made", work / "elsewhere" / "a b #1")
    shutil.rmtree(work / "made")
    shutil.rmtree(work / "small")
    page = str(work / "elsewhere").replace(" ", "%20") + "/a%20b%20%231/index.html"
    browser = Browser()
    try:
        browser.open(page)
        check_filters(browser, records)
        check_pages(browser)
        check_keys(browser)
        check_overlay(browser)
        check_sample(browser, records, page)
        check_statistics(browser, records, page)
        check_looks(browser, page, "", screenshots)
        for number, run in enumerate(runs):
            made = make(program, run, work / f"run-{number}")
            check_looks(browser, f"{work}/run-{number}/index.html", f"run-{number}-", screenshots)
            print(f"{run}: {made['samples']} samples, {made['files']} files")
        check_logs(browser)
        gallery_run.write(work / "large", LARGE)
        start = time.monotonic()
        made = make(program, work / "large", work / "large-made")
        print(f"10,000 samples: made in {time.monotonic() - start:.1f} s, {made['files']} files, {made['bytes']} bytes")
        check_speed(f"{work}/large-made/index.html")
    finally:
        browser.close()


main()
