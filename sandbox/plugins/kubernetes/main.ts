import { runPlugin } from "../core/server";
import { kubernetesProvider } from "./provider";

void runPlugin(kubernetesProvider(process.env.ZEROSTEAL_PLUGIN_VERSION ?? ""), process.argv.slice(2));
