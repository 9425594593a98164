// Sphinx finds and ranks; here its hits are put together, one entry for each page: its part of
// the road, its title, one line in which the words stand, and the sections that were hit.
Search.query = query => {
  const asked = Scorer.asked(), parsed = Search._parseQuery(asked);
  const words = splitQuery(asked), terms = Scorer.named(asked), pages = new Map();
  const about = page => Book.pages[page] || {part: "", lede: "", names: [], lines: []};
  const titles = Object.fromEntries(Search._index.docnames.map((d, i) => [d, Search._index.titles[i]]));

  const hits = Search._performSearch(...parsed).reverse();
  for (const page of [...Scorer.showing(asked), ...terms.map(t => t[1])])  // may not write this name
    if (titles[page] && !hits.some(hit => hit[0] === page)) hits.unshift([page, titles[page], "", null, 300, "", "index"]);
  for (const [page, title, anchor, , score, , kind] of hits) {
    const found = pages.get(page) || {score, inside: new Map()};
    found.score = Math.max(found.score, score);
    if (anchor && kind !== "index") found.inside.set(anchor, title.split(" > ").pop());
    pages.set(page, found);
  }

  const holds = text => words.every(w => text.toLowerCase().includes(w));
  for (const [title, places] of Object.entries(Search._index.alltitles).filter(([title]) => holds(title)))
    for (const [file, id] of places)
      if (id !== null) pages.get(Search._index.docnames[file])?.inside.set("#" + id, title);
  function line(page) {
    const here = about(page), term = terms.find(t => t[1] === page || page === "glossary");
    if (term) return [term[0].join(", "), term[4]];
    if (page === "glossary") {
      const near = Book.terms.find(t => t[0].some(holds)) || Book.terms.find(t => holds(t[4]));
      if (near) return [near[0].join(", "), near[4]];
    }
    const row = here.names.find(([name]) => holds(name)) || here.names.find(([, meaning]) => holds(meaning));
    if (row) return row;
    return ["", here.lines.find(holds) || here.lede];
  }
  const make = (kind, text, parent, name) => {
    const made = parent.appendChild(document.createElement(kind));
    if (name) made.className = name;
    made.textContent = text;
    return made;
  };
  function marked(text, parent) {  // the words asked for stand out
    const sought = [asked, ...words].filter(w => w.length > 1).map(w => w.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    const parts = sought.length ? text.split(new RegExp(`(${sought.join("|")})`, "iu")) : [text];
    parts.forEach((part, i) => part && (i % 2 ? make("mark", part, parent) : parent.append(part)));
  }

  const order = [...pages].sort((a, b) => b[1].score - a[1].score || titles[a[0]].localeCompare(titles[b[0]]));
  for (const [page, {inside, score}] of order.slice(0, 30)) {
    const item = document.createElement("li"), [name, text] = line(page);
    item.dataset.score = score;
    const term = terms.find(t => t[1] === page), end = DOCUMENTATION_OPTIONS.LINK_SUFFIX;
    const to = page === "glossary" && terms.length ? "#" + terms[0][3] : term && term[2] ? "#" + term[2] : "";
    const top = make("p", "", item, "at");
    make("a", titles[page], top).href = page + end + to;
    const part = page.startsWith("road/") ? "the road" : about(page).part;
    if (part) make("span", part, top);
    const context = make("p", "", item, "context");
    if (name) marked(name + ": ", make("b", "", context));
    marked(text, context);
    const sections = [...inside].slice(0, 5);
    if (sections.length) {
      const list = make("ul", "", item, "inside");
      for (const [anchor, title] of sections) make("a", title, make("li", "", list)).href = page + end + anchor;
    }
    Search.output.append(item);
  }
  Search.stopPulse();
  Search.dots.remove();
  Search.title.textContent = "Results";
  Search.status.textContent = order.length ? `${order.length} ${order.length === 1 ? "page" : "pages"} for “${query.trim()}”${order.length > 30 ? ", the first 30" : ""}`
    : `Nothing found for “${query.trim()}”. Try one word less, or look into the `;
  if (!order.length && titles.glossary) make("a", "glossary", Search.status).href = "glossary" + DOCUMENTATION_OPTIONS.LINK_SUFFIX;
  document.title = `${query.trim()} · ${document.title}`;
};
