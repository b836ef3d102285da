import { isPlainObject } from "../plan/merge";
import { errorOf, inputsOf, textOf, texts } from "./digest";
import { type Preview, type PreviewError, type Step, UnreadablePreview } from "./previewTypes";
import { operationOf, splitUrn, stackOf } from "./urn";

/**
 * Reads the engine's event log, where a replacement is up to three events.
 * @throws UnreadablePreview when it is of an update, or ends before the engine did
 */
export function readEvents(events: Record<string, unknown>[]): Preview {
  const summary = events.map(({ summaryEvent }) => summaryEvent).find(isPlainObject);
  if (summary?.isPreview === false) {
    throw new UnreadablePreview("This event log is of an update, not of a preview.");
  }
  if (!summary && !events.some(({ cancelEvent }) => cancelEvent !== undefined)) {
    throw new UnreadablePreview("The event log has no end: the preview was ended, or still runs.");
  }
  const steps = new Map<string, Step>();
  const errors: PreviewError[] = [];
  for (const { resourcePreEvent, diagnosticEvent } of events) {
    if (isPlainObject(resourcePreEvent)) takeStep(steps, resourcePreEvent.metadata);
    if (isPlainObject(diagnosticEvent) && diagnosticEvent.severity === "error" && diagnosticEvent.ephemeral !== true) {
      const error = errorOf(diagnosticEvent);
      if (error) errors.push(error);
    }
  }
  const failed = summary?.result === "failed" && errors.length === 0;
  if (failed) errors.push({ type: "", name: "", message: "" });
  return { ...stackOf([...steps.keys()]), steps: [...steps.values()], errors, complete: true };
}

function takeStep(steps: Map<string, Step>, metadata: unknown): void {
  if (!isPlainObject(metadata)) return;
  const operation = operationOf(textOf(metadata.op));
  if (typeof metadata.urn !== "string" || operation === undefined) return;
  const { op, urn, provider, old, new: next, diffs, keys } = metadata;
  const state = [next, old].find(isPlainObject);
  const step: Step = {
    operation,
    urn,
    ...splitUrn(urn),
    custom: textOf(provider) !== "",
    parent: textOf(state?.parent),
    old: operation === "create" ? undefined : inputsOf(old),
    new: operation === "delete" || op === "delete-replaced" ? undefined : inputsOf(next),
    reasons: texts(diffs),
    replaceReasons: texts(keys),
  };
  steps.set(urn, merged(steps.get(urn), step));
}

/** What several events say of one resource. */
function merged(known: Step | undefined, more: Step): Step {
  if (!known) return more;
  return {
    ...more,
    parent: more.parent || known.parent,
    old: more.old ?? known.old,
    new: more.new ?? known.new,
    reasons: union(known.reasons, more.reasons),
    replaceReasons: union(known.replaceReasons, more.replaceReasons),
  };
}

function union(known: string[], more: string[]): string[] {
  return [...new Set([...known, ...more])];
}
