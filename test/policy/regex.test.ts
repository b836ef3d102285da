import assert from "node:assert/strict";
import fc from "fast-check";
import { coversName, isFqdn } from "../../components/policy/plan/fqdn";
import {
  anchorsOf,
  matches,
  patternOf,
  programSize,
  queryIn,
  refusal,
  tokensOf,
} from "../../components/policy/plan/regex";

/** Patterns with their size as RE2 itself counts it, in the version that Envoy was built with or a newer one. */
const re2Sizes: [pattern: string, size: number][] = [
  ["/v1/transaction", 19],
  ["/v1/transaction(\\?.*)?", 31],
  ["/v1/transaction(/.*)?(\\?.*)?", 43],
  ["[^/]+", 13],
  ["/[^/]+/[^/]+/[^/]+/[^/]+/[^/]+/[^/]+(\\?.*)?", 76],
  [".*", 12],
  ["(GET|POST)", 13],
  ["/\\S+", 16],
  ["/\\W", 16],
  ["/(0item|1item|2item|3item)(\\?.*)?", 39],
  ["/a{50}", 55],
  ["/[a-z0-9-]+/\\d+(\\?.*)?", 24],
  ["(?i)/abc", 8],
  ["/api/v1/orders/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(\\?.*)?", 99],
  ["/(?s).*", 12],
];

describe("patterns of requests", () => {
  for (const [pattern, size] of re2Sizes)
    it(`are not estimated smaller than RE2 makes them, nor half as large again: ${pattern}`, () => {
      const estimate = programSize(pattern);
      assert.ok(estimate >= size && estimate <= size * 1.5, `${estimate} for ${size}`);
    });

  it("let any query follow a path, and only a path", () => {
    const path = (given: string, query: "any" | "as-written" = "any"): string | undefined =>
      patternOf({ path: "", given: { path: given }, query }, "path");
    assert.equal(path("/v1/transaction"), "/v1/transaction(\\?.*)?");
    assert.equal(path("/v1/transaction", "as-written"), "/v1/transaction");
    for (const request of ["/a", "/a?x=1", "/b", "/b?x"]) assert.ok(matches(path("/a|/b"), request), request);
    for (const request of ["/ab", "/a/1", "/a/1?x"]) assert.ok(!matches(path("/a|/b"), request), request);
    assert.equal(patternOf({ path: "", given: { method: "GET" }, query: "any" }, "method"), "GET");
    assert.equal(path.length, 1);
  });

  it("match from the first letter to the last", () => {
    assert.ok(matches("/v1/transaction", "/v1/transaction"));
    assert.ok(!matches("/v1/transaction", "/v1/transaction/42") && !matches("GET", "TARGET"));
    assert.ok(matches(undefined, "anything") && !matches("(", "("));
  });

  it("are cut so that what is escaped or in brackets is no operator", () => {
    assert.deepEqual(tokensOf("/a[^]$]\\$[[:alpha:]^]$"), ["/", "a", "[^]$]", "\\$", "[[:alpha:]^]", "$"]);
    assert.deepEqual(anchorsOf("/a[^$]\\$\\^"), []);
    assert.deepEqual(anchorsOf("^/a$|^/b$\\z"), ["^", "$", "\\z"]);
  });

  it("are known to speak of queries when they do", () => {
    for (const pattern of ["/a\\?b", "/a[?]b"]) assert.equal(queryIn(pattern), "escaped", pattern);
    for (const pattern of ["/a?b=1", "/items?page=2"]) assert.equal(queryIn(pattern), "raw", pattern);
    for (const pattern of ["/a", "/items?", "/a(/b)?", "/a[^?]*", "/a.*?=", "/(?:a|b)="])
      assert.equal(queryIn(pattern), undefined, pattern);
  });

  it("are judged whatever they are, without an exception", () => {
    const pieces = fc.constantFrom(
      "(",
      ")",
      "[",
      "]",
      "{2}",
      "*",
      "+",
      "?",
      "|",
      "\\",
      "^",
      "$",
      ".",
      "a",
      "-",
      ":",
      "é",
    );
    const pattern = fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.array(pieces, { maxLength: 20 }).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(pattern, (text) => {
        assert.equal(tokensOf(text).join(""), text);
        refusal(text);
        anchorsOf(text);
        queryIn(text);
        assert.ok(programSize(text) > 0);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("names of destinations", () => {
  it("are what Cilium takes", () => {
    for (const name of ["example.com", "example.com.", "*.example.com", "**.a", "_srv.x-y", "a*b.c"])
      assert.ok(isFqdn(name), name);
    for (const name of ["", ".", "a..b", "a b", "https://a", "a:443", "a/b"]) assert.ok(!isFqdn(name), name);
  });

  it("are covered by lookups as Cilium matches them", () => {
    const covered: [pattern: string, name: string][] = [
      ["*", "a.b.c"],
      ["*.example.com", "API.example.com."],
      ["**.example.com", "a.b.example.com"],
      ["sub*.example.com", "subdomain.example.com"],
      ["*.example.com", "*.example.com"],
    ];
    const apart: [pattern: string, name: string][] = [
      ["*.example.com", "example.com"],
      ["*.example.com", "a.b.example.com"],
      ["**.example.com", "example.com"],
      ["*.example.com", "**.example.com"],
      ["example.com", "exampleXcom"],
    ];
    for (const [pattern, name] of covered) assert.ok(coversName(pattern, name), `${pattern} ${name}`);
    for (const [pattern, name] of apart) assert.ok(!coversName(pattern, name), `${pattern} ${name}`);
  });
});
