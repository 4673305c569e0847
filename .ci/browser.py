"""A headless Chromium, driven by chromedriver of the same version, for the check of galleries."""
import io
import json
import time

from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

CONTRAST = """
const light = (c) => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
const luminance = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
const parse = (text) => { const all = text.match(/[\\d.]+/g).map(Number); return all.length < 4 ? [...all, 1] : all; };
const ground = (node) => {
  for (let at = node; at; at = at.parentElement) {
    const colour = parse(getComputedStyle(at).backgroundColor);
    if (colour[3] === 1) return colour;
  }
  return [255, 255, 255, 1];
};
const faults = [];
for (const node of document.querySelectorAll("body *")) {
  const hasText = [...node.childNodes].some((one) => one.nodeType === 3 && one.data.trim());
  if (!hasText || !node.checkVisibility({ visibilityProperty: true }) || node.closest(":disabled, option")) continue;
  const style = getComputedStyle(node);
  const inDrawing = node instanceof SVGElement;
  const [a, b] = [luminance(parse(inDrawing ? style.fill : style.color)), luminance(ground(node))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) faults.push([node.tagName, node.className.baseVal ?? node.className, node.textContent.slice(0, 30), ratio.toFixed(2)]);
}
return faults;
"""
CONTROLS = {
    "button", "textbox", "searchbox", "spinbutton", "combobox", "listbox", "slider", "checkbox", "radio", "link",
    "DisclosureTriangle", "switch", "tab", "dialog", "region", "navigation", "img", "image", "group", "radiogroup",
}
NAMELESS = {"group", "image", "img"}  # details are groups; pictures beside their own caption have none on purpose


class Browser:
    def __init__(self, keeps_requests=True, chromium="/usr/bin/chromium", driver="/usr/bin/chromedriver"):
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"):
            options.add_argument(argument)
        # Telling of every request takes time that is no fault of the page.
        kept = {"browser": "ALL", **({"performance": "ALL"} if keeps_requests else {})}
        options.set_capability("goog:loggingPrefs", kept)
        self.driver = webdriver.Chrome(options=options, service=Service(driver))
        self.look()

    def close(self):
        self.driver.quit()

    def look(self, width=1280, height=860, dark=False, phone=False):
        """How the page is looked at."""
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})

    def open(self, page, address=""):
        self.driver.get("about:blank")
        self.driver.get(f"file://{page}{address}")
        self.wait("return document.body.dataset.loaded === 'true'")

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def wait(self, script, seconds=20):
        end = time.monotonic() + seconds
        while not self.js(script):
            if time.monotonic() > end:
                raise AssertionError(f"waited {seconds} s for {script}")
            time.sleep(0.01)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return next(node for node in self.all(selector) if node.is_displayed())

    def press(self, selector):
        """Clicks where an element is, whatever lies on top of it."""
        ActionChains(self.driver).move_to_element(self.one(selector)).click().perform()

    def text(self, selector):
        return self.js("return document.querySelector(arguments[0]).textContent", selector)

    def keys(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()

    def focused(self):
        return self.js("const a = document.activeElement; return a.id || a.dataset.position || a.tagName")

    def pictures_shown(self):
        """Waits until every picture in view is decoded."""
        self.wait("return [...document.images].filter((one) => one.checkVisibility()).every((one) => one.complete)")

    def screenshot(self):
        return Image.open(io.BytesIO(self.driver.get_screenshot_as_png())).convert("RGB")

    def pixel(self, selector, x, y):
        """The colour at a place of an element, as shares of its size."""
        box = self.js("const b = document.querySelector(arguments[0]).getBoundingClientRect();"
                      "return [b.x, b.y, b.width, b.height]", selector)
        return self.screenshot().getpixel((int(box[0] + box[2] * x), int(box[1] + box[3] * y)))

    def nameless(self):
        """The controls that a screen reader could not name, by the browser's own accessibility tree."""
        nodes = self.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        found, count = [], 0
        for node in nodes:
            role = node.get("role", {}).get("value")
            if node.get("ignored") or role not in CONTROLS:
                continue
            count += 1
            if not node.get("name", {}).get("value", "").strip() and role not in NAMELESS:
                found.append((role, node.get("backendDOMNodeId")))
        return found, count

    def low_contrast(self):
        return self.js(CONTRAST)

    def logs(self):
        """What the console said, and the addresses of all requests."""
        said = [line["message"] for line in self.driver.get_log("browser") if line["level"] in ("SEVERE", "WARNING")]
        addresses = []
        for line in self.driver.get_log("performance"):
            message = json.loads(line["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                addresses.append(message["params"]["request"]["url"])
        return said, addresses
