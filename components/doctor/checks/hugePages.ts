import { valueOf } from "../evidence";
import { findings, withoutPlan, type Check } from "./result";

const { equal, unseen, unprovable } = findings("huge-pages");

/** Transparent huge pages are as planned. */
export const hugePages: Check = {
  id: "huge-pages",
  title: "huge pages are given as planned",
  settles: false,
  idle: "The plan leaves huge pages to the system.",
  run: (expectation, evidence) =>
    evidence.probes.flatMap(({ node, host }) => {
      if (!expectation) return [unseen(node, "-", withoutPlan)];
      const planned = expectation.transparentHugePages;
      if (planned === "system") return [];
      if ("unseen" in host) return [unseen(node, planned, host.unseen)];
      const found = host.value.machine.hugePages || "no such setting";
      if (found !== planned && valueOf(host)?.machineIsContainer)
        return [unprovable(node, planned, found, "The machine is a container, where this setting is its host's.")];
      const hint =
        "Something else sets it at boot: look for transparent_hugepage in /etc/tmpfiles.d and on the kernel's command line. zerosteal-cpus puts the plan's into effect.";
      return [equal(node, planned, found, hint)];
    }),
};
