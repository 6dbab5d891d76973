/// The script of a page: the values of the curves under the pointer, and the choice between light and dark. Without it the page is
/// complete but for these two.
let pageScript = #"""
    const theme = document.getElementById("theme"), root = document.documentElement;
    theme.hidden = false;
    theme.addEventListener("click", () => {
      const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
    });

    const units = [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e4, "K", 1e3]];
    const written = value => {
      const unit = units.find(unit => Math.abs(value) >= unit[0]);
      return unit ? Number((value / (unit[2] || unit[0])).toPrecision(4)) + unit[1] : String(Number(value.toPrecision(4)));
    };

    const place = (axis, value) => {
      const [low, high] = axis.range;
      return axis.log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
    };

    const value = (axis, place) => {
      const [low, high] = axis.range;
      return axis.log ? low * Math.pow(high / low, place) : low + place * (high - low);
    };

    // The index of the value that is nearest to x; values ascend.
    const nearest = (values, x) => {
      let low = 0, high = values.length - 1;
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (values[middle] < x) low = middle; else high = middle;
      }
      return Math.abs(values[low] - x) <= Math.abs(values[high] - x) ? low : high;
    };

    const element = (name, attributes) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const key in attributes) made.setAttribute(key, attributes[key]);
      return made;
    };

    const follow = figure => {
      const data = JSON.parse(figure.querySelector("script").textContent), svg = figure.querySelector("svg");
      const lines = data.lines.filter(line => line.x.length);
      if (!lines.length) return;
      const [left, right, top, floor] = data.frame;
      const marks = svg.appendChild(element("g", {"pointer-events": "none", visibility: "hidden"}));
      const rule = marks.appendChild(element("line", {y1: top, y2: floor, stroke: "var(--axis)", "stroke-dasharray": "3 3"}));
      const dots = lines.map(line => marks.appendChild(element("circle", {r: 4, fill: line.color, stroke: "var(--surface)"})));
      const tip = figure.appendChild(document.createElement("div"));
      tip.className = "tip";
      tip.hidden = true;

      const hide = () => { tip.hidden = true; marks.setAttribute("visibility", "hidden"); };
      const show = event => {
        const box = svg.getBoundingClientRect(), scale = svg.viewBox.baseVal.width / box.width;
        const pointer = (event.clientX - box.left) * scale;
        if (pointer < left - 4 || pointer > right + 4) return hide();
        const x = value(data.x, Math.min(1, Math.max(0, (pointer - left) / (right - left))));
        tip.textContent = "";
        lines.forEach((line, index) => {
          const at = nearest(line.x, x), cx = left + place(data.x, line.x[at]) * (right - left);
          const cy = Math.min(floor, Math.max(top, floor - place(data.y, line.y[at]) * (floor - top)));
          if (index === 0) {
            rule.setAttribute("x1", cx);
            rule.setAttribute("x2", cx);
            tip.appendChild(document.createElement("div")).textContent = written(line.x[at]) + " " + data.x.title;
          }
          dots[index].setAttribute("cx", cx);
          dots[index].setAttribute("cy", cy);
          const row = tip.appendChild(document.createElement("div"));
          row.textContent = line.name + ": " + written(line.y[at]);
          row.style.color = line.color;
        });
        marks.setAttribute("visibility", "visible");
        tip.hidden = false;
        const beside = event.clientX - figure.getBoundingClientRect().left, width = figure.clientWidth;
        tip.style.left = Math.max(0, Math.min(width - tip.offsetWidth, beside + 14)) + "px";
        tip.style.top = (svg.offsetTop + top / scale + 4) + "px";
      };
      svg.addEventListener("pointermove", show);
      svg.addEventListener("pointerdown", show);
      svg.addEventListener("pointerleave", hide);
    };
    document.querySelectorAll("figure").forEach(follow);
    """#
