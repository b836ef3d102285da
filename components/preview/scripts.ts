import { differences, later } from "./differences";
import { changedProperties } from "./judge";
import type { Step } from "./previewTypes";

/** Documents within a script that are read as data, by the line that ends them, with their first line. */
const documents = /^(.*<<'(END_OF_DOCUMENT|END_OF_NODE|END_OF_OBJECTS)')\n([\s\S]*?)^\2$/gm;
/** Files within a script. */
const files = /^put \d{4} (\S+)(?: unpack)? <<'END_OF_ZEROSTEAL_FILE'\n([\s\S]*?)^END_OF_ZEROSTEAL_FILE\n+/gm;
/** Stands where files are written, as no shell's text can: what runs before them must not come to run behind them, or between them. */
const filesHere = "\0";
const manyFiles = /\0+/g;
/** What a preflight is told of its machine; the shell takes such a value as it is. */
const facts =
  /^(NODE_NAME|LOGIN_USER|PRIVATE_ADDRESS|PRIVATE_INTERFACE|PUBLIC_INTERFACE|CPUS|MEMORY_GIB|MTU|KERNEL|MODULES|CLOCK_URL)='(?!-)[\w.:/+, -]*'$/gm;
/** A path that the shell takes as it is and that leads where it says. */
export const plainPath = /^(?!.*(\.\.|\/\/))\/[\w./:-]+$/;
/** A line that would end a document around this one, so that what follows would be run. */
const otherEnd = /^END_OF_\w+$/m;
/** What comes into existence in the cluster by a document of objects. */
const serviceObject = /^Cilium(LoadBalancerIPPool|L2AnnouncementPolicy)$/;

/**
 * A script without the files and documents of the plan in it, which are judged by themselves: what is left of two versions differs when
 * something else is run.
 */
export function frameOf(script: string): string {
  return script
    .replace(files, (all, path: string, body: string) =>
      plainPath.test(path) && !otherEnd.test(body) ? filesHere : all,
    )
    .replace(manyFiles, filesHere)
    .replace(documents, (all, head: string, end: string, body: string) =>
      otherEnd.test(body) || (end === "END_OF_OBJECTS" && !areServices(body)) ? all : `${head}\n${end}`,
    )
    .replace(facts, "$1=")
    .replace(/\n{2,}/g, "\n");
}

function areServices(text: string): boolean {
  try {
    const { items } = JSON.parse(text) as { items: { kind: string }[] };
    return items.every(({ kind }) => serviceObject.test(kind));
  } catch {
    return false;
  }
}

/** What of a command changes that a plan's file, document or machine does not explain: names of its inputs. */
export function unexplained(step: Step, input: "explained" | "identity" | "own" = "own"): string[] {
  if (step.operation !== "update" && step.operation !== "replace") return [];
  return changedProperties(step).filter((property) => {
    if (["connection", "triggers", "addPreviousOutputInEnv"].includes(property)) return false;
    if (["create", "delete", "update"].includes(property))
      return !sameFrame(step.old?.[property], step.new?.[property]);
    if (property !== "stdin" || input === "own") return true;
    return input === "identity" && !isIdentity(step);
  });
}

function sameFrame(before: unknown, after: unknown): boolean {
  if (typeof before !== "string" || typeof after !== "string") return false;
  return frameOf(before) === frameOf(after);
}

/** Whether a step's new input is a machine's id alone, or one that is not known yet. */
function isIdentity(step: Step): boolean {
  const changed = differences(step.old, step.new).filter(({ path }) => path[0] === "stdin");
  return changed.length > 0 && changed.every(({ after }) => after === later || /^[\w.:-]{1,80}\n$/.test(String(after)));
}
