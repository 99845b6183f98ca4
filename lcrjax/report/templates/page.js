"use strict";
(() => {
  const make = (tag, text, cls) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (cls) element.className = cls;
    return element;
  };
  const data = (id) => {
    const element = document.getElementById(id);
    return element && JSON.parse(element.textContent);
  };

  // Tables: a button in every heading sorts by its column.
  const shown = (cell) => {
    if (cell.dataset.sort !== undefined) return cell.dataset.sort;
    const visible = [...cell.querySelectorAll(".q")].find((q) => getComputedStyle(q).display !== "none");
    return (visible || cell).textContent.trim();
  };
  const number = (text) => {
    if (text.startsWith("∞")) return Infinity;
    return parseFloat(text.replace(/[,≤≥]/g, "").replace("−", "-"));
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = make("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "descending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "ascending" : "descending");
        const body = table.tBodies[0];
        const value = (row) => (row.cells[column] ? shown(row.cells[column]) : "");
        const order = [...body.rows].map((row) => [row, value(row)]);
        const compare = (a, b) => {
          const x = number(a), y = number(b);
          if (isNaN(x) !== isNaN(y)) return isNaN(x) ? 1 : -1;
          const by = isNaN(x) ? a.localeCompare(b) : x === y ? 0 : x < y ? -1 : 1;
          return down ? by : -by;
        };
        order.sort((a, b) => compare(a[1], b[1]));
        body.append(...order.map(([row]) => row));
      });
    });
  }

  // Pictures: a click or Enter enlarges one.
  const dialog = make("dialog");
  if (dialog.showModal) {
    const large = make("img"), caption = make("p"), close = make("button", "Close");
    dialog.append(large, caption, close);
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    const enlarge = (picture) => {
      large.src = picture.src;
      large.alt = picture.alt;
      // As many times as it fits, so that pixels stay squares.
      const fits = Math.min((0.8 * innerWidth) / picture.naturalWidth, (0.75 * innerHeight) / picture.naturalHeight);
      large.width = Math.round(picture.naturalWidth * (fits > 1 ? Math.floor(fits) : fits));
      caption.textContent = picture.title || picture.alt;
      document.body.append(dialog);
      dialog.showModal();
    };
    for (const picture of document.querySelectorAll("main img:not(.field img)")) {
      picture.tabIndex = 0;
      picture.classList.add("enlarges");
      picture.addEventListener("click", () => enlarge(picture));
      picture.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        enlarge(picture);
      });
    }
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
  }

  // Profiles: the values of all lines under the pointer.
  const profile = data("profile-data");
  const readout = document.getElementById("readout");
  if (profile && readout) {
    const charts = [...document.querySelectorAll("svg[data-panel]")];
    const hide = () => {
      readout.hidden = true;
      for (const chart of charts) {
        chart.querySelector(".cross").setAttribute("visibility", "hidden");
        chart.querySelectorAll(".line").forEach((line) => line.classList.remove("dim"));
      }
    };
    const nearest = (x) => {
      let best = 0;
      profile.x.forEach((place, i) => {
        if (Math.abs(place - x) < Math.abs(profile.x[best] - x)) best = i;
      });
      return best;
    };
    const show = (chart, at, over, x, y) => {
      for (const other of charts) {
        const cross = other.querySelector(".cross");
        cross.setAttribute("x1", profile.x[at]);
        cross.setAttribute("x2", profile.x[at]);
        cross.setAttribute("visibility", "visible");
      }
      chart.querySelectorAll(".line").forEach((line) => line.classList.toggle("dim", Boolean(over) && line !== over));
      const values = profile.values[chart.dataset.panel].map((column, i) => [profile.names[i], column[at]]);
      values.sort((a, b) => b[1] - a[1]);
      readout.replaceChildren(make("b", chart.dataset.panel + " at q = " + profile.q[at]));
      for (const [name, value] of values) {
        const row = make("div");
        row.append(make("span", name), make("span", String(value)));
        readout.append(row);
      }
      readout.hidden = false;
      const size = readout.getBoundingClientRect();
      const left = x + 18 + size.width < innerWidth ? x + 18 : x - 18 - size.width;
      readout.style.left = Math.max(6, left) + "px";
      readout.style.top = Math.max(6, Math.min(y - size.height / 2, innerHeight - size.height - 6)) + "px";
    };
    for (const chart of charts) {
      const scale = () => chart.getBoundingClientRect().width / chart.viewBox.baseVal.width;
      let last = 0;
      chart.addEventListener("pointermove", (event) => {
        last = nearest((event.clientX - chart.getBoundingClientRect().left) / scale());
        show(chart, last, event.target.closest && event.target.closest(".line"), event.clientX, event.clientY);
      });
      // Arrow keys move along the viewpoints.
      chart.tabIndex = 0;
      chart.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
        if (event.key === "Escape") hide();
        if (step === undefined) return;
        event.preventDefault();
        last = Math.max(0, Math.min(profile.x.length - 1, last + step));
        const box = chart.getBoundingClientRect();
        show(chart, last, null, box.left + profile.x[last] * scale(), box.top + box.height / 2);
      });
      chart.addEventListener("blur", hide);
      chart.addEventListener("pointerleave", hide);
      chart.addEventListener("pointercancel", hide);
    }
    addEventListener("scroll", hide, { passive: true });
  }

  // Heat map: the two elements of a place, and how alike they are.
  const heat = data("heat-data");
  const box = document.getElementById("heat");
  if (heat && box) {
    const bytes = Uint8Array.from(atob(heat.z), (c) => c.charCodeAt(0));
    const z = (i, j) => {
      const at = 2 * (i * heat.n + j);
      return (bytes[at] + 256 * bytes[at + 1]) / 65535;
    };
    const field = box.querySelector(".field");
    const row = field.querySelector(".row"), column = field.querySelector(".column");
    const pair = document.getElementById("heat-pair");
    const figures = [...pair.querySelectorAll("figure")];
    const rows = Math.ceil(heat.n / heat.across);
    const share = (k, n) => (n > 1 ? (100 * k) / (n - 1) : 0) + "%";
    for (const figure of figures) {
      const cell = figure.querySelector(".cell");
      if (!heat.sheet) {
        cell.className = "excerpt";
        continue;
      }
      cell.style.backgroundImage = "url(" + heat.sheet + ")";
      cell.style.backgroundSize = 100 * heat.across + "% " + 100 * rows + "%";
      cell.style.aspectRatio = String(heat.ratio);
    }
    const show = (figure, k) => {
      if (heat.sheet) figure.querySelector(".cell").style.backgroundPosition = share(k % heat.across, heat.across) + " " + share(Math.floor(k / heat.across), rows);
      else figure.querySelector(".excerpt").textContent = heat.excerpts[k];
      const caption = figure.querySelector("figcaption");
      caption.textContent = heat.names[heat.labels[k]] + ", training " + heat.one + " " + heat.indices[k];
      caption.title = heat.full[k];
    };
    field.addEventListener("pointermove", (event) => {
      const area = field.getBoundingClientRect();
      const place = (part) => Math.max(0, Math.min(heat.n - 1, Math.floor(part * heat.n)));
      const i = place((event.clientY - area.top) / area.height);
      const j = place((event.clientX - area.left) / area.width);
      const width = 100 / heat.n;
      Object.assign(row.style, { top: i * width + "%", height: width + "%" });
      Object.assign(column.style, { left: j * width + "%", width: width + "%" });
      row.hidden = column.hidden = pair.hidden = false;
      box.querySelector(".hint").hidden = true;
      show(figures[0], i);
      show(figures[1], j);
      const value = z(i, j);
      pair.querySelector("p").textContent = "Similarity " + value.toFixed(3) + (heat.scale ? ", RMSD " + (Math.abs(Math.log(value)) / heat.scale).toFixed(3) : "");
    });
    field.addEventListener("pointerleave", () => {
      row.hidden = column.hidden = true;
    });
  }
})();
