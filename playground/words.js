// What the interface's text says of each function and of each error code.

/** The first sentence of a doc comment. */
function firstSentence(doc) {
  const paragraph = doc.join("\n").split("\n\n")[0].replaceAll("\n", " ");
  return /^.*?\.(?= |$)/.exec(paragraph)?.[0] ?? paragraph;
}

/**
 * The doc comments of functions and error codes in a WIT file, by name: `named`, `file.write`,
 * `error-code.closed`. Of a function that is the first sentence, of a code all of it.
 */
export function words(wit) {
  const found = {};
  let doc = [];
  let scope = "";
  for (const line of wit.split("\n").map((line) => line.trim())) {
    const block = /^(?:resource|enum) ([a-z-]+) \{$/.exec(line);
    const method = /^([a-z-]+): func\(/.exec(line);
    const code = /^([a-z-]+),$/.exec(line);
    if (line.startsWith("///")) {
      doc.push(line.slice(4));
      continue;
    }
    if (line.startsWith("@since")) continue;
    if (block) scope = `${block[1]}.`;
    else if (line === "}") scope = "";
    else if (method) found[scope + method[1]] = firstSentence(doc);
    else if (code && scope === "error-code.") found[scope + code[1]] = doc.join(" ");
    doc = [];
  }
  return found;
}
