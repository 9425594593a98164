// First comes a chapter named like the query (layer_norm finds its chapter before the reference),
// then one that shows a function of this name, then the page that a word of the glossary belongs to.
var Scorer = {
  // one spelling for warm-up, warmup and warm up; for optimiser and optimizers
  plain: words => words.toLowerCase().replace(/is(ed?|ers?|ations?|ing)\b/g, "iz$1")
    .split(/[^\p{L}\p{N}]+/u).map(w => w.length > 3 ? w.replace(/([^s])s$/, "$1") : w).join(""),
  // "How does dropout work?" asks for dropout; "mean squared error" is a name as it stands
  asked: () => {
    const query = (new URLSearchParams(location.search).get("q") || "").trim().toLowerCase();
    if (Scorer.exactly(query).length) return query;
    const words = query.split(/[?\s]+/).filter(w => w && !/^(how|why|what|when|which|who|is|are|do|does|did|can|the|an?|of|in|to|i|work|works|mean|means|explain|explained)$/.test(w));
    return words.join(" ") || query;
  },
  terms: () => typeof Book === "undefined" ? [] : Book.terms,
  // the glossary's entries that the query names
  exactly: asked => Scorer.terms().filter(([names]) => names.some(n => Scorer.plain(n) === Scorer.plain(asked))),
  // or else begins to name
  named: asked => {
    const words = Scorer.plain(asked), exact = Scorer.exactly(asked);
    if (exact.length || words.length < 4) return exact;
    return Scorer.terms().filter(([names]) => names.some(n => Scorer.plain(n).startsWith(words)));
  },
  // the chapters that show a function, its backward too
  showing: asked => typeof Book === "undefined" ? [] : Object.keys(Book.pages).filter(page =>
    page.startsWith("chapters/") && Book.pages[page].functions.includes(asked.replace(/ /g, "_").replace(/_backward$/, ""))),
  score: result => {
    const [page, title, , , score] = result;
    const asked = Scorer.asked();
    const words = asked.replace(/[^\p{L}\p{N}]+/gu, "_");
    const chapter = page.startsWith("chapters/");
    const at = Scorer.named(asked).findIndex(term => term[1] === page);
    return score + (at < 0 ? 0 : 300 - at) + (Scorer.showing(asked).includes(page) ? 350 : 0)
      + (page.split("/").pop() === words ? 400 : 0)
      + (chapter && title.toLowerCase().includes(asked) ? 50 : 0) + (chapter ? 8 : 0);
  },
  objNameMatch: 11, objPartialMatch: 6,
  objPrio: {0: 15, 1: 5, 2: -5}, objPrioDefault: 0,
  title: 15, partialTitle: 7, term: 5, partialTerm: 2,
};
