import { isCanonicalRange } from "../addresses";
import { hetznerOf } from "../underlay";
import { findingIf, type Rule, type Subject } from "./rule";

const lists = ["ssh", "api"] as const;

/** Most ranges of one rule of the cloud's firewall. */
const rangeLimit = 100;

/** Rules about who may reach the nodes from outside. */
export const accessRules: Rule[] = [
  {
    id: "access-empty",
    acceptable: false,
    why: "Nothing is open by default: without a range not even the program itself reaches the nodes.",
    check: ({ args }) =>
      lists.flatMap((list) =>
        findingIf(
          args.access?.[list]?.length === 0,
          `access.${list}`,
          "an empty list lets nobody in, not even this program",
          'give your own address, e.g. ["203.0.113.7/32"]',
        ),
      ),
  },
  {
    id: "access-range",
    acceptable: false,
    why: "The cloud's firewall takes ranges whose host part is zero.",
    check: (subject) =>
      ranges(subject).flatMap(({ range, path }) =>
        findingIf(
          !isCanonicalRange(range),
          path,
          `${JSON.stringify(range)} is not an IP range with a zero host part`,
          'write e.g. "203.0.113.7/32" or "2001:db8::/64"',
        ),
      ),
  },
  {
    id: "access-many",
    acceptable: false,
    why: "A rule of the cloud's firewall takes 100 ranges.",
    check: ({ args }) =>
      lists.flatMap((list) => {
        const count = args.access?.[list]?.length ?? 0;
        return findingIf(
          count > rangeLimit && hetznerOf(args) !== undefined,
          `access.${list}`,
          `${count} ranges are more than the ${rangeLimit} that a rule of the firewall takes`,
          "join ranges that are neighbours",
        );
      }),
  },
  {
    id: "access-open-to-all",
    acceptable: true,
    why: "SSH and the API of a cluster are attacked within minutes when the whole Internet reaches them.",
    check: (subject) =>
      ranges(subject).flatMap(({ range, path }) =>
        findingIf(
          isCanonicalRange(range) && range.endsWith("/0"),
          path,
          `${range} lets the whole Internet in`,
          "give the ranges that you come from",
        ),
      ),
  },
];

function ranges({ args }: Subject): { range: string; path: string }[] {
  return lists.flatMap((list) =>
    (args.access?.[list] ?? []).flatMap((range, index) =>
      range === undefined ? [] : [{ range, path: `access.${list}[${index}]` }],
    ),
  );
}
