/*
 * The e2e tier: one real cluster, made by a fresh `npm run up`, broken and mended in place, and removed at the end whatever happened.
 * Suites build on one another in this order. ZEROSTEAL_E2E_KEEP=1 leaves the cluster standing for a look at it.
 */
import { needs } from "../capabilities";
import { runCli } from "./support/cli";
import { upSuite } from "./suites/up";
import { againSuite } from "./suites/again";
import { brokenSuite } from "./suites/broken";
import { driftSuite } from "./suites/drift";
import { rebootSuite } from "./suites/reboot";
import { scaleSuite } from "./suites/scale";
import { isolationSuite } from "./suites/isolation";
import { interruptionSuite } from "./suites/interruption";
import { refusalsSuite } from "./suites/refusals";
import { secretsSuite } from "./suites/secrets";
import { captureSuite } from "./suites/capture";
import { dsrSuite } from "./suites/dsr";
import { downSuite } from "./suites/down";
import { hostsSuite } from "./suites/hosts";
import { routedHostsSuite } from "./suites/routedHosts";
import { firewallSuite } from "./suites/firewall";
import { policiesSuite } from "./suites/policies";
import { realSuite } from "./suites/real";

before(function () {
  needs(this, "root");
});

after(async function () {
  this.timeout(120_000);
  if (process.env.ZEROSTEAL_E2E_KEEP !== "1" && process.getuid?.() === 0) await runCli("down");
});

upSuite();
againSuite();
secretsSuite();
realSuite();
policiesSuite();
firewallSuite();
dsrSuite();
captureSuite();
driftSuite();
refusalsSuite();
brokenSuite();
scaleSuite();
rebootSuite();
isolationSuite();
downSuite();
interruptionSuite();
hostsSuite();
routedHostsSuite();
