import { firstWorkerNumber, lastControlPlaneNumber } from "../addresses";
import { locations, serverTypes, type ServerType } from "../catalogue";
import { suggest, type Finding } from "../problems";
import { defaults } from "../resolve";
import { hetznerOf } from "../underlay";
import { findingIf, items, type Rule, type Subject } from "./rule";
import { type TypeUse, typeUses } from "./typeUses";

/** Most servers, and most routes, of one network of the cloud. */
export const networkNodeLimit = 100;

/** Rules about counts, node numbers and server types. */
export const nodeRules: Rule[] = [
  {
    id: "control-plane-none",
    acceptable: false,
    why: "A cluster without a control plane is none.",
    check: ({ args }) =>
      findingIf(
        (args.controlPlane?.count ?? defaults.controlPlaneCount) < 1,
        "controlPlane.count",
        `${args.controlPlane?.count} control planes make no cluster`,
        "use 1",
      ),
  },
  {
    id: "control-plane-even",
    acceptable: false,
    why: "etcd needs a majority: an even number of members survives no more failures than one member less.",
    check: ({ args }) => {
      const count = args.controlPlane?.count ?? defaults.controlPlaneCount;
      return findingIf(
        count > 0 && count % 2 === 0,
        "controlPlane.count",
        `${count} control planes survive no more failures than ${count - 1}`,
        "use 1",
      );
    },
  },
  {
    id: "control-plane-many",
    acceptable: false,
    why: "Joining further control planes is not built yet.",
    check: ({ args }) => {
      const count = args.controlPlane?.count ?? defaults.controlPlaneCount;
      return findingIf(
        count > 1 && count % 2 === 1,
        "controlPlane.count",
        `${count} control planes are not yet supported`,
        "use 1",
      );
    },
  },
  {
    id: "pool-count",
    acceptable: false,
    why: "A pool has no workers or some.",
    check: ({ args }) =>
      items(args.pools, "pools").flatMap(({ item, path }) =>
        findingIf(
          item.count !== undefined && item.count < 0,
          `${path}.count`,
          `${item.count} workers cannot be`,
          "use a number from 0",
        ),
      ),
  },
  {
    id: "too-many-nodes",
    acceptable: false,
    why: "A network of the cloud takes 100 servers and 100 routes, and every node needs one of each.",
    check: ({ args }) => {
      const workers = items(args.pools, "pools").reduce((sum, { item }) => sum + Math.max(0, item.count ?? 0), 0);
      const count = workers + Math.max(0, args.controlPlane?.count ?? defaults.controlPlaneCount);
      return findingIf(
        count > networkNodeLimit && hetznerOf(args) !== undefined,
        "pools",
        `${count} nodes are more than the ${networkNodeLimit} that a network has attachments and routes for`,
        "make the pools smaller, or make a second cluster",
      );
    },
  },
  {
    id: "node-number-low",
    acceptable: false,
    why: "The numbers up to 10 belong to the gateway and the control planes.",
    check: ({ args }) =>
      items(args.pools, "pools").flatMap(({ item, path }) =>
        findingIf(
          item.firstNumber !== undefined && item.firstNumber < firstWorkerNumber,
          `${path}.firstNumber`,
          `the numbers up to ${lastControlPlaneNumber} belong to the gateway and the control planes`,
          `use ${firstWorkerNumber} or higher`,
        ),
      ),
  },
  {
    id: "node-number-twice",
    acceptable: false,
    why: "A node's number gives its address and pod CIDR; it may not depend on other pools, so an overlap is never solved by moving.",
    check: ({ args }) => numberFindings(args),
  },
  {
    id: "location-unknown",
    acceptable: false,
    why: "The cloud has no such location.",
    check: ({ args }) => {
      const location = hetznerOf(args)?.location;
      return findingIf(
        location !== undefined && !Object.hasOwn(locations, location),
        "underlay.location",
        `there is no location ${JSON.stringify(location)}`,
        suggest(location ?? "", Object.keys(locations), `choose one of ${Object.keys(locations).join(", ")}`),
      );
    },
  },
  {
    id: "image-name",
    acceptable: false,
    why: "The cloud takes the name of a system image or the number of a snapshot.",
    check: ({ args }) => {
      const image = hetznerOf(args)?.image;
      return findingIf(
        image !== undefined && !/^[a-z0-9][a-z0-9._-]*$/.test(image),
        "underlay.image",
        `${JSON.stringify(image)} is not the name of an image`,
        `write e.g. "${defaults.image}"`,
      );
    },
  },
  {
    id: "server-type-unknown",
    acceptable: false,
    why: "The catalogue has no such server type.",
    check: (subject) =>
      typeUses(subject).flatMap(({ name, path, type }) =>
        findingIf(
          type === undefined,
          path,
          `there is no server type ${JSON.stringify(name)}`,
          suggest(
            name,
            serverTypes.map((type) => type.name),
            'choose one of the catalogue, e.g. "ccx23"',
          ),
        ),
      ),
  },
  typeRule("server-type-not-there", "Not every location offers every server type.", false, (type, use, location) =>
    findingIf(
      location !== undefined && Object.hasOwn(locations, location) && !type.locations.includes(location),
      use.path,
      `${type.name} is not offered in ${location ?? ""}, only in ${type.locations.join(", ")}`,
      "choose another type or another location",
    ),
  ),
  typeRule("server-type-arm", "The node artifacts are built for amd64.", false, (type, use) =>
    findingIf(
      type.arch === "arm",
      use.path,
      `${type.name} has Arm CPUs, and the node artifacts are for amd64`,
      "choose a type with x86 CPUs, e.g. ccx13",
    ),
  ),
  typeRule(
    "strict-needs-dedicated-cpus",
    "CPUs that the host shares with others steal time from a pinned pod, so pinning guarantees nothing.",
    true,
    (type, use) =>
      findingIf(
        use.isolation === "strict" && type.cpuType === "shared",
        use.path,
        `strict isolation on ${type.name}, whose CPUs are shared with other customers, guarantees nothing`,
        "choose a type with dedicated CPUs (ccx…), or cpuIsolation static or none",
      ),
  ),
  typeRule(
    "isolation-needs-four-cpus",
    "One CPU is reserved for the system; with fewer than four too little is left.",
    true,
    (type, use) =>
      findingIf(
        use.isolation !== "none" && type.cores < 4,
        use.path,
        `${use.isolation} isolation reserves one of the ${type.cores} CPUs of ${type.name}`,
        "choose a type with four CPUs or more, or cpuIsolation none",
      ),
  ),
  typeRule(
    "control-plane-needs-two-cpus",
    "kubeadm refuses to make a control plane on fewer than two CPUs.",
    false,
    (type, use) =>
      findingIf(
        use.pool === "control-plane" && type.cores < 2,
        use.path,
        `kubeadm needs two CPUs for a control plane, and ${type.name} has ${type.cores}`,
        "choose a type with two CPUs or more",
      ),
  ),
];

