export {
  type CheckedPolicies,
  checkNamespaceBaseline,
  checkServiceGraph,
  planNamespaceBaseline,
  planServiceGraph,
  PolicyError,
} from "./check";
export { app } from "./peers";
export { policyRuleTable } from "./rules";
export type * from "./types";
