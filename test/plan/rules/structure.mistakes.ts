import { ruleTable } from "../../../components/plan";
import { mirrorManifest } from "../clusters";
import { replaced, setRaw, type Mistake } from "./table";

export const structureMistakes: Mistake[] = [
  {
    rule: "argument-type",
    what: "no arguments",
    make: () => replaced(undefined),
    lines: ["arguments: must be an object, found undefined; give its fields"],
  },
  {
    rule: "argument-type",
    what: "a list as arguments",
    make: () => replaced([]),
    lines: ["arguments: must be an object, found a list; give its fields"],
  },
  {
    rule: "argument-type",
    what: "a count as text",
    make: (args) => setRaw(args.pools?.[0] ?? {}, "count", "3"),
    lines: ['pools[0].count: must be a whole number, found the text "3"; give one without quotes, e.g. 3'],
  },
  {
    rule: "argument-type",
    what: "a broken count",
    make: (args) => setRaw(args.controlPlane, "count", 1.5),
    lines: ["controlPlane.count: must be a whole number, found the number 1.5; give one without quotes, e.g. 3"],
  },
  {
    rule: "argument-type",
    what: "a word outside a choice",
    make: (args) => setRaw(args.pools?.[0] ?? {}, "cpuIsolation", "strikt"),
    lines: [
      'pools[0].cpuIsolation: must be one of "none", "static", "strict", found the text "strikt"; did you mean strict?',
    ],
  },
  {
    rule: "argument-type",
    what: "another underlay",
    make: (args) => setRaw(args.underlay, "kind", "aws"),
    lines: ['underlay.kind: must be one of "hetzner", "hosts", found the text "aws"; choose one of them'],
  },
  {
    rule: "argument-type",
    what: "pools that are no list",
    make: (args) => setRaw(args, "pools", { web: 2 }),
    lines: ["pools: must be a list, found an object; put the value in [ ]"],
  },
  {
    rule: "argument-type",
    what: "a pool that is null",
    make: (args) => setRaw(args, "pools", [null]),
    lines: ["pools[0]: must be an object, found null; give its fields"],
  },
  {
    rule: "argument-type",
    what: "an object that is not plain among Helm values",
    make: (args) => (args.cilium = { values: { debug: { enabled: new Date(0) } } }),
    lines: [
      "cilium.values.debug.enabled: must be a plain value, found an object that is not plain (an Output?); give text without control characters, numbers, lists and objects, no Outputs",
    ],
  },
  {
    rule: "argument-type",
    what: "a line break that only YAML knows, in a text of the kubelet",
    make: (args) => (args.kubernetes = { kubelet: { clusterDomain: "x\u0085runcmd: [reboot]" } }),
    lines: [
      'kubernetes.kubelet.clusterDomain: must be a plain value, found the text "x\u0085runcmd: [reboot]"; give text without control characters, numbers, lists and objects, no Outputs',
    ],
  },
  {
    rule: "argument-type",
    what: "a profile that is none",
    make: (args) => setRaw(args, "tuning", { profile: "trouhgput" }),
    lines: [
      'tuning.profile: must be one of "latency", "throughput", "minimal", found the text "trouhgput"; did you mean throughput?',
    ],
  },
  {
    rule: "argument-type",
    what: "a sysctl as a number",
    make: (args) => setRaw(args, "tuning", { sysctls: { "net.core.somaxconn": 1024 } }),
    lines: ['tuning.sysctls["net.core.somaxconn"]: must be a text, found the number 1024; put the value in quotes'],
  },
  {
    rule: "argument-missing",
    what: "no access at all",
    make: (args) => setRaw(args, "access", undefined),
    lines: ['access: is missing; give access.ssh and access.api, e.g. ["203.0.113.7/32"]: nothing is open by default'],
  },
  {
    rule: "argument-missing",
    what: "no access for SSH",
    make: (args) => setRaw(args, "access", { api: ["203.0.113.0/24"] }),
    lines: [
      'access.ssh: is missing; give the ranges that may reach SSH, e.g. ["203.0.113.7/32"]: nothing is open by default',
    ],
  },
  {
    rule: "argument-missing",
    what: "a pool without count and type",
    make: (args) => setRaw(args, "pools", [{ name: "web" }]),
    lines: [
      "pools[0].count: is missing; say how many workers",
      'pools[0].serverType: is missing; give a server type, e.g. "ccx23"',
    ],
  },
  {
    rule: "argument-unknown",
    what: "a mistyped argument",
    make: (args) => setRaw(args.pools?.[0] ?? {}, "cpuIsolaton", "none"),
    lines: ["pools[0].cpuIsolaton: there is no such argument; did you mean cpuIsolation?"],
  },
  {
    rule: "argument-unknown",
    what: "a strange argument",
    make: (args) => setRaw(args.access, "telnet", []),
    lines: ["access.telnet: there is no such argument; the arguments here are ssh, api"],
  },
  {
    rule: "user-data-size",
    what: "more than the cloud takes",
    make: (args) => {
      const extra = Array.from({ length: 200 }, (_, index) => ({
        name: `tool-${index}`,
        version: "1.0.0",
        url: `files/tool-${index}`,
        sha256: "0".repeat(64),
        installTo: `/usr/local/bin/tool-${index}`,
      }));
      args.artifacts = { baseUrl: "http://mirror.example/", manifest: [...mirrorManifest(), ...extra] };
    },
    lines: [
      // How far it is packed depends on the zlib of the Node.js at hand.
      /^arguments: the nodes' user data would have \d\d KiB, and the cloud takes 32; make kubernetes\.kubelet, registryMirrors or artifacts\.manifest smaller$/,
    ],
  },
  {
    rule: "accept-unknown",
    what: "a mistyped rule",
    make: (args) => (args.accept = ["access-open-to-al"]),
    lines: ['accept[0]: there is no rule "access-open-to-al"; did you mean access-open-to-all?'],
  },
  {
    rule: "accept-unknown",
    what: "a strange rule",
    make: (args) => (args.accept = ["everything-goes"]),
    lines: [
      `accept[0]: there is no rule "everything-goes"; rules that can be accepted: ${ruleTable
        .filter(({ acceptable }) => acceptable)
        .map(({ id }) => id)
        .join(", ")}`,
    ],
  },
  {
    rule: "accept-not-possible",
    what: "a rule that stays",
    make: (args) => (args.accept = ["range-malformed"]),
    lines: ["accept[0]: the rule range-malformed cannot be accepted; leave it out and mend what it finds"],
  },
];
