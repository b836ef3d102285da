import type { EngineLogs } from "./engineLog";
import type { PluginProvider } from "./provider";

/** What the methods of one running plugin share. */
export interface Session {
  provider: PluginProvider;
  logs: EngineLogs;
  /** Fires when the engine asks the plugin to stop its work. */
  cancelled: AbortController;
}
