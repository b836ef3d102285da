import type { PluginProvider, ResourceHandler } from "../core/provider";
import { commandResource } from "./commandResource";
import { localCommand } from "./local";
import { remoteCommand } from "./remote";

const resources: { [type: string]: ResourceHandler } = {
  "command:local:Command": commandResource(localCommand),
  "command:remote:Command": commandResource(remoteCommand),
};

/** The stand-in for the command plugin. */
export function commandProvider(version: string): PluginProvider {
  return {
    name: "command",
    version,
    configure: async () => undefined,
    resource: (type) => resources[type],
    invoke: () => undefined,
  };
}
