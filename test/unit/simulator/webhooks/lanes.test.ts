import { describe, expect, it } from "vitest";
import { Lanes } from "../../../../src/simulator/webhooks/lanes.ts";

function createTask() {
  const { promise, resolve } = Promise.withResolvers<void>();
  const task = { started: false, finish: resolve, run: async () => {} };
  task.run = async () => {
    task.started = true;
    await promise;
  };
  return task;
}

describe("Lanes", () => {
  it("lets a task wait for a place in its own lane only", async () => {
    const lanes = new Lanes(1);
    const [first, second, other] = [createTask(), createTask(), createTask()];
    const firstRun = lanes.run("a", first.run);
    const secondRun = lanes.run("a", second.run);
    const otherRun = lanes.run("b", other.run);
    expect([first.started, second.started, other.started]).toEqual([true, false, true]);
    first.finish();
    await firstRun;
    expect(second.started).toBe(true);
    second.finish();
    other.finish();
    await Promise.all([secondRun, otherRun]);
  });

  it("gives the place on after a failure", async () => {
    const lanes = new Lanes(1);
    const failing = lanes.run("a", async () => await Promise.reject(new Error("no")));
    const next = lanes.run("a", async () => await Promise.resolve("done"));
    await expect(failing).rejects.toThrow("no");
    await expect(next).resolves.toBe("done");
  });
});
