/* What live figures share (docs/_ext/playing.py explains the data-…). A figure calls
   play(name, compute); compute(inputs, data) gives its outputs and changes nothing. */
(() => {
  if (window.play) return;
  const get = (from, key) => key.split(".").reduce((x, k) => x[k], from);
  const between = (x, low, high) => Math.min(high, Math.max(low, x));

  const shown = (x, form) => {
    if (typeof x !== "number") return String(x);
    const text = Math.abs(x).toFixed(+form.replace("+", ""));
    return (/[1-9]/.test(text) ? x < 0 ? "−" : form[0] === "+" ? "+" : "" : "") + text;
  };

  const paint = {
    out: (e, x) => { const t = shown(x, e.dataset.form); if (e.textContent !== t) e.textContent = t; },
    bar: (e, x) => {
      const part = between(x / e.dataset.full, -1, 1), size = 100 * Math.abs(part);
      if ("signed" in e.dataset) {
        e.style.left = (part < 0 ? 50 - size / 2 : 50).toFixed(2) + "%";
        e.style.width = (size / 2).toFixed(2) + "%";
        e.classList.toggle("less", part < 0);
      } else e.style.width = size.toFixed(2) + "%";
    },
    path: (e, points) => e.setAttribute("d", "M" + points.map(p => at(e, p).map(v => v.toFixed(1)).join(" ")).join("L")),
    dot: (e, point) => at(e, point).forEach((v, i) => e.setAttribute(["cx", "cy"][i], v.toFixed(1))),
    list: (e, words) => e.replaceChildren(...words.map(word => Object.assign(document.createElement("span"), { textContent: word }))),
    off: (e, x) => e.classList.toggle("off-row", x),
  };
  const at = (e, [x, y]) => {
    const [x0, x1, y0, y1, left, right, low, top] = e.ownerSVGElement.dataset.view.split(" ").map(Number);
    return [left + (x - x0) / (x1 - x0) * (right - left), low + (y - y0) / (y1 - y0) * (top - low)];
  };

  window.play = (name, compute) => {
    const box = document.getElementById("play-" + name), data = JSON.parse(box.querySelector("script[type='application/json']").textContent);
    const all = kind => [...box.querySelectorAll(`[data-${kind}]`)], controls = all("in");
    const views = Object.keys(paint).map(kind => [kind, all(kind)]);
    let inputs = structuredClone(data.inputs), outputs;

    const fitted = (key, x) => {   // as its slider can hold it
      const control = controls.find(e => e.dataset.in === key);
      if (control?.type !== "range") return x;
      x = between(+(+x).toFixed(6), +control.min, +control.max);
      return Number.isInteger(+control.step) ? Math.round(x) : x;
    };
    const put = (key, x) => {
      const [name, i] = key.split(".");
      (i ? inputs[name] : inputs)[i ?? name] = fitted(key, x);
    };
    const draw = from => {
      outputs = compute(inputs, data);
      for (const e of controls) {
        const x = get(inputs, e.dataset.in);
        if (e.type === "checkbox") e.checked = x;
        else if (e.type === "radio") e.checked = +e.value === x;
        else if (e !== from) e.value = x;
      }
      for (const [kind, elements] of views) for (const e of elements) paint[kind](e, get(outputs, e.dataset[kind]));
    };

    for (const e of controls) {
      e.oninput = () => {
        const x = { checkbox: e.checked, text: e.value }[e.type] ?? parseFloat(e.value);
        if (x === x) { put(e.dataset.in, x); draw(e); }   // not NaN
      };
      e.onblur = () => draw();
    }
    const act = preset => {
      for (const [key, x] of Object.entries(preset)) {
        const name = key.replace("+", "");
        if (Array.isArray(inputs[name])) {
          const now = name === key ? x : inputs[name].map(y => y + x);
          if (now.every((y, i) => Math.abs(fitted(`${name}.${i}`, y) - y) < 1e-6))
            now.forEach((y, i) => put(`${name}.${i}`, y));
        } else put(name, x[0] === "=" ? outputs[x.slice(1)] : x);
      }
      draw();
    };
    for (const b of box.closest("section").querySelectorAll("[data-do]"))
      b.onclick = () => b.dataset.do === "reset" ? (inputs = structuredClone(data.inputs), draw()) : act(data.presets[b.dataset.do]);
    play.figures[name] = { compute, data };
    draw();
  };
  play.figures = {};
  play.shown = shown;
})();
