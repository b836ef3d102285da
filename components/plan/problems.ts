import type { Problem } from "./types";

/** What a rule finds: a problem without the rule's own id. */
export type Finding = Pick<Problem, "path" | "message" | "fix">;

/** All refusals of one cluster's arguments, thrown at once. */
export class PlanError extends Error {
  override readonly name = "PlanError";

  /**
   * @param cluster name of the cluster, for the heading
   * @param problems at least one refusal
   */
  constructor(
    readonly cluster: string,
    readonly problems: Problem[],
  ) {
    super(renderProblems(`Cluster ${JSON.stringify(cluster)}`, problems));
  }
}

/**
 * Renders problems for people: a heading with their number, then one line each, `path: what is wrong; what to do`.
 * @param subject what the problems belong to, e.g. `Cluster "prod"`
 */
export function renderProblems(subject: string, problems: Problem[]): string {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return [`${subject}: ${count}`, ...problems.map((problem) => `  ${renderProblem(problem)}`)].join("\n");
}

/** Renders one problem; one that can be accepted ends with the id to accept it by. */
export function renderProblem(problem: Problem): string {
  const valve = problem.acceptable ? ` (or accept: ["${problem.rule}"])` : "";
  return `${problem.path}: ${problem.message}; ${problem.fix}${valve}`;
}

/**
 * The candidate most like a word, for "did you mean" sentences.
 * @returns undefined when nothing is near: more than a third of the letters differ
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const limit = Math.max(2, Math.floor(word.length / 3));
  const ranked = [...candidates]
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ distance }) => distance <= limit)
    // Of two that are equally far, the one that begins alike: people err at the end of a name.
    .sort((a, b) => a.distance - b.distance || commonStart(word, b.candidate) - commonStart(word, a.candidate));
  return ranked[0]?.candidate;
}

/** "did you mean X?" for the nearest candidate, else the given sentence. */
export function suggest(word: string, candidates: Iterable<string>, otherwise: string): string {
  const near = nearest(word, candidates);
  return near === undefined ? otherwise : `did you mean ${near}?`;
}

function commonStart(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

/** Number of single-letter insertions, deletions and replacements between two words; long words are not compared. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 10 || a.length > 64) return Number.POSITIVE_INFINITY;
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
