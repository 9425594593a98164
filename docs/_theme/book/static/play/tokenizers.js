play("tokenizers", ({ text, n }, { merges }) => {
  const pattern = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;
  const prints = b => b > 32 && b < 127 || b > 160 && b < 173 || b > 173, all = [...Array(256).keys()];
  const order = [...all.filter(prints), ...all.filter(b => !prints(b))], encoder = new TextEncoder();
  const tokens = order.map(b => [b]);
  for (const [left, right] of merges) tokens.push([...tokens[left], ...tokens[right]]);
  const word = id => {   // bytes that are no whole character stand in hexadecimal
    try { return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(new Uint8Array(tokens[id])).replaceAll(" ", "␣"); }
    catch { return tokens[id].map(b => b.toString(16).toUpperCase().padStart(2, "0")).join(" "); }
  };
  const id = order.reduce((ids, b, i) => (ids[b] = i, ids), []);
  let words = (text.match(pattern) || []).map(w => [...encoder.encode(w)].map(b => id[b]));
  const merge = (ids, [left, right], made) => {
    const out = [];
    for (const id of ids) if (id === right && out.at(-1) === left) out[out.length - 1] = made; else out.push(id);
    return out;
  };
  const length = () => words.reduce((sum, w) => sum + w.length, 0);
  const used = [], bytes = length();
  let joined = 0, next = 0, ids = words.flat();
  merges.forEach((pair, i) => {
    const before = length();
    words = words.map(w => merge(w, pair, 256 + i));
    const count = before - length();
    if (count && i < n) used.push(`${i + 1}: ${word(pair[0])} + ${word(pair[1])}`);
    else if (count && !next) next = i + 1;
    if (i === n - 1) { joined = count; ids = words.flat(); }
  });
  const [left, right] = n ? merges[n - 1].map(word) : [];
  return {
    pieces: ids.map(word), ids: ids.map(String), count: ids.length, bytes,
    ratio: ids.length ? bytes / ids.length : 0, used, next: next || n,
    last: n ? `Merge ${n} joins ${left} and ${right}; places in this text: ${joined}.`
      : "Each byte is a token of its own, for no merge has been replayed yet.",
  };
});
