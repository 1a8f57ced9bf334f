import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { call, fetchToken } from "../support/call.ts";
import { eventually } from "../support/eventually.ts";
import { BOOTSTRAP } from "../support/gateway.ts";
import { type GatewaysTogether, startGatewaysTogether } from "../support/gateways-together.ts";
import { buildRotatingTenant, type RotatingTenant } from "../support/rotating-number.ts";

const PATH = "/partner/v1/api-keys";
const NUMBERS = 5;

type Job = { id: string; state: string; reason: string; numbers: Record<string, number> };

describe("keys of many numbers", () => {
  let together: GatewaysTogether;
  let tenants: RotatingTenant[];

  beforeEach(async () => {
    together = await startGatewaysTogether(2);
    tenants = [];
    for (let i = 0; i < NUMBERS; i += 1) {
      tenants.push(await buildRotatingTenant(together));
    }
  });
  afterEach(() => together.stop());

  const begin = async (wish: object): Promise<Job> => {
    const { status, json } = await together.partner("POST", `${PATH}/rotate`, wish);
    expect(status).toBe(201);
    return json as Job;
  };
  const read = async (id: string): Promise<Job> =>
    (await together.partner("GET", `${PATH}/jobs/${id}`)).json as Job;
  const finished = async (id: string): Promise<Job> =>
    eventually(
      async () => {
        const job = await read(id);
        return job.state === "finished" ? job : undefined;
      },
      { withinMs: 20_000 },
    );
  const keysMade = (): number[] =>
    tenants.map(({ channelId }) => together.simulator.getChannel(channelId).keys.length);

  it("are changed one after the other, and one that fails stops no other", async () => {
    together.simulator.changeChannel(tenants[1]?.channelId ?? "", { permission: "missing" });
    const { id } = await begin({ per_minute: 600 });
    const job = await finished(id);
    expect(job.numbers).toMatchObject({ rotated: NUMBERS - 1, failed: 1, pending: 0 });
    expect(keysMade()).toEqual([1, 0, 1, 1, 1]);
    const { json } = await together.partner("GET", `${PATH}/jobs/${id}/numbers?limit=200`);
    expect(json.data).toHaveLength(NUMBERS);
    expect(json.data.find(({ state }: { state: string }) => state === "failed")).toMatchObject({
      number_id: tenants[1]?.numberId,
      code: "invalid_request",
    });
    expect(await tenants[0]?.history()).toMatchObject([{ reason: "many", actor: BOOTSTRAP.id }]);
  });

  it("are only those that were meant, and none by a dry run", async () => {
    const [first, second] = tenants;
    const dry = await begin({ tenant_id: first?.id, dry_run: true });
    expect(dry).toMatchObject({ state: "finished", numbers: { valid: 1, pending: 0 } });
    expect(keysMade()).toEqual([0, 0, 0, 0, 0]);
    const young = await begin({ older_than_days: 1, per_minute: 600 });
    expect((await finished(young.id)).numbers).toMatchObject({ rotated: 0, failed: 0 });
    const { id } = await begin({ number_ids: [second?.numberId], per_minute: 600 });
    await finished(id);
    expect(keysMade()).toEqual([0, 1, 0, 0, 0]);
    const unknown = { number_ids: [second?.numberId, "num_00000000000000000000000000"] };
    const refused = await together.partner("POST", `${PATH}/rotate`, unknown);
    expect(refused.json.errors).toMatchObject([
      { code: "unknown_number", pointer: "/number_ids/1" },
    ]);
  });

  it("are changed at the pace that was asked for, until the job is stopped", async () => {
    const { id } = await begin({ per_minute: 60 });
    await eventually(async () => (await read(id)).numbers["rotated"] === 1);
    expect((await together.partner("POST", `${PATH}/jobs/${id}/stop`)).json.state).toBe("stopped");
    await sleep(2500);
    const { numbers } = await read(id);
    expect(numbers["rotated"]).toBeLessThanOrEqual(2);
    expect(numbers["pending"]).toBe(NUMBERS - (numbers["rotated"] ?? 0));
    expect((await together.partner("GET", `${PATH}/jobs`)).json.data).toMatchObject([{ id }]);
  });

  it("are changed to the last one though processes are killed", async () => {
    const { id } = await begin({ per_minute: 100 });
    await eventually(async () => ((await read(id)).numbers["rotated"] ?? 0) >= 1);
    await together.gateways[0]?.kill("SIGKILL");
    const other = together.gateways[1]?.url ?? "";
    const token = await fetchToken(other, BOOTSTRAP);
    const job = await eventually(
      async () => {
        const { json } = await call(other, "GET", `${PATH}/jobs/${id}`, { token });
        return json.state === "finished" ? (json as Job) : undefined;
      },
      { withinMs: 30_000 },
    );
    expect(job.numbers).toMatchObject({ rotated: NUMBERS, failed: 0 });
  });

  it("are changed by themselves when they are older than the schedule allows", async () => {
    await sql`update phone_number set key_made_at = now() - interval '31 days'
      where id = ${tenants[3]?.numberId}`.execute(together.database.db);
    const set = await together.partner("PUT", `${PATH}/schedule`, {
      every_days: 30,
      per_minute: 600,
    });
    expect(set.json).toEqual({ every_days: 30, per_minute: 600 });
    await eventually(() => keysMade()[3] === 1);
    await eventually(async () => (await tenants[3]?.history())?.[0]?.outcome === "rotated");
    expect(await tenants[3]?.history()).toMatchObject([{ reason: "schedule", actor: null }]);
    expect(keysMade()).toEqual([0, 0, 0, 1, 0]);
    await together.partner("PUT", `${PATH}/schedule`, { every_days: null });
    const { json } = await together.partner("GET", `${PATH}/schedule`);
    expect(json).toEqual({ every_days: null, per_minute: 10 });
  });
});
