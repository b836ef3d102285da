import assert from "node:assert/strict";
import { utils } from "ssh2";
import { newKeyPair, type NewKeyPair } from "../../components/node/keys";

/** An ed25519 pair whose public half began with a zero byte: ssh2 writes such ones a byte short. */
function shortPair(): NewKeyPair {
  for (;;) {
    const pair = utils.generateKeyPairSync("ed25519");
    if (Buffer.from(pair.public.split(" ")[1] ?? "", "base64").length === 50) return pair;
  }
}

describe("new key pairs", function () {
  this.timeout(30_000);

  it("are made again when no SSH program could read them", () => {
    const broken = shortPair();
    assert.ok(utils.parseKey(broken.private) instanceof Error, "the generator does make unreadable pairs");
    const whole = newKeyPair("ed25519");
    const made = [broken, broken, whole];
    assert.equal(
      newKeyPair("ed25519", () => made.shift() ?? broken),
      whole,
    );
    assert.deepEqual(made, []);
  });

  for (const type of ["ed25519", "ecdsa"] as const) {
    it(`of type ${type} have two halves that belong together`, () => {
      const pair = newKeyPair(type);
      const key = utils.parseKey(pair.private);
      assert.ok(!(key instanceof Error) && key.isPrivateKey());
      assert.equal(key.getPublicSSH().toString("base64"), pair.public.split(" ")[1]);
    });
  }
});
