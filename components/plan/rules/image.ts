import { kernelOf } from "../kernels";
import { defaults } from "../resolve";
import { hetznerOf } from "../underlay";
import type { Subject } from "./rule";

/** The nodes' image, and its kernel's minor where it is known. That of existing hosts is looked at by their preflight. */
export function imageOf({ args }: Subject): { image: string; kernel: string | undefined } {
  const hetzner = hetznerOf(args);
  if (hetzner === undefined) return { image: "an existing host", kernel: undefined };
  const image = hetzner.image ?? defaults.image;
  return { image, kernel: kernelOf(image) };
}
