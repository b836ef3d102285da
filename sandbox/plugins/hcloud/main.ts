import { runPlugin } from "../core/server";
import { hcloudProvider } from "./provider";

void runPlugin(hcloudProvider(process.env.ZEROSTEAL_PLUGIN_VERSION ?? ""), process.argv.slice(2));
