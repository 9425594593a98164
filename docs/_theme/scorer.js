// A chapter named like the query comes first: layer_norm finds its chapter, then the reference.
var Scorer = {
  score: result => {
    const [page, title, , , score] = result;
    const asked = (new URLSearchParams(location.search).get("q") || "").trim().toLowerCase();
    const words = asked.replace(/[^\p{L}\p{N}]+/gu, "_");
    const name = page.split("/").pop();
    const chapter = page.startsWith("chapters/");
    return score + (name === words ? 200 : 0)
      + (chapter && title.toLowerCase().includes(asked) ? 50 : 0) + (chapter ? 8 : 0);
  },
  objNameMatch: 11, objPartialMatch: 6,
  objPrio: {0: 15, 1: 5, 2: -5}, objPrioDefault: 0,
  title: 15, partialTitle: 7, term: 5, partialTerm: 2,
};
