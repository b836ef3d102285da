/** Runs actions one after the other, in the order in which they were asked for. One that fails does not stop those behind it. */
export class Serial {
  private tail: Promise<unknown> = Promise.resolve();

  /** Waits for its turn, then runs the action and gives its result or error. */
  run<T>(action: () => Promise<T>): Promise<T> {
    const result = this.tail.then(action, action);
    this.tail = result.catch(() => undefined);
    return result;
  }
}
