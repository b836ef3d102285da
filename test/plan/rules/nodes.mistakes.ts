import type { Mistake } from "./table";

const pool = (name: string, more: object = {}) => ({ name, count: 1, serverType: "ccx23", ...more });

export const nodeMistakes: Mistake[] = [
  {
    rule: "control-plane-none",
    what: "none",
    make: (args) => (args.controlPlane.count = 0),
    lines: ["controlPlane.count: 0 control planes make no cluster; use 1"],
  },
  {
    rule: "control-plane-even",
    what: "two",
    make: (args) => (args.controlPlane.count = 2),
    lines: ["controlPlane.count: 2 control planes survive no more failures than 1; use 1"],
  },
  {
    rule: "control-plane-many",
    what: "three",
    make: (args) => (args.controlPlane.count = 3),
    lines: ["controlPlane.count: 3 control planes are not yet supported; use 1"],
  },
  {
    rule: "pool-count",
    what: "less than none",
    make: (args) => (args.pools = [pool("web", { count: -1 })]),
    lines: ["pools[0].count: -1 workers cannot be; use a number from 0"],
  },
  {
    rule: "too-many-nodes",
    what: "a hundred workers and a control plane",
    make: (args) => (args.pools = [pool("web", { count: 100 })]),
    lines: [
      "pools: 101 nodes are more than the 100 that a network has attachments and routes for; make the pools smaller, or make a second cluster",
    ],
  },
  {
    rule: "node-number-low",
    what: "a number of the control planes",
    make: (args) => (args.pools = [pool("web", { firstNumber: 5 })]),
    lines: [
      "pools[0].firstNumber: the numbers up to 10 belong to the gateway and the control planes; use 11 or higher",
    ],
  },
  {
    rule: "node-number-twice",
    what: "two pools without numbers",
    make: (args) => (args.pools = [pool("web", { count: 2 }), pool("db")]),
    lines: [
      'pools[1].firstNumber: pool "db" (numbers 11 to 11) meets pool "web" (11 to 12); give a new pool numbers with room for both to grow, e.g. firstNumber: 31; where both run already, put the growth into a new pool, since other numbers would replace nodes',
    ],
  },
  {
    rule: "node-number-twice",
    what: "a pool that grew into the next",
    make: (args) => (args.pools = [pool("web", { count: 21 }), pool("db", { firstNumber: 31 })]),
    lines: [
      'pools[1].firstNumber: pool "db" (numbers 31 to 31) meets pool "web" (11 to 31); give a new pool numbers with room for both to grow, e.g. firstNumber: 51; where both run already, put the growth into a new pool, since other numbers would replace nodes',
    ],
  },
  {
    rule: "node-number-twice",
    what: "two empty pools",
    make: (args) => (args.pools = [pool("web", { count: 0 }), pool("db", { count: 0 })]),
    lines: [
      'pools[1].firstNumber: pool "db" (numbers 11 to 11) meets pool "web" (11 to 11); give a new pool numbers with room for both to grow, e.g. firstNumber: 31; where both run already, put the growth into a new pool, since other numbers would replace nodes',
    ],
  },
  {
    rule: "location-unknown",
    what: "mistyped",
    make: (args) => (args.underlay.location = "fns1"),
    lines: ['underlay.location: there is no location "fns1"; did you mean fsn1?'],
  },
  {
    rule: "location-unknown",
    what: "of another cloud",
    make: (args) => (args.underlay.location = "eu-west-1"),
    lines: ['underlay.location: there is no location "eu-west-1"; choose one of fsn1, nbg1, hel1, ash, hil, sin'],
  },
  {
    rule: "image-name",
    what: "a sentence",
    make: (args) => (args.underlay.image = "Debian 13"),
    lines: ['underlay.image: "Debian 13" is not the name of an image; write e.g. "debian-13"'],
  },
  {
    rule: "server-type-unknown",
    what: "mistyped and gone",
    make: (args) => {
      args.controlPlane.serverType = "ccx12";
      args.pools = [pool("web", { serverType: "m5.large" })];
    },
    lines: [
      'controlPlane.serverType: there is no server type "ccx12"; did you mean ccx13?',
      'pools[0].serverType: there is no server type "m5.large"; choose one of the catalogue, e.g. "ccx23"',
    ],
  },
  {
    rule: "server-type-not-there",
    what: "a European type in Singapore",
    make: (args) => {
      args.underlay.location = "sin";
      args.pools = [pool("web", { serverType: "cx23" })];
    },
    lines: [
      "pools[0].serverType: cx23 is not offered in sin, only in fsn1, nbg1, hel1; choose another type or another location",
    ],
  },
  {
    rule: "server-type-arm",
    what: "Arm",
    make: (args) => (args.pools = [pool("web", { serverType: "cax21" })]),
    lines: [
      "pools[0].serverType: cax21 has Arm CPUs, and the node artifacts are for amd64; choose a type with x86 CPUs, e.g. ccx13",
    ],
  },
  {
    rule: "strict-needs-dedicated-cpus",
    what: "shared CPUs",
    make: (args) => (args.pools = [pool("web", { serverType: "cx33", cpuIsolation: "strict" })]),
    lines: [
      'pools[0].serverType: strict isolation on cx33, whose CPUs are shared with other customers, guarantees nothing; choose a type with dedicated CPUs (ccx…), or cpuIsolation static or none (or accept: ["strict-needs-dedicated-cpus"])',
    ],
  },
  {
    rule: "isolation-needs-four-cpus",
    what: "two CPUs",
    make: (args) => (args.pools = [pool("web", { serverType: "ccx13", cpuIsolation: "static" })]),
    lines: [
      'pools[0].serverType: static isolation reserves one of the 2 CPUs of ccx13; choose a type with four CPUs or more, or cpuIsolation none (or accept: ["isolation-needs-four-cpus"])',
    ],
  },
  {
    rule: "control-plane-needs-two-cpus",
    what: "one CPU",
    make: (args) => (args.controlPlane.serverType = "cpx12"),
    lines: [
      "controlPlane.serverType: kubeadm needs two CPUs for a control plane, and cpx12 has 1; choose a type with two CPUs or more",
    ],
  },
];
