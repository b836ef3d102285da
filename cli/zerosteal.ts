#!/usr/bin/env node
/* Command line of the package: what works on any cluster, without the repository's sandbox. */
import { Command } from "commander";
import { registerCapture } from "./capture";
import { registerDebug } from "./debug";
import { registerDoctor } from "./doctor";
import { registerPlan } from "./plan";
import { registerPreviewReport } from "./previewReport";
import { registerSteal } from "./steal";

const program = new Command("zerosteal").description("Kubernetes clusters tuned for network latency");

registerDoctor(program);
registerPlan(program);
registerDebug(program);
registerCapture(program);
registerPreviewReport(program);
registerSteal(program);

program.parseAsync().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
