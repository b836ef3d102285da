import { runPlugin } from "../core/server";
import { commandProvider } from "./provider";

void runPlugin(commandProvider(process.env.ZEROSTEAL_PLUGIN_VERSION ?? ""), process.argv.slice(2));
