import assert from "node:assert/strict";
import fc from "fast-check";
import { isLabelKey, isLabelValue, labelProblems, matches, parseSelector } from "../../../sandbox/api/labels";
import { ApiError } from "../../../sandbox/api/errors";

describe("labels", () => {
  it("takes keys with and without prefix", () => {
    for (const key of ["a", "env", "Env.x_y-z", "example.com/role", "a".repeat(63)]) assert.ok(isLabelKey(key), key);
  });

  it("refuses keys outside the charset, too long or badly ended", () => {
    for (const key of ["", "-a", "a-", "a b", "a/b/c", "/a", "a/", "_x", "a".repeat(64), `${"a".repeat(254)}/x`]) {
      assert.ok(!isLabelKey(key), key);
    }
  });

  it("takes empty values and refuses long ones", () => {
    assert.ok(isLabelValue(""));
    assert.ok(isLabelValue("v".repeat(63)));
    assert.ok(!isLabelValue("v".repeat(64)));
    assert.ok(!isLabelValue("a b"));
  });

  it("names what is wrong with labels", () => {
    assert.deepEqual(labelProblems({ env: "prod" }), []);
    assert.deepEqual(labelProblems([]), ["must be an object of strings"]);
    assert.deepEqual(labelProblems({ "-": "x" }), ["'-' is not a valid label key"]);
    assert.deepEqual(labelProblems({ a: 1 }), ["the value of label 'a' is not valid"]);
    assert.deepEqual(labelProblems({ "hetzner.cloud/x": "y" }), [
      "label keys with the prefix 'hetzner.cloud/' are reserved",
    ]);
  });

  const labels = { env: "prod", tier: "web", empty: "" };
  const cases: [selector: string, expected: boolean][] = [
    ["", true],
    ["env=prod", true],
    ["env==prod", true],
    ["env=dev", false],
    ["env!=dev", true],
    ["env!=prod", false],
    ["missing!=x", true],
    ["env", true],
    ["missing", false],
    ["!missing", true],
    ["!env", false],
    ["env in (dev,prod)", true],
    ["env in (dev, test)", false],
    ["env notin (dev)", true],
    ["missing notin (dev)", true],
    ["env notin (prod)", false],
    ["env=prod,tier=web", true],
    ["env=prod, tier=db", false],
    ["env in (prod,dev),tier", true],
    ["empty=", true],
    ["env=", false],
    ["toString", false],
  ];
  for (const [selector, expected] of cases) {
    it(`${expected ? "selects" : "does not select"} by '${selector}'`, () => {
      assert.equal(matches(parseSelector(selector), labels), expected);
    });
  }

  for (const selector of ["=x", "a=b=c", "a in b", "a in (b", "!", "a,,b", "-a=b", "a in (b c)", "a b"]) {
    it(`refuses the selector '${selector}'`, () => {
      assert.throws(
        () => parseSelector(selector),
        (error: unknown) => error instanceof ApiError && error.code === "invalid_input",
      );
    });
  }

  it("equals brute force over all simple terms", () => {
    const word: fc.Arbitrary<string> = fc.constantFrom("a", "b", "c");
    const labelSet = fc.dictionary(word, word);
    const term = fc.oneof(
      fc
        .tuple(word, word)
        .map(([key, value]) => ({ text: `${key}=${value}`, test: (l: Record<string, string>) => l[key] === value })),
      fc
        .tuple(word, word)
        .map(([key, value]) => ({ text: `${key}!=${value}`, test: (l: Record<string, string>) => l[key] !== value })),
      word.map((key) => ({ text: key, test: (l: Record<string, string>) => key in l })),
      word.map((key) => ({ text: `!${key}`, test: (l: Record<string, string>) => !(key in l) })),
      fc.tuple(word, fc.uniqueArray(word, { minLength: 1 })).map(([key, values]) => ({
        text: `${key} in (${values.join(",")})`,
        test: (l: Record<string, string>) => values.includes(l[key] ?? "-"),
      })),
    );
    fc.assert(
      fc.property(labelSet, fc.array(term, { maxLength: 4 }), (set, terms) => {
        const plain = { ...set };
        const expected = terms.every(({ test }) => test(plain));
        assert.equal(matches(parseSelector(terms.map(({ text }) => text).join(",")), plain), expected);
      }),
    );
  });
});
