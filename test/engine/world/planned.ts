import type { StateResource } from "../../e2e/support/cluster";
import { short } from "./world";

const unknownText = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** How a preview compares with what was made. */
export interface Comparison {
  /** `Type property` of what the preview did not know; each once, sorted. */
  unknown: string[];
  /** `Type name property` of what came out otherwise than planned. */
  different: string[];
  /** URNs that only one of the two has. */
  only: { planned: string[]; applied: string[] };
}

/**
 * Compares the resources of `pulumi preview --json` with those of the state. Secrets are not compared: the preview does not show them.
 * @param preview what that command printed
 */
export function comparePlanned(preview: string, applied: StateResource[]): Comparison {
  interface Step {
    newState: StateResource;
  }
  const planned = (JSON.parse(preview) as { steps: Step[] }).steps
    .map(({ newState }) => newState)
    .filter(({ type }) => type !== "pulumi:pulumi:Stack");
  const [unknown, different] = [new Set<string>(), new Set<string>()];
  for (const { urn, type, inputs = {} } of planned) {
    const made = applied.find((resource) => resource.urn === urn)?.inputs ?? {};
    for (const [place, value] of leaves(inputs)) {
      const own = `${short(type)} ${place}`;
      if (value === unknownText) unknown.add(own);
      // The SDK's own mark on a release, which the provider takes out once it is configured.
      else if (value !== "[secret]" && own !== "Release compat" && value !== new Map(leaves(made)).get(place)) {
        different.add(`${short(type)} ${urn.split("::").at(-1)} ${place}`);
      }
    }
  }
  const without = (these: StateResource[], those: StateResource[]): string[] =>
    these.map(({ urn }) => urn).filter((urn) => !those.some((other) => other.urn === urn));
  return {
    unknown: [...unknown].sort(),
    different: [...different].sort(),
    only: { planned: without(planned, applied), applied: without(applied, planned) },
  };
}

/** Places and values of everything in a value that is no object or list, empty ones included. */
function leaves(value: unknown, place = ""): [string, unknown][] {
  if (value === null || typeof value !== "object") return [[place, value]];
  const entries = Array.isArray(value)
    ? value.map((part, index): [string, unknown] => [`${place}[${index}]`, part])
    : Object.entries(value).map(([key, part]): [string, unknown] => [place === "" ? key : `${place}.${key}`, part]);
  return entries.length === 0 ? [[place, "empty"]] : entries.flatMap(([at, part]) => leaves(part, at));
}
