import { isPlainObject } from "../plan/merge";
import { readDigest } from "./digest";
import { readEvents } from "./events";
import { type Preview, UnreadablePreview } from "./previewTypes";

/** Formats of a preview. */
export type PreviewFormat = "digest" | "events";

/**
 * Reads what `pulumi preview --json` printed, or the engine's event log (`--event-log FILE`, or `--json` as a stream).
 * @param format default: found out
 * @throws UnreadablePreview when the text is neither, is cut off, or is of nothing that this library makes
 */
export function readPreview(text: string, format?: PreviewFormat): Preview {
  if (text.trim() === "") {
    throw new UnreadablePreview(
      "The preview is empty: pulumi failed before it had anything to tell; see its error output.",
    );
  }
  const lines = format === "digest" ? undefined : eventLines(text);
  if (lines) return inOrder(readEvents(lines));
  if (format === "events") {
    throw new UnreadablePreview(
      "This is no event log of the engine: it needs one JSON document a line, as --event-log writes.",
    );
  }
  return inOrder(readDigest(parseWhole(text)));
}

function inOrder(preview: Preview): Preview {
  return { ...preview, steps: [...preview.steps].sort((a, b) => (a.urn < b.urn ? -1 : 1)) };
}

/** The documents of an event log; undefined for another text. Only the last line may be cut off: then the engine was ended. */
function eventLines(text: string): Record<string, unknown>[] | undefined {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const [first] = lines;
  const head = first === undefined ? undefined : parseOne(first);
  if (!isPlainObject(head) || !("sequence" in head)) return undefined;
  return lines.map((line, index) => {
    const event = parseOne(line);
    if (isPlainObject(event)) return event;
    throw new UnreadablePreview(
      `Line ${index + 1} of the event log is cut off or no JSON: the preview did not come to its end.`,
    );
  });
}

function parseOne(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function parseWhole(text: string): unknown {
  // The CLI's own warnings may stand before the document.
  const start = text.search(/^\{/m);
  const document = start < 0 ? undefined : parseOne(text.slice(start));
  if (document !== undefined) return document;
  const why = start < 0 ? "it is no JSON" : "it is cut off or no JSON";
  throw new UnreadablePreview(`This is no output of \`pulumi preview --json\`: ${why}.`);
}
