import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CLIENTS } from "../clients/all-clients.ts";
import {
  type Client,
  ClientFailure,
  type Driver,
  type Operation,
  OPERATIONS,
} from "../clients/driver.ts";
import { startTap, type Tap } from "../clients/tap.ts";
import { freePort } from "../support/free-port.ts";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";

const USER = "15550001111";
const LINK = "https://files.example.com/a.png";
const FILE = randomBytes(5_000);
const TEMPLATES = ["greeting_0", "greeting_1", "greeting_2", "greeting_3", "greeting_4"];
const THROUGHPUT = 20;

/** What is at hand when a call is made. */
type Scene = { driver: Driver; mediaId: string; wamid: string };

/** One operation: the call, what it must give, and what 360dialog must get. */
type Row = {
  call: (scene: Scene) => Promise<unknown>;
  gives: unknown;
  /** One entry for each call upstream; `ID` is the media id. */
  upstream: readonly string[];
  /** What the body says. */
  body?: object;
};

const WAMID = expect.stringMatching(/^wamid\./) as string;
const send = (call: Row["call"], body: object): Row => ({
  call,
  gives: WAMID,
  upstream: ["POST /messages"],
  body: { messaging_product: "whatsapp", ...body },
});
const LOOK_UP = "GET /ID";
const ATTACHMENT = "GET /whatsapp_business/attachments/";

const ROWS: Record<Operation, Row> = {
  text: send(({ driver }) => driver.text(USER, "Grüße 👋"), { text: { body: "Grüße 👋" } }),
  imageById: send(({ driver, mediaId }) => driver.imageById(USER, mediaId), { type: "image" }),
  imageByLink: send(({ driver }) => driver.imageByLink(USER, LINK), { image: { link: LINK } }),
  buttons: send(({ driver }) => driver.buttons(USER), { interactive: { type: "button" } }),
  list: send(({ driver }) => driver.list(USER), { interactive: { type: "list" } }),
  template: send(({ driver }) => driver.template(USER, "greeting_0"), {
    template: { name: "greeting_0", language: { code: "en_US" } },
  }),
  reaction: send(({ driver, wamid }) => driver.reaction(USER, wamid, "👍"), {
    type: "reaction",
    reaction: { emoji: "👍" },
  }),
  readAndTyping: {
    call: ({ driver, wamid }) => driver.readAndTyping(wamid),
    gives: true,
    upstream: ["POST /messages"],
    body: { status: "read", typing_indicator: { type: "text" } },
  },
  upload: {
    call: ({ driver }) => driver.upload(FILE),
    gives: expect.stringMatching(/^\d+$/),
    upstream: ["POST /media"],
  },
  lookUp: {
    call: ({ driver, mediaId }) => driver.lookUp(mediaId),
    gives: expect.stringContaining("/whatsapp_business/attachments/?mid="),
    upstream: [LOOK_UP],
  },
  download: {
    call: ({ driver, mediaId }) => driver.download(mediaId),
    gives: FILE,
    upstream: [LOOK_UP, ATTACHMENT],
  },
  downloadWithoutCredential: {
    call: ({ driver, mediaId }) => driver.downloadWithoutCredential(mediaId),
    gives: FILE,
    upstream: [LOOK_UP, ATTACHMENT],
  },
  delete: {
    call: ({ driver, mediaId }) => driver.delete(mediaId),
    gives: true,
    upstream: ["DELETE /ID"],
  },
  listTemplates: {
    call: ({ driver }) => driver.listTemplates(),
    gives: TEMPLATES,
    upstream: Array.from({ length: 3 }, () => "GET /message_templates"),
  },
};

