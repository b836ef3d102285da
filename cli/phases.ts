import { Listr, PRESET_TIMER, type ListrTask } from "listr2";

/** One phase of a long command: its title and its work, which tells what it is doing. */
export interface Phase {
  title: string;
  /** @param tell shows one line of news under the title */
  run(tell: (news: string) => void): Promise<void>;
  /** Whether there is anything to do. Default: always. */
  when?: () => boolean;
}

/** How long a phase took. */
export interface PhaseTime {
  title: string;
  seconds: number;
}

/**
 * Runs phases one after the other: live on a terminal, as plain lines elsewhere. The first that fails ends it.
 * @returns the time of each phase that ran
 */
export async function runPhases(phases: Phase[]): Promise<PhaseTime[]> {
  const times: PhaseTime[] = [];
  const tasks = phases.map((phase): ListrTask => ({
    title: phase.title,
    // Asked when its turn comes, not when the list is made.
    skip: () => phase.when?.() === false,
    task: async (_, task) => {
      const started = Date.now();
      let last = "";
      await phase.run((news) => {
        // A line that repeats itself says nothing to a log.
        if (news !== last) task.output = news;
        last = news;
      });
      times.push({ title: phase.title, seconds: (Date.now() - started) / 1000 });
    },
  }));
  const live = process.stdout.isTTY && !process.env.CI;
  await new Listr(tasks, {
    renderer: live ? "default" : "verbose",
    rendererOptions: live
      ? { timer: PRESET_TIMER, collapseSubtasks: false }
      : { timer: PRESET_TIMER, icon: {}, color: {} },
    // Ctrl-C belongs to the phase under way: the engine lets its steps end first.
    registerSignalListeners: false,
  }).run();
  return times;
}
