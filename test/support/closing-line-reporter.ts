import type { Reporter, TestCase, TestModule } from "vitest/node";

/**
 * Ends a run with what could not run for want of something, by name, and one plain line, `N passed,
 * N failed, N skipped`, that any CI can count. Where everything can be had (`CI`), to have missed
 * something is a failure.
 */
export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const counts = { passed: 0, failed: errors.length, skipped: 0 };
    const missed: TestCase[] = [];
    for (const module of modules) {
      // A file that did not load counts as a failure, though none of its tests ran.
      counts.failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state !== "pending") {
          counts[state] += 1;
        }
        if (state === "skipped" && NEED.test(test.fullName)) {
          missed.push(test);
        }
      }
    }
    if (missed.length > 0) {
      const names = missed.map(({ fullName }) => `  ${fullName}\n`);
      process.stdout.write(`\ncould not run here:\n${names.join("")}`);
      if (process.env["CI"] === "true") {
        counts.failed += missed.length;
        counts.skipped -= missed.length;
        process.exitCode = 1;
      }
    }
    const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
    process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed${skipped}\n`);
  }
}

/** How a test says in its name what it cannot do without. */
const NEED = /\(needs [\w-]+\)/;
