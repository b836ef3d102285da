/** One line of news from a long step. */
export interface ProgressEvent {
  /** What is being made, e.g. `kubelet 1.36.4`. */
  step: string;
  /** What is happening to it now, e.g. `downloading, 12 of 80 MiB`. */
  detail: string;
  /** Milliseconds since the step began. */
  elapsedMs: number;
}

/** Receives news. Called at most about once a second a step. */
export type OnProgress = (event: ProgressEvent) => void;

/** A step that repeats its last detail once a second, so that a person sees time pass. */
export interface Step {
  /** Tells a new detail at once. */
  tell(detail: string): void;
  /** Sets the detail that the next tick tells. */
  set(detail: string): void;
  /** Stops the ticking. Always call it. */
  end(): void;
  /** Milliseconds since the step began. */
  elapsedMs(): number;
}

/**
 * Begins a step.
 * @param name what is being made
 * @param onProgress receiver; absent: silence
 */
export function beginStep(name: string, onProgress?: OnProgress): Step {
  const started = Date.now();
  let detail = "";
  const emit = () => {
    if (detail) onProgress?.({ step: name, detail, elapsedMs: Date.now() - started });
  };
  const timer = setInterval(emit, 1000);
  timer.unref();
  return {
    tell(next) {
      detail = next;
      emit();
    },
    set(next) {
      detail = next;
    },
    end: () => clearInterval(timer),
    elapsedMs: () => Date.now() - started,
  };
}
