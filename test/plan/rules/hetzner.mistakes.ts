import { type HetznerCluster, hostsCluster } from "../clusters";
import { type Mistake, replaced } from "./table";

/** Sets arguments of the underlay. */
const underlay = (own: Partial<HetznerCluster["underlay"]>) => (args: HetznerCluster) =>
  void Object.assign(args.underlay, own);

const shared = { existingNetwork: "office", networkRange: "10.0.0.0/8" };

const pool = (own: object) => (args: HetznerCluster) => void Object.assign(args.pools?.[0] ?? {}, own);

export const hetznerMistakes: Mistake[] = [
  {
    rule: "location-not-allowed",
    what: "another country",
    make: underlay({ location: "ash", allowedLocations: ["DE", "hel1"] }),
    lines: [
      "underlay.location: ash, us-east, US is none of the allowed locations: DE, hel1; choose one of fsn1, nbg1, hel1, or widen underlay.allowedLocations",
    ],
  },
  {
    rule: "location-not-allowed",
    what: "nothing is allowed",
    make: underlay({ allowedLocations: [] }),
    lines: [
      "underlay.location: fsn1, eu-central, DE is none of the allowed locations: none; choose one of them, or widen underlay.allowedLocations",
    ],
  },
  {
    rule: "allowed-location-unknown",
    what: "a mistyped zone",
    make: underlay({ allowedLocations: ["eu-centrall", "fsn1"] }),
    lines: [
      'underlay.allowedLocations[0]: "eu-centrall" is no location, network zone or country of the cloud; did you mean eu-central?',
    ],
  },
  {
    rule: "existing-network-name",
    what: "an empty name",
    make: underlay({ ...shared, existingNetwork: "" }),
    lines: [
      'underlay.existingNetwork: "" is not the name of a network; give its name or its number as the cloud\'s console shows it',
    ],
  },
  {
    rule: "existing-network-range",
    what: "no range",
    make: underlay({ existingNetwork: "office" }),
    lines: [
      'underlay.networkRange: the range of the existing network office is missing; give it as the cloud\'s console shows it, e.g. "10.0.0.0/16"',
    ],
  },
  {
    rule: "vswitch-number",
    what: "a new network",
    make: underlay({ vSwitch: { subnet: "10.0.2.0/24" } }),
    lines: [
      "underlay.vSwitch.id: is missing for a network that is made; give the vSwitch's number, or the existing network that it is coupled to",
    ],
  },
  {
    rule: "vswitch-number",
    what: "no number of any",
    make: underlay({ vSwitch: { id: 0, subnet: "10.0.2.0/24" } }),
    lines: [
      "underlay.vSwitch.id: 0 is no number of a vSwitch; give the vSwitch's number, or the existing network that it is coupled to",
    ],
  },
  {
    rule: "other-route-malformed",
    what: "a host, and a public range",
    make: underlay({ otherRoutes: ["10.9.0.1/16", "8.8.8.0/24", "0.0.0.0/0"] }),
    lines: [
      'underlay.otherRoutes[0]: "10.9.0.1/16" is no destination of a route; write e.g. "10.9.0.0/16", or "0.0.0.0/0"',
      'underlay.otherRoutes[1]: "8.8.8.0/24" is no destination of a route; write e.g. "10.9.0.0/16", or "0.0.0.0/0"',
    ],
  },
  {
    rule: "other-route-meets-plan",
    what: "into the pods' range",
    make: underlay({ otherRoutes: ["10.244.128.0/24"] }),
    lines: [
      "underlay.otherRoutes[0]: 10.244.128.0/24 meets 10.244.0.0/16 (network.podCidr); choose another range for the cluster, or take the route out of the network",
    ],
  },
  {
    rule: "network-attachments",
    what: "98 of others",
    make: underlay({ ...shared, otherAttachments: 98 }),
    lines: [
      "underlay.otherAttachments: 98 of others and 3 of the cluster are more than the 100 servers and load balancers that a network takes; make the pools smaller, use a network of the cluster's own, or with routes a tunnel (network.tunnel)",
    ],
  },
  {
    rule: "network-attachments",
    what: "less than none",
    make: underlay({ otherAttachments: -1 }),
    lines: ["underlay.otherAttachments: -1 attachments cannot be; use a number from 0"],
  },
  {
    rule: "network-routes",
    what: "98 of others",
    make: underlay({ otherRoutes: Array.from({ length: 98 }, (_, index) => `172.16.${index}.0/24`) }),
    lines: [
      "underlay.otherRoutes: 98 of others and 3 of the cluster are more than the 100 routes that a network takes; make the pools smaller, use a network of the cluster's own, or with routes a tunnel (network.tunnel)",
    ],
  },
  {
    rule: "network-subnets",
    what: "50 of others",
    make: underlay({ otherSubnets: Array.from({ length: 50 }, (_, index) => `10.1.${index}.0/24`) }),
    lines: [
      "underlay.otherSubnets: 51 subnets are more than the 50 that a network takes; let pools share subnets, or use a network of the cluster's own",
    ],
  },
  {
    rule: "subnet-of-host",
    what: "a pool of existing machines",
    make: () => replaced({ ...hostsCluster(), pools: [{ name: "web", count: 2, subnet: "10.20.1.0/24" }] }),
    lines: ["pools[0].subnet: existing machines have their addresses already; leave it out"],
  },
  {
    rule: "range-malformed",
    what: "a pool's subnet",
    make: pool({ subnet: "10.0.1.0" }),
    lines: ['pools[0].subnet: "10.0.1.0" is not an IPv4 range; write e.g. "10.0.1.0/24"'],
  },
  {
    rule: "node-subnet-outside",
    what: "a pool's subnet",
    make: pool({ subnet: "192.168.1.0/24" }),
    lines: [
      "pools[0].subnet: 192.168.1.0/24 does not lie inside the private network 10.0.0.0/8; choose a range inside it, or set underlay.networkRange",
    ],
  },
  {
    rule: "node-addresses-few",
    what: "a pool's subnet, and none but that pool",
    make: pool({ subnet: "10.0.1.0/29" }),
    lines: [
      'pools[0].subnet: 10.0.1.0/29 has addresses for node numbers up to 6, and pool "web" reaches 12; choose a wider range, or smaller pools with lower numbers',
    ],
  },
  {
    rule: "pod-cidr-meets-nodes",
    what: "a subnet of others",
    make: underlay({ ...shared, otherSubnets: ["10.244.7.0/24"] }),
    lines: [
      "network.podCidr: 10.244.0.0/16 overlaps 10.244.7.0/24 (underlay.otherSubnets[0]); choose ranges that share no address",
    ],
  },
  {
    rule: "subnets-overlap",
    what: "pools' subnets that are not the same, and one of others that is",
    make: (args) => {
      Object.assign(args.underlay, shared, { otherSubnets: ["10.0.0.0/24"] });
      pool({ subnet: "10.0.0.0/25" })(args);
    },
    lines: [
      "pools[0].subnet: 10.0.0.0/25 overlaps 10.0.0.0/24 (underlay.nodeSubnet); choose ranges that share no address",
      "underlay.otherSubnets[0]: 10.0.0.0/24 overlaps 10.0.0.0/24 (underlay.nodeSubnet); choose ranges that share no address",
      "underlay.otherSubnets[0]: 10.0.0.0/24 overlaps 10.0.0.0/25 (pools[0].subnet); choose ranges that share no address",
    ],
  },
];
