/** What the reporter tells the run, one message an event. */
export type Message =
  | { kind: "begin"; title: string }
  | { kind: "pass"; title: string; ms: number }
  | { kind: "fail"; title: string; error: string }
  | { kind: "skip"; title: string; capability?: string }
  | { kind: "suite"; title: string; tests: number; ms: number }
  | { kind: "end"; notRun: number };
