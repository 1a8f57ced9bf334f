import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Answer } from "../support/call.ts";
import { eventually } from "../support/eventually.ts";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
  textMessage,
} from "../support/gateway.ts";
import {
  countOf,
  expectRateLimited,
  newUser,
  NUMBER,
  PAIR,
  PAIR_BURST,
} from "../support/limits.ts";

function sendMany(of: TestTenant, count: number, body?: object): Promise<Answer[]> {
  return Promise.all(
    Array.from({ length: count }, () =>
      of.call("POST", "/messages", { body: body ?? textMessage(newUser(), "x") }),
    ),
  );
}

const metaError = (code: number) => ({
  error: { message: `(#${code}) limit`, type: "OAuthException", code, fbtrace_id: "A" },
});
const endpointLimit = "You have exceeded the endpoint rate limit.";

describe("one process", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;

  beforeAll(async () => {
    gateway = await startTestGateway({ simulator: { statuses: [] } });
    // What is done for the first time takes longer, and a second is soon over.
    const first = await buildTenant(gateway, { name: "First" });
    await sendMany(first, 20);
  });
  afterEach(() => {
    gateway.simulator.clearFaults();
    gateway.simulator.clearRequests();
  });
  afterAll(() => gateway.stop());

  const sentUpstream = (): number =>
    gateway.simulator.requests.filter(
      ({ method, url, phoneNumberId }) =>
        method === "POST" && url === "/messages" && phoneNumberId === tenant.phoneNumberId,
    ).length;

  /** Its limits are nobody else's. */
  async function freshTenant(): Promise<void> {
    tenant = await buildTenant(gateway);
    gateway.simulator.clearRequests();
  }

  it("lets 80 sends of a number go at once, and not one more", async () => {
    await freshTenant();
    const answers = await sendMany(tenant, 90);
    expect([countOf(answers, 200), sentUpstream()]).toEqual([80, 80]);
    for (const refused of answers.filter(({ status }) => status !== 200)) {
      expectRateLimited(refused, NUMBER);
    }
  });

  it("lets as many go as the number's setting says", async () => {
    await freshTenant();
    const path = `/partner/v1/numbers/${tenant.numberId}`;
    expect((await gateway.partner("PATCH", path, { throughput: 20 })).status).toBe(200);
    const answers = await sendMany(tenant, 30);
    expect([countOf(answers, 200), sentUpstream()]).toEqual([20, 20]);
    const refused = answers.find(({ status }) => status === 429);
    expectRateLimited(refused, { ...NUMBER, policy: "q=20;w=1" });
  });

  it("counts no read receipt and no typing indicator", async () => {
    await freshTenant();
    const read = { messaging_product: "whatsapp", status: "read", message_id: "wamid.A" };
    const typing = { ...read, typing_indicator: { type: "text" } };
    const told = [...(await sendMany(tenant, 60, read)), ...(await sendMany(tenant, 60, typing))];
    const sent = await sendMany(tenant, 80);
    const more = await sendMany(tenant, 10, read);
    expect([countOf(told, 200), countOf(sent, 200), countOf(more, 200)]).toEqual([120, 80, 10]);
  });

  it("counts a send whose recipient cannot be read for the number alone", async () => {
    await freshTenant();
    const body = { messaging_product: "whatsapp", to: { nobody: "knows" }, type: "text" };
    const answers = await sendMany(tenant, 90, body);
    // More than may go to any one user; 360dialog judges them.
    expect([countOf(answers, 429), sentUpstream()]).toEqual([10, 80]);
    expectRateLimited(
      answers.find(({ status }) => status === 429),
      NUMBER,
    );
  });

  it("counts a user as one however the number is written", async () => {
    await freshTenant();
    const written = ["15550009999", "+15550009999", "+1 (555) 000-9999", 15_550_009_999];
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) => {
        const to = written[index % written.length];
        return tenant.call("POST", "/messages", { body: { ...textMessage("", "x"), to } });
      }),
    );
    expect([countOf(answers, 429), sentUpstream()]).toEqual([60 - PAIR_BURST, PAIR_BURST]);
    expectRateLimited(
      answers.find(({ status }) => status === 429),
      PAIR,
    );
  });

  it.each([
    ["429", 429, {}],
    ["429 with 130429", 429, metaError(130429)],
    ["403 with 130429", 403, metaError(130429)],
    ["400 with 130429", 400, metaError(130429)],
    ["400 of its own", 400, { meta: { success: false, developer_message: endpointLimit } }],
    ["400 of its own, older", 400, { meta: { developerMessage: endpointLimit } }],
    ["400 of its own, flat", 400, { error: endpointLimit }],
  ])("is slowed down by upstream's %s", async (_name, status, body) => {
    await freshTenant();
    gateway.simulator.failNext({ kind: "answer", status, body });
    const [told] = await sendMany(tenant, 1);
    expect([told?.status, told?.json]).toEqual([status, body]);
    const answers = await sendMany(tenant, 80);
    // Half of what it was, less the one that was refused.
    expect([countOf(answers, 200), sentUpstream()]).toEqual([39, 40]);
    expectRateLimited(
      answers.find((answer) => answer.status === 429),
      NUMBER,
    );
  });

  it("waits for as long as upstream asks for", async () => {
    await freshTenant();
    const headers = { "retry-after": "2" };
    gateway.simulator.failNext({ kind: "answer", status: 429, headers, body: {} });
    await sendMany(tenant, 1);
    const refusedMs = performance.now();
    const [waiting] = await sendMany(tenant, 1);
    expectRateLimited(waiting, NUMBER);
    expect(Number(waiting?.headers["retry-after"])).toBe(2);
    expect(sentUpstream()).toBe(1);
    await expect
      .poll(async () => (await sendMany(tenant, 1))[0]?.status, { timeout: 5000, interval: 100 })
      .toBe(200);
    expect(performance.now() - refusedMs).toBeGreaterThan(1900);
    expect(sentUpstream()).toBe(2);
  });

  it.each([400, 403, 429])(
    "sends no more to the user of upstream's 131056 (%i)",
    async (status) => {
      await freshTenant();
      const body = textMessage(newUser(), "x");
      gateway.simulator.failNext({ kind: "answer", status, body: metaError(131056) });
      const [told, after] = [
        ...(await sendMany(tenant, 1, body)),
        ...(await sendMany(tenant, 1, body)),
      ];
      expect(told?.status).toBe(status);
      expectRateLimited(after, PAIR);
      expect(sentUpstream()).toBe(1);
      expect(countOf(await sendMany(tenant, 50), 200)).toBe(50);
    },
  );

  async function failBy(code: number, to: string): Promise<void> {
    const messageId = `wamid.${to}.${code}`;
    const { phoneNumberId } = tenant;
    gateway.simulator.reportStatus({ phoneNumberId, messageId, status: "failed", to, code });
    // Kept in the transaction in which the limits learn of it.
    await eventually(() =>
      gateway.database.db
        .selectFrom("message_status")
        .select("status")
        .where("wamid", "=", messageId)
        .executeTakeFirst(),
    );
  }

  describe("that hears of a limit by a failed status", () => {
    it("slows the number down", async () => {
      await freshTenant();
      await failBy(130429, newUser());
      const answers = await sendMany(tenant, 80);
      expect([countOf(answers, 200), countOf(answers, 429), sentUpstream()]).toEqual([40, 40, 40]);
    });

    it("sends no more to the user", async () => {
      await freshTenant();
      const to = newUser();
      await failBy(131056, to);
      const [refused] = await sendMany(tenant, 1, textMessage(to, "x"));
      expectRateLimited(refused, PAIR);
      expect(countOf(await sendMany(tenant, 1), 200)).toBe(1);
      expect(sentUpstream()).toBe(1);
    });
  });

  it("lets 25 uploads go at once, and not one more", async () => {
    await freshTenant();
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => {
        const form = new FormData();
        form.append("messaging_product", "whatsapp");
        form.append("file", new Blob(["file"], { type: "text/plain" }), "a.txt");
        const headers = { authorization: `Bearer ${tenant.token}` };
        return fetch(`${gateway.url}/media`, { method: "POST", body: form, headers });
      }),
    );
    expect(answers.filter(({ status }) => status === 200).length).toBe(25);
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.headers.get("ratelimit-policy")).toBe('"upload";q=25;w=1');
    expect(refused?.headers.get("retry-after")).toMatch(/^[12]$/);
    expect(await refused?.json()).toMatchObject({ code: "rate_limited", error: { code: 130429 } });
    expect(gateway.simulator.requests.length).toBe(25);
    // Uploads and sends do not count together.
    expect(countOf(await sendMany(tenant, 1), 200)).toBe(1);
  });

  it.each(["one after the other", "all at once"])(
    "stops failing look-ups of media before 360dialog stops the number: %s",
    async (how) => {
      await freshTenant();
      const { phoneNumberId } = tenant;
      const file = { bytes: Buffer.from("file"), mimeType: "text/plain" };
      const known = gateway.simulator.addMedia(phoneNumberId, file);
      expect((await tenant.call("GET", `/${known}`)).status).toBe(200);
      gateway.simulator.clearRequests();
      const lookUp = (index: number) => tenant.call("GET", `/${9_000_000_000_000_000 + index}`);
      const answers: Answer[] = [];
      if (how === "all at once") {
        answers.push(...(await Promise.all(Array.from({ length: 40 }, (_, i) => lookUp(i)))));
      } else {
        for (let index = 0; index < 40; index++) {
          answers.push(await lookUp(index));
        }
      }
      expect(gateway.simulator.requests.length).toBe(countOf(answers, 400));
      expect(gateway.simulator.requests.length).toBeLessThan(20);
      expect(countOf(answers, 400) + countOf(answers, 429)).toBe(40);
      const refused = answers.find(({ status }) => status === 429);
      expect(refused?.json).toMatchObject({ code: "rate_limited" });
      expect(Number(refused?.headers["retry-after"])).toBeGreaterThan(0);
      // What is there is still found.
      expect((await tenant.call("GET", `/${known}`)).status).toBe(200);
    },
  );
});
