import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startSimulator } from "../../../src/simulator/simulator.ts";
import { call } from "./call.ts";

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "simulator-"));
});

afterAll(async () => {
  await rm(directory, { recursive: true });
});

describe("stateFile", () => {
  it("keeps numbers, living keys, webhooks and states over a restart", async () => {
    const stateFile = join(directory, "made", "state.json");
    const first = await startSimulator({ stateFile });
    const { phoneNumberId, apiKey: oldKey } = first.createNumber();
    const apiKey = first.rotateKey(phoneNumberId);
    const webhook = { url: "https://example.com/hook", headers: { a: "b" } };
    await call(`${first.url}/v1/configs/webhook`, { method: "POST", apiKey, body: webhook });
    first.setNumberState(phoneNumberId, { unpaid: true });
    const before = first.listNumbers();
    await first.close();

    const second = await startSimulator({ stateFile });
    expect(second.listNumbers()).toEqual(before);
    second.setNumberState(phoneNumberId, { unpaid: false });
    const settings = `${second.url}/v1/configs/webhook`;
    expect((await call(settings, { apiKey })).json).toEqual(webhook);
    expect((await call(settings, { apiKey: oldKey })).status).toBe(401);
    await second.close();
    expect(await readdir(join(directory, "made"))).toEqual(["state.json"]);
  });

  it("has what an answer told of even if the process dies right after it", async () => {
    const stateFile = join(directory, "state.json");
    const first = await startSimulator({ stateFile });
    await call(`${first.url}/simulator/numbers`, { method: "POST" });
    const second = await startSimulator({ stateFile });
    expect(second.listNumbers()).toEqual(first.listNumbers());
    await Promise.all([first.close(), second.close()]);
  });

  it("refuses a file of another kind instead of writing over it", async () => {
    const stateFile = join(directory, "other.json");
    await writeFile(stateFile, '{"precious":true}');
    await expect(startSimulator({ stateFile })).rejects.toThrow("is not a state file");
  });
});
