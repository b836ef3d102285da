/** Values as the engine prints them. */
export type Arguments = Readonly<Record<string, unknown>>;

/** What the engine would do to a resource. */
export type Operation = "create" | "update" | "replace" | "delete" | "same";

/** One resource of a preview. */
export interface Step {
  operation: Operation;
  /** Pulumi type, e.g. `hcloud:index/server:Server`. */
  type: string;
  /** Logical name. */
  name: string;
  urn: string;
  /** Whether a provider makes it; false for components, providers and the stack itself. */
  custom: boolean;
  /** URN of the parent; empty for the stack's own resources. */
  parent: string;
  /** Inputs before; undefined for a new resource. */
  old: Arguments | undefined;
  /** Inputs after; undefined for one that goes. */
  new: Arguments | undefined;
  /** Names of properties that differ, as the provider sees it. */
  reasons: string[];
  /** Names of those for which it is replaced. */
  replaceReasons: string[];
}

/** An error of the program or the engine. */
export interface PreviewError {
  /** Type of the resource that it is about; empty for none. */
  type: string;
  /** Logical name of that resource. */
  name: string;
  message: string;
}

/** A preview, whichever way the engine told it. */
export interface Preview {
  project: string;
  stack: string;
  /** One a resource, sorted by URN. */
  steps: Step[];
  errors: PreviewError[];
  /** Whether resources that stay are among the steps: `--json` leaves them out without `--show-sames`. */
  complete: boolean;
}

/** Why a text cannot be read as a preview, as a sentence for people. */
export class UnreadablePreview extends Error {
  override readonly name = "UnreadablePreview";
}
