import type { CliResult } from "./cli";
import type { HostSnapshot } from "./hostSnapshot";
import type { Planned } from "./program";

/** What one suite saw and later ones judge. */
export interface Shared {
  /** The host before the sandbox existed. */
  before?: HostSnapshot;
  /** Registrations of the first preview. */
  planned?: Planned[];
  /** Command lines of all processes that were seen during the first `up`. */
  arguments: string[];
  /** Everything that the command line printed in the suites, in order. */
  runs: CliResult[];
}

/** Filled as the suites go on. */
export const shared: Shared = { arguments: [], runs: [] };
