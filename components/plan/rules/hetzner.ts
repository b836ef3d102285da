import { canonical, isPrivate, overlaps, parseCidr } from "../addresses";
import { countries, locations } from "../catalogue";
import { type Finding, suggest } from "../problems";
import { defaults } from "../resolve";
import { hetznerOf, hostsOf } from "../underlay";
import { cidrsOf, nodeAreas, rangesOf, subnetAreas } from "./ranges";
import { networkNodeLimit } from "./nodes";
import { findingIf, items, type Rule, type Subject } from "./rule";

/** Most subnets of one network of the cloud. */
const subnetLimit = 50;

/** Everything that `allowedLocations` may name. */
const places = [...new Set([...Object.keys(locations), ...Object.values(locations), ...Object.values(countries)])];

/** Rules about where a cluster in Hetzner Cloud is, and about a network that it shares with others. */
export const hetznerRules: Rule[] = [
  {
    id: "location-not-allowed",
    acceptable: false,
    why: "allowedLocations says where data may be; nothing goes elsewhere.",
    check: ({ args }) => {
      const { location = "", allowedLocations } = hetznerOf(args) ?? {};
      if (allowedLocations === undefined || !Object.hasOwn(locations, location)) return [];
      const names = [location, locations[location], countries[location]];
      return findingIf(
        !allowedLocations.some((place) => names.includes(place)),
        "underlay.location",
        `${names.join(", ")} is none of the allowed locations: ${allowedLocations.join(", ") || "none"}`,
        `choose one of ${allowed(allowedLocations).join(", ") || "them"}, or widen underlay.allowedLocations`,
      );
    },
  },
  {
    id: "allowed-location-unknown",
    acceptable: false,
    why: "A mistyped place would allow nothing.",
    check: ({ args }) =>
      items(hetznerOf(args)?.allowedLocations, "underlay.allowedLocations").flatMap(({ item, path }) =>
        findingIf(
          !places.includes(item),
          path,
          `${JSON.stringify(item)} is no location, network zone or country of the cloud`,
          suggest(item, places, `choose of ${places.join(", ")}`),
        ),
      ),
  },
  {
    id: "existing-network-name",
    acceptable: false,
    why: "A network is found by its name or its number.",
    check: ({ args }) => {
      const name = hetznerOf(args)?.existingNetwork;
      return findingIf(
        name !== undefined && (name === "" || /^\s|\s$|[^ -~]/.test(name)),
        "underlay.existingNetwork",
        `${JSON.stringify(name)} is not the name of a network`,
        "give its name or its number as the cloud's console shows it",
      );
    },
  },
  {
    id: "existing-network-range",
    acceptable: false,
    why: "The plan knows every address before it asks the cloud; an update compares the range with the cloud's answer.",
    check: ({ args }) => {
      const { existingNetwork, networkRange } = hetznerOf(args) ?? {};
      return findingIf(
        existingNetwork !== undefined && networkRange === undefined,
        "underlay.networkRange",
        `the range of the existing network ${existingNetwork ?? ""} is missing`,
        'give it as the cloud\'s console shows it, e.g. "10.0.0.0/16"',
      );
    },
  },
  {
    id: "vswitch-number",
    acceptable: false,
    why: "A new network is coupled to nothing, so a vSwitch's subnet must be made, by the vSwitch's number.",
    check: ({ args }) => {
      const { existingNetwork, vSwitch } = hetznerOf(args) ?? {};
      return findingIf(
        vSwitch !== undefined && (vSwitch.id === undefined ? existingNetwork === undefined : vSwitch.id < 1),
        "underlay.vSwitch.id",
        vSwitch?.id === undefined ? "is missing for a network that is made" : `${vSwitch.id} is no number of a vSwitch`,
        "give the vSwitch's number, or the existing network that it is coupled to",
      );
    },
  },
  {
    id: "other-route-malformed",
    acceptable: false,
    why: "The cloud takes private ranges as destinations, and 0.0.0.0/0.",
    check: ({ args }) =>
      items(hetznerOf(args)?.otherRoutes, "underlay.otherRoutes").flatMap(({ item, path }) => {
        const cidr = parseCidr(item);
        const fine = cidr !== undefined && canonical(cidr) === item && (item === "0.0.0.0/0" || isPrivate(cidr));
        return findingIf(
          !fine,
          path,
          `${JSON.stringify(item)} is no destination of a route`,
          'write e.g. "10.9.0.0/16", or "0.0.0.0/0"',
        );
      }),
  },
  {
    id: "other-route-meets-plan",
    acceptable: false,
    why: "The cloud refuses a route whose destination meets a subnet or another route's.",
    check: (subject) =>
      items(hetznerOf(subject.args)?.otherRoutes, "underlay.otherRoutes").flatMap(({ item, path }) => {
        const cidr = parseCidr(item);
        // A default route is for all that no other names.
        if (cidr === undefined || cidr.bits === 0) return [];
        const own = cidrsOf(subject, isNative(subject) ? [...nodeAreas, "podCidr"] : nodeAreas);
        const met = own.filter((range) => overlaps(range.cidr, cidr));
        return met.map((range) => ({
          path,
          message: `${item} meets ${range.text} (${range.path})`,
          fix: "choose another range for the cluster, or take the route out of the network",
        }));
      }),
  },
  {
    id: "network-attachments",
    acceptable: false,
    why: "A network of the cloud takes 100 servers and load balancers.",
    check: ({ args }) => {
      const others = hetznerOf(args)?.otherAttachments ?? 0;
      const path = "underlay.otherAttachments";
      if (others < 0) return findingIf(true, path, `${others} attachments cannot be`, "use a number from 0");
      return limitFindings(path, nodeCount({ args }), others, networkNodeLimit, "servers and load balancers");
    },
  },
  {
    id: "network-routes",
    acceptable: false,
    why: "A network of the cloud takes 100 routes, and with native routing every node needs one.",
    check: (subject) => {
      const others = items(hetznerOf(subject.args)?.otherRoutes, "").length;
      const own = isNative(subject) ? nodeCount(subject) : 0;
      return limitFindings("underlay.otherRoutes", own, others, networkNodeLimit, "routes");
    },
  },
  {
    id: "network-subnets",
    acceptable: false,
    why: "A network of the cloud takes 50 subnets.",
    check: (subject) => {
      if (hostsOf(subject.args)) return [];
      const count = new Set(rangesOf(subject, subnetAreas).map(({ text }) => text)).size;
      return findingIf(
        count > subnetLimit,
        "underlay.otherSubnets",
        `${count} subnets are more than the ${subnetLimit} that a network takes`,
        "let pools share subnets, or use a network of the cluster's own",
      );
    },
  },
  {
    id: "subnet-of-host",
    acceptable: false,
    why: "An existing machine has its private address already.",
    check: ({ args }) =>
      items(hostsOf(args) ? args.pools : [], "pools").flatMap(({ item, path }) =>
        findingIf(
          item.subnet !== undefined,
          `${path}.subnet`,
          "existing machines have their addresses already",
          "leave it out",
        ),
      ),
  },
];

/** Names of the locations that a list of places allows. */
function allowed(list: readonly (string | undefined)[]): string[] {
  return Object.keys(locations).filter((name) =>
    [name, locations[name], countries[name]].some((place) => list.includes(place)),
  );
}

function isNative({ args }: Pick<Subject, "args">): boolean {
  return (args.network?.tunnel ?? defaults.tunnel) === "none";
}

function nodeCount({ args }: Pick<Subject, "args">): number {
  const workers = items(args.pools, "pools").reduce((sum, { item }) => sum + Math.max(0, item.count ?? 0), 0);
  return workers + Math.max(0, args.controlPlane?.count ?? defaults.controlPlaneCount);
}

/** Nodes that are too many by themselves have a rule of their own. */
function limitFindings(path: string, own: number, others: number, limit: number, what: string): Finding[] {
  return findingIf(
    others > 0 && own <= limit && own + others > limit,
    path,
    `${others} of others and ${own} of the cluster are more than the ${limit} ${what} that a network takes`,
    "make the pools smaller, use a network of the cluster's own, or with routes a tunnel (network.tunnel)",
  );
}
