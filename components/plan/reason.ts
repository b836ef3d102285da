/** Why a choice was made. Stands beside the code that makes the choice, so that both are changed together. */
export interface Reason {
  /** One or two sentences: what it gives, or what would happen otherwise. */
  why: string;
  /** Where that is known from: documentation, a page of docs/decisions, an argument. */
  source: string;
}

/** Reasons by what was chosen. */
export type Reasons = Readonly<Record<string, Reason>>;
