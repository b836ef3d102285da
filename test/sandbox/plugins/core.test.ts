import assert from "node:assert/strict";
import fc from "fast-check";
import { autoname } from "../../../sandbox/plugins/core/autoname";
import { diffBags, equalValues, ignoreProperties, propertyOf } from "../../../sandbox/plugins/core/diff";
import { goQuote, joinHostPort } from "../../../sandbox/plugins/core/goText";
import {
  type Bag,
  fromWire,
  hasSecret,
  hasUnknown,
  type Json,
  keepSecrets,
  redact,
  reveal,
  revealBag,
  Secret,
  secretTexts,
  toWire,
  unknown,
} from "../../../sandbox/plugins/core/values";

const signature = "4dabf18193072939515e22adb298388d";
const secretKind = "1b47061264138c4ac30d75fd1eb44270";

describe("property values", () => {
  it("survive the wire, whatever they are", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = JSON.parse(JSON.stringify(value)) as Json;
        assert.deepEqual(toWire(fromWire(json)), json);
        assert.deepEqual(reveal(new Secret(fromWire(json))), json);
      }),
    );
  });

  it("survive the wire under a name that objects have already", () => {
    const json = JSON.parse('{"__proto__": {"a": 1}, "constructor": null, "list": [{"__proto__": null}]}') as Json;
    assert.equal(JSON.stringify(toWire(fromWire(json))), JSON.stringify(json));
  });

  it("keep secrets and unknowns apart from plain values", () => {
    const wire = { a: { [signature]: secretKind, value: "x" }, b: "04da6b54-80e4-46f7-96ec-b56ff0331ba9" };
    const value = fromWire(wire) as Bag;
    assert.ok(value.a instanceof Secret && value.b === unknown);
    assert.deepEqual(toWire(value), wire);
    assert.deepEqual(
      [hasSecret(value), hasUnknown(value), hasSecret("x"), hasUnknown(["x"])],
      [true, true, false, false],
    );
    assert.deepEqual(revealBag(value), { a: "x" });
  });

  it("read output values by what they carry", () => {
    const output = { [signature]: "d0e6a833031e9bbcd3f4e8bde6ca49a4", value: 1, secret: true };
    const value = fromWire(output);
    assert.ok(value instanceof Secret && value.value === 1);
    assert.equal(fromWire({ [signature]: "d0e6a833031e9bbcd3f4e8bde6ca49a4" }), unknown);
  });

  it("make an output secret whose input holds a secret, however deep", () => {
    const outputs = keepSecrets({ a: { b: [new Secret("s")] }, c: "open" }, { a: { b: ["s"] }, c: "open", d: 1 });
    assert.ok(outputs.a instanceof Secret);
    assert.deepEqual([outputs.c, outputs.d], ["open", 1]);
  });
});

describe("redaction", () => {
  it("hides a secret as a whole and line by line", () => {
    const secrets = secretTexts({ a: new Secret({ b: "first line\nsecond line\n" }), c: "open text" });
    assert.deepEqual(secrets, ["first line\nsecond line\n"]);
    assert.equal(redact("saw: second line. open text", secrets), "saw: [secret]. open text");
  });

  it("never leaves a planted secret of some length", () => {
    const word = fc
      .string({ minLength: 6, maxLength: 20, unit: "grapheme-ascii" })
      .filter((text) => text.trim().length >= 6);
    fc.assert(
      fc.property(fc.string(), word, fc.string(), (before, secret, after) => {
        fc.pre(!"[secret]".includes(secret.trim()));
        assert.ok(!redact(`${before} ${secret} ${after}`, [secret]).includes(secret));
      }),
    );
  });
});

describe("differences", () => {
  const paths = (olds: Bag, news: Bag): string[] => diffBags(olds, news).map(({ path, kind }) => `${kind} ${path}`);

  it("are named by the engine's paths", () => {
    const olds = { a: { b: 1, "x/y": 1 }, l: [1, 2], gone: true };
    assert.deepEqual(paths(olds, { a: { b: 2, "x/y": 2 }, l: [1, 3, 4], came: 1 }), [
      "update a.b",
      'update a["x/y"]',
      "add came",
      "delete gone",
      "update l[1]",
      "add l[2]",
    ]);
    assert.deepEqual(["a.b", "l[0].x", "plain", 'm["k"]'].map(propertyOf), ["a", "l", "plain", "m"]);
  });

  it("never look into a secret", () => {
    assert.deepEqual(paths({ a: new Secret({ b: 1 }) }, { a: new Secret({ b: 2 }) }), ["update a"]);
    assert.deepEqual(paths({ a: new Secret({ b: 1 }) }, { a: { b: 1 } }), []);
  });

  it("count null as absent and an unknown as changed", () => {
    assert.deepEqual(paths({ a: null }, {}), []);
    assert.deepEqual(paths({ a: 1, b: [1] }, { a: unknown, b: [unknown] }), ["update a", "update b[0]"]);
    assert.equal(equalValues(unknown, unknown), false);
  });

  it("are none between equal values, and some between different ones", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const [left, right] = [JSON.parse(JSON.stringify(a)) as Json, JSON.parse(JSON.stringify(b)) as Json];
        assert.deepEqual(diffBags({ v: left }, { v: left }), []);
        assert.equal(diffBags({ v: left }, { v: right }).length === 0, equalValues(left, right));
      }),
    );
  });

  it("leave out ignored properties", () => {
    assert.deepEqual(ignoreProperties({ a: 2, b: 2 }, { a: 1 }, ["a", "b.c"]), { a: 1 });
  });
});

describe("Go's texts", () => {
  it("quote as %q does", () => {
    assert.equal(goQuote('a "b"\n\t\\ ä \u0001\u0007'), '"a \\"b\\"\\n\\t\\\\ ä \\x01\\a"');
  });

  it("join host and port", () => {
    assert.deepEqual([joinHostPort("10.0.0.1", 22), joinHostPort("::1", 22)], ["10.0.0.1:22", "[::1]:22"]);
  });
});

describe("generated names", () => {
  it("end in hex digits that follow from the seed alone", () => {
    const [seed, other] = [new Uint8Array([1, 2]), new Uint8Array([3])];
    assert.match(autoname("net", seed), /^net-[0-9a-f]{7}$/);
    assert.equal(autoname("net", seed), autoname("net", seed));
    assert.notEqual(autoname("net", seed), autoname("net", other));
  });
});
