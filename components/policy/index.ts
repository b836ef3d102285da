export { NamespaceBaseline, type NamespaceBaselineArgs } from "./baseline";
export * from "./plan";
export { ServiceGraph, type ServiceGraphArgs } from "./serviceGraph";
