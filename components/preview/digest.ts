import { isPlainObject } from "../plan/merge";
import { type Arguments, type Preview, type PreviewError, type Step, UnreadablePreview } from "./previewTypes";
import { operationOf, splitUrn, stackOf } from "./urn";

/**
 * Reads the document of `pulumi preview --json`.
 * @throws UnreadablePreview when it has another shape
 */
export function readDigest(document: unknown): Preview {
  const { steps, diagnostics = [] } = isPlainObject(document) ? document : {};
  if (!isPlainObject(document))
    throw new UnreadablePreview("This is no output of `pulumi preview --json`: it is no object.");
  if (steps !== undefined && !Array.isArray(steps)) throw oldFormat("steps is no list");
  if (steps === undefined && !("changeSummary" in document) && !("diagnostics" in document)) {
    throw oldFormat("it has no steps");
  }
  const read = ((steps ?? []) as unknown[]).map(readStep).filter((step) => step !== undefined);
  const stay = isPlainObject(document.changeSummary) ? document.changeSummary.same : undefined;
  const seen = read.filter(({ operation }) => operation === "same").length;
  const errors = Array.isArray(diagnostics) ? diagnostics.map(readError).filter((error) => error !== undefined) : [];
  return {
    ...stackOf(read.map(({ urn }) => urn)),
    steps: read,
    errors,
    complete: typeof stay !== "number" || seen >= stay,
  };
}

function oldFormat(why: string): UnreadablePreview {
  return new UnreadablePreview(
    `This is no preview as Pulumi 3 prints it (${why}): use \`pulumi preview --json\` of a current version, or --event-log.`,
  );
}

function readStep(step: unknown, index: number): Step | undefined {
  const { op, urn, provider, oldState, newState, diffReasons, replaceReasons } = isPlainObject(step) ? step : {};
  if (typeof op !== "string" || typeof urn !== "string") throw oldFormat(`steps[${index}] has no op or no urn`);
  const operation = operationOf(op);
  if (operation === undefined) return undefined;
  const state = [newState, oldState].find(isPlainObject);
  return {
    operation,
    urn,
    ...splitUrn(urn),
    custom: textOf(provider) !== "",
    parent: textOf(state?.parent),
    old: operation === "create" ? undefined : inputsOf(oldState),
    new: operation === "delete" ? undefined : inputsOf(newState),
    reasons: texts(diffReasons),
    replaceReasons: texts(replaceReasons),
  };
}

/** Inputs of a state; undefined without one. */
export function inputsOf(state: unknown): Arguments | undefined {
  if (!isPlainObject(state)) return undefined;
  return isPlainObject(state.inputs) ? state.inputs : {};
}

/** The texts of a list. */
export function texts(list: unknown): string[] {
  return Array.isArray(list) ? list.filter((item) => typeof item === "string") : [];
}

/** A text, or the empty one. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function readError(diagnostic: unknown): PreviewError | undefined {
  if (!isPlainObject(diagnostic) || diagnostic.severity !== "error") return undefined;
  return errorOf(diagnostic);
}

/** "preview failed" of the engine itself says no more than the resources that failed. */
const byTheEngine = /^(preview|update) failed$/;

/** An error as the engine words it, without its marks of colours; undefined for one that says nothing. */
export function errorOf({ urn, message }: Record<string, unknown>): PreviewError | undefined {
  const text = textOf(message)
    .replace(/<\{%[^%]*%\}>/g, "")
    .replace(/^error: /, "")
    .trim();
  return byTheEngine.test(text) ? undefined : { ...splitUrn(textOf(urn)), message: text };
}
