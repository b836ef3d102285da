import assert from "node:assert/strict";
import { plainText } from "../../components/plainText";
import { renderMarkdown } from "../../components/preview";
import { code, prose } from "../../components/preview/text";
import { changed, child, command, reportOf } from "./made";

/** Escape, bell, a control of eight bits, turned direction, an invisible letter, breaks of lines. */
const nasty = ["\x1b[2J", "\x07", "\x9b31m", "\u202e", "\u200b", "\u2028", "\r\n"];

describe("a text from outside", () => {
  it("obeys nothing: no control, no turned direction, no break of line", () => {
    for (const one of nasty) {
      for (const text of [plainText(`a${one}b`), code(`a${one}b`), prose(`a${one}b`)]) {
        assert.doesNotMatch(text, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        assert.match(text, /a.*b/);
      }
    }
    assert.equal(plainText("pods → 2 ü"), "pods → 2 ü");
  });

  it("obeys nothing in a report, whatever place it stands in", () => {
    for (const one of nasty) {
      const name = `evil${one}name`;
      const report = reportOf(
        child("create", "own:index:Kind", name, [undefined, {}], ""),
        child("create", `own:index:K${one}ind`, "x", [undefined, {}]),
        child("create", "kubernetes:cilium.io/v2:CiliumNetworkPolicy", name, [undefined, {}], ""),
        changed(command, `tune-${name}`, { create: "a" }, { create: "b" }),
      );
      const text = renderMarkdown(report);
      assert.doesNotMatch(text.replaceAll("\n", ""), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u, JSON.stringify(one));
      assert.ok(text.split("\n").every((line) => !line.startsWith("name")));
    }
  });

  it("is code where it is a name in a sentence", () => {
    const text = renderMarkdown(
      reportOf(child("create", "own:index:Kind", "<b>`x`|www.evil.example", [undefined, {}], "")),
    );
    assert.ok(text.includes("1 made: `<b>'x' www.evil.example`; what that means"), text);
    assert.equal(prose("a `b` c*"), "a `b` c\\*");
    assert.equal(prose("a `b c"), "a \\`b c");
  });

  it("is no link, mention, reference or formula", () => {
    assert.equal(prose("www.evil.example/login"), "www\u200b.evil.example/login");
    assert.equal(prose("WWW.evil.example https://x"), "WWW\u200b.evil.example https:\u200b//x");
    assert.equal(prose("@who #1 $a$"), "@\u200bwho \\#\u200b1 \\$a\\$");
    assert.equal(prose("<a> [b](c)"), "&lt;a&gt; \\[b\\](c)");
  });
});