function typeRule(
  id: string,
  why: string,
  acceptable: boolean,
  judge: (type: ServerType, use: TypeUse, location: string | undefined) => Finding[],
): Rule {
  return {
    id,
    acceptable,
    why,
    check: (subject) =>
      typeUses(subject).flatMap((use) =>
        use.type === undefined ? [] : judge(use.type, use, hetznerOf(subject.args)?.location),
      ),
  };
}

/** Pools whose numbers meet those of an earlier pool in the list. */
function numberFindings(args: Subject["args"]): Finding[] {
  const taken: { name: string; first: number; last: number }[] = [];
  return items(args.pools, "pools").flatMap(({ item, path }) => {
    // An empty pool keeps its first number: it is there to grow.
    const first = item.firstNumber ?? firstWorkerNumber;
    const own = { name: item.name ?? path, first, last: first + Math.max(1, item.count ?? 1) - 1 };
    const other = taken.find((pool) => pool.first <= own.last && own.first <= pool.last);
    taken.push(own);
    if (other === undefined) return [];
    const free = nextFree(taken);
    return [
      {
        path: `${path}.firstNumber`,
        message: `pool "${own.name}" (numbers ${own.first} to ${own.last}) meets pool "${other.name}" (${other.first} to ${other.last})`,
        fix: `give a new pool numbers with room for both to grow, e.g. firstNumber: ${free}; where both run already, put the growth into a new pool, since other numbers would replace nodes`,
      },
    ];
  });
}

/** The next of 31, 51, 71, … behind all that is taken. */
function nextFree(taken: { last: number }[]): number {
  const last = Math.max(...taken.map((pool) => pool.last));
  return Math.ceil((last - 10) / 20) * 20 + 11;
}
