/** Lines of a section that stand without a fold. */
const unfolded = 12;
/** Room for the sentence about what was cut. */
const reserve = 400;

interface Block {
  lines: string[];
  /** Title of a section, which may be folded and cut; absent for what always stands. */
  title?: string;
}

/** A Markdown text of bounded length. Long sections are folded; sections give up lines from their end when there is no room. */
export class Sheet {
  private readonly blocks: Block[] = [];

  /** @param limit most characters of the whole */
  constructor(private readonly limit: number) {}

  /** Adds lines that are never cut. */
  always(...lines: string[]): void {
    this.blocks.push({ lines });
  }

  /** Adds a section that may be folded and cut. */
  section(title: string, lines: string[]): void {
    this.blocks.push({ title, lines });
  }

  /** The whole text, with what was cut said at its end. */
  text(): string {
    const fixed = this.blocks.filter(({ title }) => title === undefined).flatMap(({ lines }) => lines);
    let room = this.limit - reserve - lengthOf(fixed);
    let cut = 0;
    const parts = this.blocks.map(({ title, lines }) => {
      if (title === undefined) return lines;
      const frame = frameOf(title, lines);
      const kept: string[] = [];
      let left = room - lengthOf(frame.flat());
      for (const line of lines) {
        left -= line.length + 1;
        if (left < 0) break;
        kept.push(line);
      }
      cut += lines.length - kept.length;
      if (kept.length === 0) return [];
      const [head, tail] = frame;
      room -= lengthOf([...head, ...kept, ...tail]);
      return [...head, ...kept, ...tail];
    });
    const note =
      cut === 0
        ? []
        : [`**${cut} lines were cut** to stay below ${this.limit} characters; the report as JSON has them all.`, ""];
    return parts.flat().concat(note).join("\n");
  }
}

function frameOf(title: string, lines: string[]): [head: string[], tail: string[]] {
  if (lines.length <= unfolded) return [[`**${title}**`, ""], [""]];
  return [
    [`<details><summary>${title}: ${lines.length} lines</summary>`, ""],
    ["", "</details>", ""],
  ];
}

function lengthOf(lines: string[]): number {
  return lines.reduce((sum, line) => sum + line.length + 1, 0);
}
