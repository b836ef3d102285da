import assert from "node:assert/strict";
import fc from "fast-check";
import { cpuList, cpusOf, isWithin, wholeCores } from "../../components/plan/cpuList";

describe("lists of CPUs", () => {
  it("are read and written as the kernel does", () => {
    const lists: [string, number[]][] = [
      ["", []],
      ["0", [0]],
      ["0-2", [0, 1, 2]],
      ["0-1,4,6-7", [0, 1, 4, 6, 7]],
    ];
    for (const [text, cpus] of lists) {
      assert.deepEqual(cpusOf(text), cpus);
      assert.equal(cpuList(cpus), text);
    }
    assert.deepEqual(cpusOf(" 3,1-2\n"), [1, 2, 3]);
  });

  it("come back from any set of CPUs", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(300)), (cpus) => {
        assert.deepEqual(
          cpusOf(cpuList(cpus)),
          [...cpus].sort((a, b) => a - b),
        );
      }),
    );
  });

  it("are rounded up to whole cores", () => {
    assert.equal(wholeCores("0", ["0", "1"]), "0");
    assert.equal(wholeCores("0", ["0-1", "2-3"]), "0-1");
    assert.equal(wholeCores("0-1", ["0,4", "1,5", "2,6", "3,7"]), "0-1,4-5");
    assert.equal(wholeCores("", ["0-1"]), "");
    // A machine that does not tell its cores.
    assert.equal(wholeCores("0-1", []), "0-1");
  });

  it("lie within others, or not", () => {
    assert.equal(isWithin("1", "0-1"), true);
    assert.equal(isWithin("1-2", "0-1"), false);
    assert.equal(isWithin("", "0"), true);
  });
});
