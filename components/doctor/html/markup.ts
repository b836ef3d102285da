/** Text that is markup already. Only `html` makes it, so nothing from a cluster becomes markup by itself. */
export class Markup {
  constructor(readonly text: string) {}
}

type Part = Markup | string | number | Part[];

/** Control characters, and those that turn the direction of what follows. */
const unprintable = /[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu;

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function textOf(part: Part): string {
  if (part instanceof Markup) return part.text;
  if (Array.isArray(part)) return part.map(textOf).join("");
  return String(part)
    .replace(unprintable, "\uFFFD")
    .replace(/[&<>"']/g, (character) => entities[character] ?? "");
}

/**
 * Markup from a template: everything put into it is text and escaped, but other markup. Attributes need quotes. The source's indentation
 * stays out of it.
 */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Markup {
  return new Markup(strings.map((text, index) => text.replace(/\n\s+/g, "\n") + textOf(parts[index] ?? "")).join(""));
}
