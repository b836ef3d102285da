import { inNamespace } from "./cluster";

/** Connections that are tried at the same time, and milliseconds after which one that gets no answer counts as closed. */
const width = 3000;
const patience = 700;

/** Runs in a namespace: tries TCP ports of one address and prints those that answer, open or refused apart. */
const program = `
const net = require("node:net");
const [address, ...list] = process.argv.slice(1);
const ports = list[0] === "all" ? Array.from({ length: 65535 }, (_, index) => index + 1) : list.map(Number);
const open = [], refused = [];
const next = () => {
  const port = ports.pop();
  if (port === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    const socket = net.connect({ host: address, port });
    const timer = setTimeout(end, ${patience});
    function end(list) { clearTimeout(timer); socket.destroy(); if (list) list.push(port); resolve(); }
    socket.once("connect", () => end(open)).once("error", (error) => end(error.code === "ECONNREFUSED" ? refused : undefined));
  }).then(next);
};
Promise.all(Array.from({ length: ${width} }, next)).then(() => console.log(JSON.stringify({ open: open.sort((a, b) => a - b), refused: refused.length })));
`;

/** What a scan found: ports that took a connection, and how many said no in place of staying silent. */
export interface Scan {
  open: number[];
  refused: number;
}

/** Tries TCP ports of an address from a namespace of the sandbox; all of them when none are named. */
export async function scan(namespace: string, address: string, ports: number[] | "all" = "all"): Promise<Scan> {
  const words = ports === "all" ? ["all"] : ports.map(String);
  return JSON.parse(await inNamespace(namespace, [process.execPath, "-e", program, address, ...words])) as Scan;
}