describe("a client, told another base URL and a token:", () => {
  let gateway: TestGateway;
  let tap: Tap;
  let tlsTap: Tap;

  beforeAll(async () => {
    const port = await freePort();
    tap = await startTap(`http://127.0.0.1:${port}`);
    tlsTap = await startTap(`http://127.0.0.1:${port}`, { tls: true });
    // The public address is the tap's, so that the media URLs and pages of answers lead through it.
    gateway = await startTestGateway({
      env: { PORT: String(port), PUBLIC_URL: tap.url },
      simulator: { statuses: [] },
    });
  });
  afterAll(async () => {
    await gateway.stop();
    tap.close();
    tlsTap.close();
  });

  describe.each(CLIENTS)("$name", (client: Client) => {
    let tenant: TestTenant;
    let driver: Driver;
    const through = () => (client.needsTls ? tlsTap : tap);
    // The tests call only what is offered.
    const openWith = async (token: string, phoneNumberId: string) => {
      const account = { url: through().url, token, phoneNumberId, wabaId: tenant.wabaId };
      return (await client.open(account)) as Driver;
    };

    /** What the client writes and what 360dialog gets from now on; its notifications are neither. */
    const watch = () => {
      const from = { upstream: gateway.simulator.requests.length, tapped: through().seen.length };
      return () => ({
        upstream: gateway.simulator.requests.slice(from.upstream),
        tapped: through()
          .seen.slice(from.tapped)
          .filter(({ url }) => !url.startsWith("/hooks/")),
      });
    };

    beforeAll(async () => {
      tenant = await buildTenant(gateway);
      for (const name of TEMPLATES) {
        gateway.simulator.addTemplate(tenant.phoneNumberId, { name });
      }
      driver = await openWith(tenant.token, tenant.phoneNumberId);
    });
    afterAll(() => client.close?.());

    const offered = OPERATIONS.filter((operation) => client.notOffered[operation] === undefined);
    const missing = OPERATIONS.filter((operation) => !offered.includes(operation));

    const named = offered.map((operation) => {
      const lack = client.partly?.[operation];
      return [lack === undefined ? operation : `${operation}, ${lack}`, operation] as const;
    });
    it.each(named)(`${client.name}: %s`, async (_name, operation) => {
      const { simulator } = gateway;
      const row = ROWS[operation];
      const file = { bytes: FILE, mimeType: "image/png" };
      const mediaId = simulator.addMedia(tenant.phoneNumberId, file);
      const { messageId: wamid } = simulator.receiveMessage({
        phoneNumberId: tenant.phoneNumberId,
        from: USER,
        text: "Hi",
      });
      const since = watch();
      const given = await row.call({ driver, mediaId, wamid });
      const { upstream, tapped } = since();

      expect(given).toEqual(row.gives);
      const paths = upstream.map(({ method, url }) => `${method} ${url.replace(/\?.*/, "")}`);
      expect(paths).toEqual(row.upstream.map((line) => line.replace("ID", mediaId)));
      expect(upstream.map(({ method, body }) => ({ method, body }))).toEqual(
        tapped.map(({ method, body }) => ({ method, body })),
      );
      for (const { headers, rawHeaders, url } of upstream) {
        expect(headers["d360-api-key"]).toBe(tenant.apiKey);
        expect(JSON.stringify([url, rawHeaders])).not.toContain(tenant.token);
      }
      if (row.body && client.partly?.[operation] === undefined) {
        expect(JSON.parse(String(upstream[0]?.body))).toMatchObject(row.body);
      }
      if (operation === "upload") {
        const stored = await tenant.call("GET", `/${given as string}`);
        expect(stored.json).toMatchObject({ mime_type: "image/png", file_size: FILE.length });
      }
      if (operation === "downloadWithoutCredential") {
        expect(JSON.stringify([tapped[1]?.url, tapped[1]?.headers])).not.toContain(tenant.token);
      }
    });

    it.each(missing.map((operation) => [operation, client.notOffered[operation] ?? ""] as const))(
      `${client.name}: %s is not offered: %s`,
      (operation) => expect(driver).not.toHaveProperty(operation),
    );

    it(`${client.name}: 400`, async () => {
      const since = watch();
      const failure = await failureOf(driver.text(USER, "x".repeat(4_097)));
      expect(failure).toMatchObject({ code: 100 });
      expect(failure.status ?? 400).toBe(400);
      expect(since()).toMatchObject({ upstream: { length: 1 }, tapped: { length: 1 } });
    });

    it(`${client.name}: 401`, async () => {
      const stranger = await openWith(spoilt(tenant.token), tenant.phoneNumberId);
      const since = watch();
      const failure = await failureOf(stranger.text(USER, "Hi"));
      expect(failure).toMatchObject({ code: 190 });
      expect(failure.status ?? 401).toBe(401);
      expect(since()).toMatchObject({ upstream: { length: 0 }, tapped: { length: 1 } });
    });

    it(`${client.name}: 429`, async () => {
      const slow = await buildTenant(gateway, { name: "Slow" });
      const throughput = { throughput: THROUGHPUT };
      await gateway.partner("PATCH", `/partner/v1/numbers/${slow.numberId}`, throughput);
      const hasty = await openWith(slow.token, slow.phoneNumberId);
      const since = watch();
      const sends = Array.from({ length: 4 * THROUGHPUT }, (_, index) =>
        hasty.text(`1555000${2_000 + index}`, "Hi").then(
          () => undefined,
          (error: unknown) => error,
        ),
      );
      const failures = (await Promise.all(sends)).filter((failure) => failure !== undefined);
      expect(failures.length).toBeGreaterThan(0);
      for (const failure of failures as ClientFailure[]) {
        expect(failure).toBeInstanceOf(ClientFailure);
        expect(failure.code).toBe(130_429);
        expect(failure.status ?? 429).toBe(429);
        if (client.readsRetryAfter) {
          expect(failure.retryAfterMs).toBeGreaterThan(0);
        }
      }
      expect(since()).toMatchObject({
        upstream: { length: sends.length - failures.length },
        tapped: { length: sends.length },
      });
    });
  });
});

async function failureOf(call: Promise<unknown>): Promise<ClientFailure> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ClientFailure);
  return error as ClientFailure;
}

/** A letter of its signature is another. */
function spoilt(token: string): string {
  const at = token.length - 10;
  return token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
}
