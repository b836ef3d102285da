import { plainText } from "../plainText";

/** A name within a sentence, which becomes code in Markdown. */
export function named(text: string): string {
  return `\`${plainText(text).replace(/`/g, "'").trim()}\``;
}

/** A name as code: nothing in it is markup, a mention or a link, and it stays on its line. */
export function code(text: string): string {
  const plain = plainText(text)
    .replace(/[\s`|]+/g, " ")
    .trim();
  return plain === "" ? "" : `\`${plain.length > 120 ? `${plain.slice(0, 119)}…` : plain}\``;
}

/** A sentence of this library: what came from outside in it cannot be markup, a mention or a link. Names in it are code. */
export function prose(text: string): string {
  const parts = plainText(text)
    .replace(/\s+/g, " ")
    .split(/`([^`]+)`/);
  return parts.map((part, index) => (index % 2 === 1 ? code(part) : escape(part))).join("");
}

function escape(text: string): string {
  return (
    text
      .replace(/&/g, "&amp;")
      .replace(/</g, "&lt;")
      .replace(/>/g, "&gt;")
      .replace(/[\\`*_{}[\]|#!~$]/g, "\\$&")
      // Zero-width spaces: GitHub and GitLab would tell whoever is called so, and make links of addresses and numbers.
      .replace(/@/g, "@\u200b")
      .replace(/#(?=\d)/g, "#\u200b")
      .replace(/:\/\//g, ":\u200b//")
      .replace(/www\./gi, (www) => `${www.slice(0, 3)}\u200b.`)
  );
}

/** `1 node`, `2 nodes`. */
export function count(number: number, one: string): string {
  return `${number} ${one}${number === 1 ? "" : "s"}`;
}

/** Names in their order, neighbours in a row drawn together: `web-1 to web-40`. */
export function drawTogether(names: string[]): string[] {
  const runs: { base: string; first: number; last: number; text: string }[] = [];
  for (const name of names) {
    const [, base = name, digits] = /^(.*-)(\d{1,9})$/.exec(name) ?? [];
    const number = digits === undefined ? -1 : Number(digits);
    const run = runs.at(-1);
    if (run && digits !== undefined && run.base === base && run.last === number - 1) run.last = number;
    else runs.push({ base, first: number, last: number, text: name });
  }
  return runs.map(({ base, first, last, text }) =>
    first === last ? code(text) : `${code(text)} to ${code(`${base}${last}`)}`,
  );
}
