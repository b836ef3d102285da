import assert from "node:assert/strict";
import { adviceFor, withoutScript } from "../../cli/advice";

describe("advice on the engine's words", () => {
  const words: [string, RegExp | undefined][] = [
    ["after 16 failed attempts: dial tcp 203.0.113.11:22: i/o timeout", /does not answer/],
    ["after 16 failed attempts: dial tcp 203.0.113.11:22: connect: connection refused", /does not answer/],
    ["after 16 failed attempts: dial tcp 203.0.113.11:22: connect: no route to host", /does not answer/],
    ["after 16 failed attempts: dial tcp: lookup web.example: no such host", /name is not known/],
    [
      "after 16 failed attempts: ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey], no supported methods remain",
      /does not let this key in/,
    ],
    ["after 16 failed attempts: ssh: handshake failed: ssh: host key mismatch", /another host key/],
    ["Process exited with status 1:\nnode prod-web-1: has 2 CPUs", undefined],
  ];
  for (const [message, means] of words) {
    it(means ? `explains "${message.slice(26, 70)}…"` : "adds nothing where a step speaks for itself", () => {
      const advice = adviceFor(message);
      if (means) assert.match(advice ?? "", means);
      else assert.equal(advice, undefined);
    });
  }

  it("leaves out a step's script, quotes and line ends in it included, and nothing else", () => {
    const script = String.raw`echo \"a\": running \"b\":\n\\`;
    assert.equal(
      withoutScript(`Process exited with status 1: running "${script}":\nnode x: runs "it":\nnow`),
      'Process exited with status 1:\nnode x: runs "it":\nnow',
    );
    assert.equal(withoutScript("dial tcp 1.2.3.4:22: i/o timeout"), "dial tcp 1.2.3.4:22: i/o timeout");
  });
});
