import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";
import { startSimulator, type Simulator } from "../../src/simulator/simulator.ts";
import { startGateway } from "../../src/start-gateway.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { environmentOf, exampleResolver, testEnvironment } from "../support/gateway.ts";
import { customerOf, returnTo } from "../support/onboard.ts";

const FORGED = "onb_00000000000000000000000000.ten_00000000000000000000000000.bm90IHNpZ25lZA";
const CALLS = 60;

describe("forged returns and links, of which anybody can send as many as they like,", () => {
  let database: TestDatabase;
  let simulator: Simulator;
  let gateway: Awaited<ReturnType<typeof startGateway>>;
  beforeAll(async () => {
    database = await createTestDatabase();
    simulator = await startSimulator();
    const env = { ...testEnvironment(), DATABASE_URL: database.url, ...environmentOf(simulator) };
    gateway = await startGateway(readConfig(env), { resolver: exampleResolver });
  });
  afterAll(async () => {
    await simulator.close();
    await database.drop();
  });

  const audited = async () => {
    const { rows } = await sql<{ operation: string; entries: number; told: number }>`
      select operation, count(*)::int as entries,
        sum(coalesce((after->>'count')::int, 1))::int as told
      from audit_entry where after->>'kind' = 'link_invalid'
      group by operation order by operation`.execute(database.db);
    return rows;
  };

  it("are refused each, and leave a few entries that tell how many they were", async () => {
    const { comeBack } = customerOf(gateway.url);
    for (const path of [
      returnTo({ state: FORGED, client: "CL", channels: ["CH"] }),
      `/onboarding/start/${FORGED}`,
    ]) {
      const pages = await Promise.all(Array.from({ length: CALLS }, () => comeBack(path)));
      expect(new Set(pages.map(({ code }) => code))).toEqual(new Set(["link_invalid"]));
    }
    expect(await audited()).toEqual([
      { operation: "completeOnboarding", entries: 20, told: 20 },
      { operation: "openOnboardingLink", entries: 20, told: 20 },
    ]);
    await gateway.stop();
    expect(await audited()).toEqual([
      { operation: "completeOnboarding", entries: 21, told: CALLS },
      { operation: "openOnboardingLink", entries: 21, told: CALLS },
    ]);
  });
});
