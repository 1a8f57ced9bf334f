import { createServer, request as forward } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/simulator.ts";
import { call, fetchToken } from "../support/call.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { BOOTSTRAP, environmentOf, testEnvironment, textMessage } from "../support/gateway.ts";
import { customerOf } from "../support/onboard.ts";
import { type SpawnedGateway, spawnGateway } from "../support/spawned-gateway.ts";

/** When the process dies: before its request is heard, before it is answered, or just after. */
const MOMENTS = ["before_request", "before_answer", "after_answer"] as const;
type Moment = (typeof MOMENTS)[number];

/** The requests of one onboarding, in their order; after each of them something is committed. */
const REQUESTS: readonly (readonly [string, RegExp])[] = [
  ["the channel is looked at", /^GET \/api\/v2\/partners\/\w+\/channels\/\w+$/],
  ["the number is asked for", /^GET .*\/whatsapp_commerce_settings$/],
  ["the key is made", /^POST .*\/api_keys$/],
  ["the key is checked", /^GET \/health_status$/],
  ["the hook is registered", /^POST \/v1\/configs\/webhook$/],
];

const POINTS = REQUESTS.flatMap(([name, form]) =>
  MOMENTS.map((moment) => ({ name: `${moment.replace("_", " ")}: ${name}`, form, moment })),
);

/** 360dialog, through somebody who kills the gateway at one point of one request. */
async function startDeadlyProxy(target: string) {
  let plan: { form: RegExp; moment: Moment; kill: () => void } | undefined;
  const server = createServer((req, res) => {
    const path = (req.url ?? "").replace(/\?.*/, "");
    const hit = plan?.form.test(`${req.method} ${path}`) === true ? plan : undefined;
    if (hit !== undefined) {
      plan = undefined;
    }
    if (hit?.moment === "before_request") {
      hit.kill();
      return;
    }
    const { host: _, ...headers } = req.headers;
    const onward = forward(`${target}${req.url}`, { method: req.method, headers }, (answer) => {
      if (hit?.moment === "before_answer") {
        hit.kill();
        return;
      }
      res.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(res);
      res.on("finish", () => hit?.kill());
    });
    onward.on("error", () => res.destroy());
    req.pipe(onward);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    killAt: (next: NonNullable<typeof plan>) => void (plan = next),
    wasHit: () => plan === undefined,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

describe("an onboarding whose process is killed", () => {
  let database: TestDatabase;
  let simulator: Simulator;
  let proxy: Awaited<ReturnType<typeof startDeadlyProxy>>;
  let env: Record<string, string>;
  let gateway: SpawnedGateway;
  let tenant: { id: string; client: { id: string; secret: string } };

  beforeAll(async () => {
    database = await createTestDatabase();
    simulator = await startSimulator({ statusDelayMs: 10 });
    proxy = await startDeadlyProxy(simulator.url);
    env = {
      ...testEnvironment(),
      DATABASE_URL: database.url,
      ...environmentOf(simulator),
      D360_BASE_URL: proxy.url,
      D360_HUB_URL: `${proxy.url}/api/v2`,
    };
    gateway = await spawnGateway(env);
    const made = await partner("POST", "/partner/v1/tenants", { name: "Acme" });
    const { client_id, client_secret } = await partner(
      "POST",
      `/partner/v1/tenants/${made.id}/clients`,
      {},
    );
    tenant = { id: made.id, client: { id: client_id, secret: client_secret } };
  });
  afterAll(async () => {
    await gateway.kill("SIGKILL");
    await proxy.stop();
    await simulator.close();
    await database.drop();
  });

  async function partner(method: string, path: string, body?: object) {
    const token = await fetchToken(gateway.url, BOOTSTRAP);
    return (await call(gateway.url, method, path, { token, ...(body && { body }) })).json;
  }

  /** A channel that does not run yet, linked to the tenant. */
  async function linkedChannel(): Promise<string> {
    const made = simulator.createClient();
    const channel = simulator.createChannel(made.id, { status: "ready", address: proxy.url });
    await database.db
      .insertInto("hub_client_binding")
      .values({ hub_client_id: made.id, tenant_id: tenant.id, bound_by: "test" })
      .execute();
    const path = `/partner/v1/tenants/${tenant.id}/onboarding-links?client_id=${made.id}`;
    const customer = customerOf(gateway.url);
    const page = new URL((await customer.open((await partner("POST", path)).url)).href);
    page.host = new URL(simulator.url).host;
    const back = await customer.comeBack(await customer.consent(page, [channel.id]));
    expect(back.code).toBe("accepted");
    await eventually(async () => {
      const { stage, next_try_at } = await partner("GET", `/partner/v1/onboardings/${channel.id}`);
      return stage === "ready" && Date.parse(next_try_at) > Date.now();
    });
    return channel.id;
  }

  it.each(POINTS)("is gone on with by another, $name", async ({ form, moment }) => {
    const id = await linkedChannel();
    simulator.changeChannel(id, { running: true });
    const dead = new Promise<void>((resolve) => {
      proxy.killAt({
        form,
        moment,
        kill: () => void gateway.kill("SIGKILL").then(() => resolve()),
      });
    });
    await partner("POST", `/partner/v1/onboardings/${id}/retry`).catch(() => undefined);
    await dead;
    expect(proxy.wasHit()).toBe(true);

    gateway = await spawnGateway(env);
    await eventually(
      async () => (await partner("GET", `/partner/v1/onboardings/${id}`)).stage === "running",
      { withinMs: 20_000 },
    );
    const { phoneNumberId, webhook } = simulator.getChannel(id).phoneNumber;
    const numbers = await database.db
      .selectFrom("phone_number")
      .select(["state", "tenant_id", "onboarding_stage"])
      .where("phone_number_id", "=", phoneNumberId)
      .execute();
    expect(numbers).toEqual([
      { state: "running", tenant_id: tenant.id, onboarding_stage: "running" },
    ]);
    // The newest key is the one that is stored: a send passes.
    const token = await fetchToken(gateway.url, tenant.client);
    const sent = await call(gateway.url, "POST", `/${phoneNumberId}/messages`, {
      token,
      body: textMessage("4915112345678", "hello"),
    });
    expect(sent.status).toBe(200);
    expect(webhook?.url).toContain("/hooks/360dialog/");
    // A key is made twice only where the first was lost on its way.
    const lost = form.source.includes("api_keys") && moment !== "before_request";
    const { keys } = simulator.getChannel(id);
    expect(keys.length).toBeLessThanOrEqual(lost ? 2 : 1);
    const row = await database.db
      .selectFrom("onboarding_channel")
      .select(["api_key_sealed", "failure"])
      .where("channel_id", "=", id)
      .executeTakeFirst();
    expect(row).toEqual({ api_key_sealed: null, failure: null });
    const told = await database.db
      .selectFrom("event")
      .select("tenant_id")
      .where("type", "=", "onboarding.running")
      .where("phone_number_id", "=", phoneNumberId)
      .execute();
    // Once to the tenant, once to the partner.
    expect(told.map((event) => event.tenant_id).toSorted()).toEqual(["", tenant.id]);
  });
});
