export { applyScript } from "./applyScript";
export { catalogueDate, serverTypes, type ServerType } from "./catalogue";
export { hostKeyPlaceholder, userDataLimit, withHostKey } from "./cloudInit";
export { checkCluster, planCluster } from "./cluster";
export { setupPath, waitNetworkPath } from "./nodeFiles";
export { PlanError, renderProblem, renderProblems } from "./problems";
export { sysctlProfile, type SysctlRow } from "./sysctl";
export type * from "./types";
export { defaultVersions, testedPairs, type TestedPair } from "./versions";
