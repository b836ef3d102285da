import { serviceEntriesWanted, largestServiceMap, leastServiceMap, serviceNumberLimit } from "../serviceMaps";
import { at } from "../merge";
import { defaults, resolveServices } from "../resolve";
import { ciliumOf } from "./ciliumValues";
import { findingIf, items, type Rule, type Subject } from "./rule";

/** Rules about Cilium's parts beside the data path, and about the room in its service maps. */
export const componentRules: Rule[] = [
  {
    id: "operator-replicas",
    acceptable: true,
    why: "No two of Cilium's operators run on one node, nor on nodes with taints of your own: those without a place stay Pending.",
    check: (subject) => {
      const replicas = at(ciliumOf(subject).values, "operator.replicas");
      const places = operatorPlaces(subject);
      return findingIf(
        typeof replicas === "number" && replicas > places,
        "cilium.values.operator.replicas",
        `${String(replicas)} operators do not fit on ${places === 1 ? "1 node" : `${places} nodes`} that take one each`,
        `use a number up to ${places}`,
      );
    },
  },
  {
    id: "hubble-parts",
    acceptable: false,
    why: "Helm stops: Hubble's UI reads from its relay, and the relay from Hubble in the agents.",
    check: (subject) => {
      const { values } = ciliumOf(subject);
      const relay = at(values, "hubble.relay.enabled") === true;
      const lonely = at(values, "hubble.ui.enabled") === true && at(values, "hubble.ui.standalone.enabled") !== true;
      return [
        ...findingIf(
          lonely && !relay,
          "cilium.values.hubble.ui.enabled",
          "the UI has nothing to read from without Hubble's relay",
          "set hubble.relay.enabled: true too",
        ),
        ...findingIf(
          relay && at(values, "hubble.enabled") === false,
          "cilium.values.hubble.relay.enabled",
          "the relay has nothing to read from where hubble.enabled is false",
          "leave hubble.enabled out, or the relay",
        ),
      ];
    },
  },
  {
    id: "l7-needs-proxy",
    acceptable: false,
    why: "Helm stops: these are served by Envoy, which l7Proxy switches off.",
    check: (subject) => {
      const { values } = ciliumOf(subject);
      if (at(values, "l7Proxy") !== false) return [];
      const users = [
        { key: "gatewayAPI.enabled", on: true },
        { key: "ingressController.enabled", on: true },
        { key: "loadBalancer.l7.backend", on: "envoy" },
      ];
      return users.flatMap(({ key, on }) =>
        findingIf(
          at(values, key) === on,
          `cilium.values.${key}`,
          `${String(on)} needs Cilium's proxy, and l7Proxy is false`,
          "leave l7Proxy out, or this",
        ),
      );
    },
  },
  {
    id: "expected-services",
    acceptable: false,
    why: "Cilium numbers Services, and the backends of each, with 16 bits; and its maps take memory on every node.",
    check: (subject) => {
      const wanted = (["expectedServices", "expectedEndpointsPerService"] as const).flatMap((field) => {
        const number = subject.args.network?.[field] ?? defaults[field];
        return findingIf(
          number < 1 || number > serviceNumberLimit,
          `network.${field}`,
          `${number} is out of range: Cilium numbers Services, and the backends of each, with 16 bits`,
          `use a number from 1 to ${serviceNumberLimit}`,
        );
      });
      if (wanted.length > 0) return wanted;
      const { count, endpoints, entries } = servicesOf(subject);
      return findingIf(
        entries > largestServiceMap,
        "network.expectedEndpointsPerService",
        `${count} Services of ${endpoints} endpoints need maps of ${entries} entries, and more than ${largestServiceMap} take gigabytes of every node`,
        "use a smaller number: it is the average, not the most",
      );
    },
  },
  {
    id: "service-maps-too-small",
    acceptable: true,
    why: "What does not fit into Cilium's service maps is missing from them, and only a log says so.",
    check: (subject) => {
      const given = at(ciliumOf(subject).values, "bpf.lbMapMax");
      // null leaves the size to Cilium.
      const size = given === null ? leastServiceMap : given;
      const { count, endpoints, entries } = servicesOf(subject);
      return findingIf(
        typeof size === "number" && size < entries,
        "cilium.values.bpf.lbMapMax",
        `${JSON.stringify(size)} entries are less than the ${entries} for ${count} Services of ${endpoints} endpoints, with room to change`,
        "leave it out, or set network.expectedServices and network.expectedEndpointsPerService",
      );
    },
  },
];

/** Services to expect, endpoints of each, and the entries that they should have. */
function servicesOf({ args }: Subject): { count: number; endpoints: number; entries: number } {
  const { count, endpoints } = resolveServices(args.network);
  return { count, endpoints, entries: serviceEntriesWanted(count, endpoints) };
}

/** Nodes that an operator may run on: unless told otherwise it tolerates the control plane's taint, and no others. */
function operatorPlaces(subject: Subject): number {
  const { args } = subject;
  const tolerant = at(ciliumOf(subject).values, "operator.tolerations") !== undefined;
  const open = items(args.pools, "pools").filter(
    ({ item }) =>
      tolerant || !(item.taints ?? []).some((taint) => taint !== undefined && taint.effect !== "PreferNoSchedule"),
  );
  const workers = open.reduce((sum, { item }) => sum + Math.max(0, item.count ?? 0), 0);
  return workers + Math.max(0, args.controlPlane?.count ?? defaults.controlPlaneCount);
}
