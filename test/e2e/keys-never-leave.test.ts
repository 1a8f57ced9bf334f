import { createHash, randomBytes } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { startSimulator } from "../../src/simulator/simulator.ts";
import { call, fetchToken } from "../support/call.ts";
import { createTestDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import {
  BOOTSTRAP,
  buildTenant,
  environmentOf,
  testEnvironment,
  textMessage,
} from "../support/gateway.ts";
import { dumpDatabase } from "../support/dump.ts";
import { startReceiver } from "../support/receiver.ts";
import { spawnGateway } from "../support/spawned-gateway.ts";

/** The secrets of one whole main job, searched for wherever the gateway writes or answers. */
describe("a secret", () => {
  let places: Map<string, string>;
  let secrets: Map<string, string>;

  beforeAll(async () => {
    const database = await createTestDatabase();
    const simulator = await startSimulator({ statusDelayMs: 10 });
    const receiver = await startReceiver();
    const masterKeys = `test:${randomBytes(32).toString("base64")}`;
    const metricsPort = await freePort();
    const env = {
      ...testEnvironment(),
      MASTER_KEYS: masterKeys,
      METRICS_PORT: String(metricsPort),
      LOG_LEVEL: "trace",
      DATABASE_URL: database.url,
      ...environmentOf(simulator),
    };
    const gateway = await spawnGateway(env);
    const answers: string[] = [];
    const token = await fetchToken(gateway.url, BOOTSTRAP);
    const keep = async (answer: ReturnType<typeof call>) => {
      answers.push((await answer).body.toString());
      return answer;
    };
    const partner = (method: string, path: string, body?: object) =>
      call(gateway.url, method, path, { token, ...(body !== undefined && { body }) });
    const tenant = await buildTenant({ url: gateway.url, partner, simulator });

    const headerValue = "Basic c2VjcmV0LWhlYWRlci12YWx1ZQ";
    const verifyToken = randomBytes(12).toString("hex");
    receiver.answer = ({ url }, res) =>
      res.end(new URL(url, receiver.url).searchParams.get("hub.challenge") ?? "");
    const endpoint = await tenant.call("POST", "/tenant/v1/webhook-endpoints", {
      body: {
        url: `${receiver.url}/hook`,
        headers: { Authorization: headerValue },
        verify_token: verifyToken,
      },
    });
    const endpointPath = `/tenant/v1/webhook-endpoints/${endpoint.json.id}`;
    const rotated = await tenant.call("POST", `${endpointPath}/secret/rotate`);
    await keep(tenant.call("POST", `${endpointPath}/test`));
    await keep(tenant.call("PATCH", endpointPath, { body: { url: `${receiver.url}/hook/2` } }));
    await keep(
      tenant.call("POST", "/messages", { body: textMessage("15550001111", "private words") }),
    );
    // Two proofs, a ping, and three statuses.
    await eventually(() => receiver.received.length >= 6);
    const hook = simulator.getNumber(tenant.phoneNumberId).webhook;
    const other = simulator.createNumber();
    await keep(
      partner("POST", `/partner/v1/tenants/${tenant.id}/numbers`, {
        phone_number_id: other.phoneNumberId,
        api_key: tenant.apiKey,
      }),
    );
    for (const path of ["numbers", "tenants", `numbers/${tenant.numberId}`]) {
      await keep(partner("GET", `/partner/v1/${path}`));
    }
    for (const path of ["webhook-endpoints", "numbers", "events", "deliveries"]) {
      await keep(tenant.call("GET", `/tenant/v1/${path}`));
    }
    await keep(
      partner("POST", `/partner/v1/numbers/${tenant.numberId}/api-key`, { api_key: tenant.apiKey }),
    );
    await keep(
      partner("PATCH", `/partner/v1/numbers/${other.phoneNumberId}`, { api_key: tenant.apiKey }),
    );
    await keep(partner("POST", "/partner/v1/tenants", { name: 1, api_key: tenant.apiKey }));
    const { channelId } = simulator.getNumber(tenant.phoneNumberId);
    const numberPath = `/partner/v1/numbers/${tenant.numberId}`;
    await keep(partner("PATCH", numberPath, { channel_id: channelId }));
    expect((await keep(partner("POST", `${numberPath}/api-key/rotate`))).status).toBe(200);
    const rotatedKey = simulator.getNumber(tenant.phoneNumberId).apiKey;
    await keep(partner("POST", "/partner/v1/api-keys/rotate", { dry_run: true }));
    await keep(partner("GET", `${numberPath}/api-key/history`));
    await keep(partner("PATCH", numberPath, { channel_id: null }));
    simulator.rotateKey(tenant.phoneNumberId);
    await keep(tenant.call("POST", "/messages", { body: textMessage("15550001111", "x") }));
    const audit = await eventually(async () => {
      const { body } = await partner("GET", "/partner/v1/audit?limit=200");
      return body.includes("setNumberApiKey") ? body.toString() : undefined;
    });
    const metrics = await call(`http://127.0.0.1:${metricsPort}`, "GET", "/metrics");

    secrets = new Map([
      ["API key", tenant.apiKey],
      ["API key that we had made", rotatedKey],
      ["partner's API key", simulator.partner.apiKey],
      ["tenant's token", tenant.token],
      ["partner's token", token],
      ["client secret", tenant.client.secret],
      ["bootstrap secret", BOOTSTRAP.secret],
      ["hook token", hook?.url.split("/").at(-1) ?? ""],
      ["hook secret", Object.values(hook?.headers ?? {})[0] ?? ""],
      ["signing secret", endpoint.json.secret],
      ["changed signing secret", rotated.json.secret],
      ["verify token", verifyToken],
      ["endpoint's header value", headerValue],
      ["master key", masterKeys.slice("test:".length)],
    ]);
    places = new Map([
      ["an answer", answers.join("\n")],
      ["the audit", audit],
      ["the metrics", metrics.body.toString()],
      ["the log", gateway.log.join("\n")],
      ["the database", await dump(database)],
      [
        "a delivery",
        receiver.received
          .map(
            ({ body, headers }) =>
              `${body.toString()}${JSON.stringify({ ...headers, authorization: "" })}`,
          )
          .join("\n"),
      ],
      [
        "a call upstream but for its key header",
        JSON.stringify(
          simulator.requests
            .filter(({ url }) => url !== "/v1/configs/webhook")
            .map(({ headers, url, body }) => [
              url,
              { ...headers, "d360-api-key": "", "x-api-key": "" },
              body.toString(),
            ]),
        ),
      ],
    ]);
    await gateway.kill("SIGTERM");
    await simulator.close();
    await receiver.close();
    await database.drop();
  });

  it("is in none of: answers, audit, metrics, log, database, deliveries, calls upstream", () => {
    expect(secrets.size).toBe(14);
    for (const [place, text] of places) {
      expect(text.length, place).toBeGreaterThan(100);
      for (const [name, secret] of secrets) {
        expect(secret.length, name).toBeGreaterThan(10);
        expect(text.includes(secret), `${name} in ${place}`).toBe(false);
        const hex = Buffer.from(secret).toString("hex");
        expect(text.includes(hex), `${name} as hex in ${place}`).toBe(false);
      }
    }
  });

  it("and no message text, is in the log", () => {
    expect(places.get("the log")).toContain("request.completed");
    expect(places.get("the log")).not.toContain("private words");
    expect(places.get("the log")).not.toContain("15550001111");
  });
});

async function dump({ db }: Awaited<ReturnType<typeof createTestDatabase>>): Promise<string> {
  const text = await dumpDatabase(db);
  expect(text).toContain(createHash("sha256").update(BOOTSTRAP.secret).digest("hex"));
  return text;
}
