import { clusterNameLimit, controlPlanePool, isDnsLabel, poolNameLimit } from "../names";
import type { Finding } from "../problems";
import { controlPlaneTaint } from "../resolve";
import { findingIf, items, type Rule } from "./rule";

const labelLetters = "lower-case letters, digits and inner dashes";

/** Rules about names, labels and taints. */
export const nameRules: Rule[] = [
  {
    id: "cluster-name",
    acceptable: false,
    why: "The name is part of server names and of the API's DNS name, and Cilium takes 32 characters at most.",
    check: ({ name }) =>
      findingIf(
        !isDnsLabel(name, clusterNameLimit),
        "name",
        `${JSON.stringify(name)} is not a DNS label of at most ${clusterNameLimit} characters`,
        `use ${labelLetters}`,
      ),
  },
  {
    id: "pool-name",
    acceptable: false,
    why: "A pool's name is part of its servers' names.",
    check: ({ args }) =>
      items(args.pools, "pools").flatMap(({ item, path }) =>
        findingIf(
          item.name !== undefined && !isDnsLabel(item.name, poolNameLimit),
          `${path}.name`,
          `${JSON.stringify(item.name)} is not a DNS label of at most ${poolNameLimit} characters`,
          `use ${labelLetters}`,
        ),
      ),
  },
  {
    id: "pool-name-reserved",
    acceptable: false,
    why: "The control plane is a pool too, under its own name.",
    check: ({ args }) =>
      items(args.pools, "pools").flatMap(({ item, path }) =>
        findingIf(
          item.name === controlPlanePool,
          `${path}.name`,
          `"${controlPlanePool}" is the name of the control plane itself`,
          "choose another name",
        ),
      ),
  },
  {
    id: "pool-name-twice",
    acceptable: false,
    why: "Two pools of one name would give two servers one name.",
    check: ({ args }) => {
      const pools = items(args.pools, "pools");
      return pools.flatMap(({ item, path }, index) =>
        findingIf(
          item.name !== undefined && pools.slice(0, index).some((earlier) => earlier.item.name === item.name),
          `${path}.name`,
          `another pool is named ${JSON.stringify(item.name)} too`,
          "give each pool a name of its own",
        ),
      );
    },
  },
  {
    id: "node-label",
    acceptable: false,
    why: "Kubernetes refuses a Node with a malformed label, which would only show during the join.",
    check: ({ args }) =>
      items(args.pools, "pools").flatMap(({ item, path }) =>
        Object.entries(item.labels ?? {}).flatMap(([key, value]) =>
          labelFindings(`${path}.labels[${JSON.stringify(key)}]`, key, value),
        ),
      ),
  },
  {
    id: "node-label-planned",
    acceptable: false,
    why: "Nodes are found by these labels: another value would hide a worker, or make it pass for a control plane.",
    check: ({ args }) =>
      items(args.pools, "pools").flatMap(({ item, path }) =>
        Object.keys(item.labels ?? {}).flatMap((key) =>
          findingIf(
            key.startsWith("zerosteal/") || key === controlPlaneTaint.key,
            `${path}.labels[${JSON.stringify(key)}]`,
            "the plan gives this label itself",
            "choose another key",
          ),
        ),
      ),
  },
  {
    id: "node-taint",
    acceptable: false,
    why: "Kubernetes refuses a Node with a malformed taint, which would only show during the join.",
    check: ({ args }) =>
      items(args.pools, "pools").flatMap((pool) =>
        items(pool.item.taints, `${pool.path}.taints`).flatMap(({ item, path }) =>
          item.key === undefined ? [] : labelFindings(path, item.key, item.value),
        ),
      ),
  },
];

/** Breaches of Kubernetes' form for the keys and values of labels and taints. */
function labelFindings(path: string, key: string, value: string | undefined): Finding[] {
  const slash = key.lastIndexOf("/");
  const [prefix, name] = slash < 0 ? [undefined, key] : [key.slice(0, slash), key.slice(slash + 1)];
  const keyIsGood = isLabelText(name) && name !== "" && (prefix === undefined || isDnsName(prefix));
  return [
    ...findingIf(
      !keyIsGood,
      path,
      `${JSON.stringify(key)} is not a key of Kubernetes`,
      "write [DNS name/]name, the name with at most 63 letters, digits, dashes, dots and underscores",
    ),
    ...findingIf(
      value !== undefined && !isLabelText(value),
      path,
      `${JSON.stringify(value)} is not a value for ${JSON.stringify(key)}`,
      "use at most 63 letters, digits, dashes, dots and underscores",
    ),
  ];
}

function isLabelText(text: string): boolean {
  return text === "" || (text.length <= 63 && /^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$/.test(text));
}

function isDnsName(text: string): boolean {
  return text.length <= 253 && text.split(".").every((label) => isDnsLabel(label));
}
