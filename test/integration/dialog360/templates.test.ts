import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createUpstream, type Upstream } from "../../../src/dialog360/exchange.ts";
import { createMetrics } from "../../../src/metrics.ts";
import { createListTemplates } from "../../../src/dialog360/templates.ts";
import { Secret } from "../../../src/secret.ts";
import { type Receiver, startReceiver } from "../../support/receiver.ts";

let dialog360: Receiver;
let upstream: Upstream;

beforeEach(async () => {
  dialog360 = await startReceiver();
  upstream = createUpstream({ metrics: createMetrics(), timeoutMs: 5000 });
});
afterEach(async () => {
  await upstream.close();
  await dialog360.close();
});

const list = () =>
  createListTemplates(upstream)({ origin: dialog360.url, apiKey: new Secret("the key") });

/** Answers with the rows that limit and offset ask for, `atMost` a page. */
function answerWith(rows: object[], options: { atMost?: number; total?: number } = {}): void {
  dialog360.answer = ({ url }, res) => {
    const query = new URL(url, dialog360.url).searchParams;
    const [limit, offset] = [Number(query.get("limit")), Number(query.get("offset"))];
    const page = rows.slice(offset, offset + Math.min(limit, options.atMost ?? limit));
    const total = options.total ?? rows.length;
    res.end(JSON.stringify({ count: page.length, limit, offset, total, waba_templates: page }));
  };
}

const row = (index: number) => ({
  name: `t${index}`,
  language: "en",
  category: "Marketing",
  status: "Approved",
  quality_score: { score: "green", reasons: null },
  components: [{ type: "BODY", text: "x" }],
  external_id: String(index),
});

describe("the list of a WABA's templates", () => {
  it("is read page after page, with the number's key", async () => {
    answerWith(Array.from({ length: 1203 }, (_, index) => row(index)));
    const call = await list();
    expect(call.kind === "ok" && call.value.map(({ name }) => name)).toEqual(
      Array.from({ length: 1203 }, (_, index) => `t${index}`),
    );
    expect(dialog360.received.map(({ url }) => url)).toEqual(
      [0, 500, 1000].map((offset) => `/v1/configs/templates?limit=500&offset=${offset}`),
    );
    expect(dialog360.received[0]?.headers["d360-api-key"]).toBe("the key");
  });

  it("is read whole where 360dialog gives fewer a page than were asked for", async () => {
    answerWith(
      Array.from({ length: 25 }, (_, index) => row(index)),
      { atMost: 10 },
    );
    const call = await list();
    expect(call.kind === "ok" && call.value.length).toBe(25);
  });

  it("has states in lower case, categories and scores in upper case", async () => {
    answerWith([row(1), { ...row(2), quality_score: null, external_id: null, components: null }]);
    expect(await list()).toEqual({
      kind: "ok",
      value: [
        {
          name: "t1",
          language: "en",
          category: "MARKETING",
          status: "approved",
          quality: "GREEN",
          components: [{ type: "BODY", text: "x" }],
          externalId: "1",
        },
        {
          name: "t2",
          language: "en",
          category: "MARKETING",
          status: "approved",
          quality: null,
          components: null,
          externalId: null,
        },
      ],
    });
  });

  it("may be empty, and may hold what is no template", async () => {
    answerWith([]);
    expect(await list()).toEqual({ kind: "ok", value: [] });
    answerWith([{}, { name: "x" }, { name: "a\0", language: "en" }]);
    expect(await list()).toEqual({ kind: "ok", value: [] });
  });

  it.each([
    ["an answer without a list", 200, "{}", "refused"],
    ["an answer that is no JSON", 200, "Bad gateway", "refused"],
    ["an error", 500, '{"meta":{"developer_message":"oops"}}', "refused"],
    ["a wrong key", 401, "", "key_rejected"],
  ])("is no empty one: %s", async (_what, status, body, kind) => {
    dialog360.answer = (_received, res) => res.writeHead(status).end(body);
    expect((await list()).kind).toBe(kind);
  });

  it("is refused when it ends before its own count", async () => {
    answerWith([row(1)], { total: 3 });
    expect((await list()).kind).toBe("refused");
  });
});
