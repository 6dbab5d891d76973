#!/usr/bin/env python3
"""Opens pages of `switchyard report` in a headless Chromium and looks at them as a reader would.

    report-browser.py PAGE.html... [--screenshots FOLDER] [--chromium PATH]

Needs the package playwright and Debian's chromium. For each page, light and dark, 1,280 pixels wide and as wide as a phone:
no message on the console, no request to anywhere, nothing wider than the screen, and readable text in every chart (at least 9
pixels high). Then the pointer goes over every chart with curves, which must show a value for each of them, and the button must
change the colors. Exit code 1 if something failed.
"""
import argparse
import json
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

SIZES = {"wide": (1280, 900), "phone": (375, 740)}
SMALLEST_TEXT = 9


def check_layout(page, report):
    width = page.evaluate("document.documentElement.scrollWidth")
    report(width <= page.viewport_size["width"], f"the page is {width} pixels wide")
    sizes = page.evaluate(
        """[...document.querySelectorAll("svg")].map(svg => Math.min(...[...svg.querySelectorAll("text")].map(text =>
            parseFloat(getComputedStyle(text).fontSize) * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width)))""")
    report(sizes and min(sizes) >= SMALLEST_TEXT, f"the smallest text is {min(sizes, default=0):.1f} pixels high")


def check_values(page, report):
    for number, figure in enumerate(page.locator("figure").all()):
        lines = json.loads(figure.locator("script").text_content())["lines"]
        lines = [line for line in lines if line["x"]]
        if not lines:
            continue
        svg = figure.locator("svg")
        svg.scroll_into_view_if_needed()
        box = svg.bounding_box()
        page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.4)
        shown = figure.locator(".tip").inner_text() if figure.locator(".tip").is_visible() else ""
        missing = [line["name"] for line in lines if line["name"] + ": " not in shown]
        report(not missing, f"figure {number} shows no value of {missing}")
        page.mouse.move(0, 0)


def check_theme(page, report):
    color = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(color)
    page.locator("#theme").click()
    report(page.evaluate(color) != before, "the button changes no color")
    page.locator("#theme").click()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="+", type=Path)
    parser.add_argument("--screenshots", type=Path)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    failures, checks = [], 0

    def reporter(place):
        def report(passed, complaint):
            nonlocal checks
            checks += 1
            if not passed:
                failures.append(f"{place}: {complaint}")
        return report

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=["--no-sandbox"])
        for path in options.pages:
            for size, (width, height) in SIZES.items():
                for scheme in "light", "dark":
                    report = reporter(f"{path.name}, {size}, {scheme}")
                    page = browser.new_page(
                        viewport={"width": width, "height": height}, color_scheme=scheme, device_scale_factor=1)
                    messages, requests = [], []
                    page.on("console", lambda message: messages.append(message.text))
                    page.on("pageerror", lambda error: messages.append(str(error)))
                    page.on("request", lambda request: requests.append(request.url))
                    page.goto(path.resolve().as_uri())
                    check_layout(page, report)
                    check_values(page, report)
                    check_theme(page, report)
                    report(not messages, f"the console says {messages[:3]}")
                    others = [url for url in requests if not url.startswith(("file:", "data:"))]
                    report(not others, f"the page asks for {others[:3]}")
                    if options.screenshots:
                        options.screenshots.mkdir(parents=True, exist_ok=True)
                        name = f"{path.stem}-{size}-{scheme}.png"
                        page.screenshot(path=options.screenshots / name, full_page=True)
                    page.close()
        browser.close()
    print(*failures, sep="\n")
    print(f"{checks - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
