/** Prints a figure that a suite found, under the test that found it. */
export function tell(line: string): void {
  console.log(`        ${line}`);
}

/** Seconds since a moment of `performance.now()`, as text. */
export function since(start: number): string {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}
