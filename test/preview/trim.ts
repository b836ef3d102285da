import { frameOf } from "../../components/preview/scripts";
import { isPlainObject, type JsonObject } from "../../components/plan/merge";

/** What a report reads of servers that stay. */
const alwaysKept = new Set(["serverType", "location", "name"]);

/**
 * A recorded preview without what no report reads: times, ids, positions, outputs, and inputs that are the same before and after. The
 * recorder checks that the report stays the same.
 */
export function trimDigest(text: string): JsonObject {
  const {
    steps = [],
    diagnostics,
    changeSummary,
  } = JSON.parse(text.slice(text.search(/^\{/m))) as {
    steps?: JsonObject[];
    diagnostics?: JsonObject[];
    changeSummary?: unknown;
  };
  const trimmed = steps.filter(({ op }) => op !== "refresh").map(trimStep);
  trimmed.sort((a, b) => (String(a.urn) < String(b.urn) ? -1 : 1));
  const errors = (diagnostics ?? []).filter(({ severity }) => severity === "error");
  return renumber({ changeSummary, ...(errors.length === 0 ? {} : { diagnostics: errors }), steps: trimmed });
}

/** Numbers of servers anew, as they come here: the cloud counts in the order in which it happens to be asked. */
function renumber(digest: JsonObject): JsonObject {
  const numbers = new Map<string, string>();
  const text = JSON.stringify(digest).replace(/\b1000\d{3}\b/g, (id) => {
    const known = numbers.get(id) ?? String(1_000_001 + numbers.size);
    numbers.set(id, known);
    return known;
  });
  return JSON.parse(text) as JsonObject;
}

function trimStep({ op, urn, provider, oldState, newState, diffReasons, replaceReasons }: JsonObject): JsonObject {
  const [old, young] = [inputsOf(oldState), inputsOf(newState)];
  const parent = [newState, oldState].map((state) => (isPlainObject(state) ? state.parent : undefined)).find(Boolean);
  const state = (of: unknown, inputs: JsonObject, other: JsonObject): JsonObject | undefined =>
    isPlainObject(of) ? { ...(parent === undefined ? {} : { parent }), inputs: trimInputs(inputs, other) } : undefined;
  return JSON.parse(
    JSON.stringify({
      op,
      urn,
      ...(typeof provider === "string" && provider !== "" ? { provider: "a provider" } : {}),
      oldState: state(oldState, old, isPlainObject(newState) ? young : {}),
      newState: state(newState, young, isPlainObject(oldState) ? old : {}),
      diffReasons,
      replaceReasons,
    }),
  ) as JsonObject;
}

function inputsOf(state: unknown): JsonObject {
  return isPlainObject(state) && isPlainObject(state.inputs) ? state.inputs : {};
}

function trimInputs(inputs: JsonObject, other: JsonObject): JsonObject {
  // A policy that goes is judged by those that stay.
  if (/^Cilium\w*NetworkPolicy$/.test(String(inputs.kind))) return inputs;
  const alone = Object.keys(other).length === 0;
  const kept = Object.entries(inputs).filter(([key, value]) => {
    if (alwaysKept.has(key)) return true;
    return !alone && JSON.stringify(value) !== JSON.stringify(other[key]);
  });
  return Object.fromEntries(kept.map(([key, value]) => [key, trimScript(value, other[key])]));
}

/** Of a script, the files that differ from those of the other one, if nothing else does. */
function trimScript(value: unknown, other: unknown): unknown {
  if (typeof value !== "string" || typeof other !== "string" || !value.includes("END_OF_ZEROSTEAL_FILE")) return value;
  if (frameOf(value) !== frameOf(other)) return value;
  const blocks = /^put \d{4} \S+ <<'END_OF_ZEROSTEAL_FILE'\n[\s\S]*?^END_OF_ZEROSTEAL_FILE$\n/gm;
  return (value.match(blocks) ?? []).filter((block) => !other.includes(block)).join("");
}
