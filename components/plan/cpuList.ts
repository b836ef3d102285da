/** CPUs of a list as the kernel writes it, e.g. `0-1,4`, in order; none for an empty text. */
export function cpusOf(list: string): number[] {
  const parts = list
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  const cpus = parts.flatMap((part) => {
    const [first = NaN, last = first] = part.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
  });
  return [...new Set(cpus)].sort((a, b) => a - b);
}

/** CPUs as the kernel writes a list. */
export function cpuList(cpus: readonly number[]): string {
  const spans: [number, number][] = [];
  for (const cpu of [...new Set(cpus)].sort((a, b) => a - b)) {
    const last = spans.at(-1);
    if (last?.[1] === cpu - 1) last[1] = cpu;
    else spans.push([cpu, cpu]);
  }
  return spans.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(",");
}

/**
 * The CPUs of a list and the other threads of their cores: what scripts/cpus.sh reserves.
 * @param cores each core's threads as a list
 */
export function wholeCores(list: string, cores: readonly string[]): string {
  const cpus = cpusOf(list);
  const touched = cores.map(cpusOf).filter((threads) => threads.some((cpu) => cpus.includes(cpu)));
  return cpuList([...cpus, ...touched.flat()]);
}

/** Whether no CPU of the first list is outside of the second. */
export function isWithin(list: string, within: string): boolean {
  const allowed = cpusOf(within);
  return cpusOf(list).every((cpu) => allowed.includes(cpu));
}
