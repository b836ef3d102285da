import { contains, mustParse, parseCidr } from "../../plan/addresses";
import { findings, list, withoutPlan, type Check } from "./result";

/** Every node reaches the API by the name or address that its kubelet and its agent use. */
export const apiEndpoint: Check = {
  id: "api-endpoint",
  title: "nodes reach the API by its endpoint",
  settles: true,
  idle: "Neither kubeadm's cluster-info nor Cilium's agents name an endpoint.",
  run: (_expectation, { apiEndpoints, probes }) => {
    const { ok, failed, unseen } = findings("api-endpoint");
    if ("unseen" in apiEndpoints) return [unseen("cluster", "the API is ready", apiEndpoints.unseen)];
    return apiEndpoints.value.flatMap((endpoint) =>
      probes.map(({ node, host }) => {
        const wanted = `https://${endpoint}/readyz answers`;
        if ("unseen" in host) return unseen(node, wanted, host.unseen);
        const answer = host.value.readyz[endpoint] ?? "";
        if (answer === "") return unseen(node, wanted, "The probe did not ask it.");
        // Whoever lets nobody in without a name is there all the same.
        if (["200", "401", "403", "open"].includes(answer)) return ok(node, wanted, wanted);
        const found = /^\d+$/.test(answer) ? `HTTP ${answer}` : answer;
        const hint = `The kubelet and Cilium's agent on ${node} depend on it: look at /etc/hosts or DNS there, and at what balances the load before the API.`;
        return failed(node, wanted, found, hint);
      }),
    );
  },
};

/** Services' node ports do not answer at public addresses, unless the plan wants it. */
export const nodePorts: Check = {
  id: "node-ports",
  title: "node ports are closed to the outside",
  settles: false,
  idle: "No Service has a node port, or the plan opens them at public addresses.",
  run(expectation, evidence) {
    const { ok, failed, unseen } = findings("node-ports");
    const wanted = "no node port answers at a public address";
    if ("unseen" in evidence.nodePorts) return [unseen("cluster", wanted, evidence.nodePorts.unseen)];
    const { ports, tried, open } = evidence.nodePorts.value;
    if (ports.length === 0) return [];
    if (!expectation) return [unseen("cluster", "-", withoutPlan, open.length > 0 ? list(open) : "none answers")];
    const ranges = expectation.cilium.nodePortAddresses.flatMap((range) => parseCidr(range) ?? []);
    if (ranges.length === 0) return [];
    if (tried === 0) return [unseen("cluster", wanted, "No node shows a public address.")];
    const bad = open.filter((target) => {
      const address = mustParse(`${target.split(":")[0]}/32`);
      return !ranges.some((range) => contains(range, address));
    });
    if (bad.length === 0) return [ok("cluster", wanted, `none of ${tried} answers from here`)];
    const hint =
      "Set nodePort.addresses in Cilium's values to the private ranges, and close 30000-32767 in the firewall before the nodes.";
    return [failed("cluster", wanted, list(bad), hint)];
  },
};
