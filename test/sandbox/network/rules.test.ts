import assert from "node:assert/strict";
import { renderFirewall, renderSourceCheck } from "../../../sandbox/network/rules";

describe("rules of the emulated networks", () => {
  it("let a machine send from its own addresses and from routes that lead to it, and count the rest", () => {
    const rules = renderSourceCheck(
      [
        { serverId: 7, addresses: ["10.0.0.3", "10.0.0.99"] },
        { serverId: 8, addresses: ["10.0.0.4"] },
      ],
      [
        { destination: "10.244.1.0/24", gateway: "10.0.0.3" },
        { destination: "10.244.2.0/24", gateway: "10.0.0.250" },
      ],
    );
    assert.match(
      rules,
      /iifname "s7" ip saddr != \{ 10\.0\.0\.3, 10\.0\.0\.99, 10\.244\.1\.0\/24 \} counter name drops drop/,
    );
    assert.match(rules, /iifname "s8" ip saddr != \{ 10\.0\.0\.4 \} counter name drops drop/);
    assert.doesNotMatch(rules, /10\.244\.2\.0/);
  });

  it("let in only what a server's firewall names, everything where none is applied, and answers always", () => {
    const rules = renderFirewall(
      new Map([
        [
          7,
          [
            { protocol: "tcp" as const, port: "22", sourceCidrs: ["198.18.0.1/32"] },
            { protocol: "udp" as const, port: "any", sourceCidrs: ["0.0.0.0/0", "::/0"] },
            { protocol: "icmp" as const, port: null, sourceCidrs: ["::/0"] },
          ],
        ],
        [8, null],
      ]),
      5000,
    );
    assert.match(
      rules,
      /chain s7 \{\n {4}ip saddr \{ 198\.18\.0\.1\/32 \} tcp dport 22 accept\n {4}meta l4proto udp accept\n {4}counter drop\n/,
    );
    assert.match(rules, /ct state established,related accept\n/);
    assert.match(rules, /oifname "s7" jump s7\n/);
    assert.doesNotMatch(rules, /"s8"/);
  });
});
