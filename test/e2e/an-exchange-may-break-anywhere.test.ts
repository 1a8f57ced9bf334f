import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type BreakingUpstream,
  type Plan,
  type Seen,
  startBreakingUpstream,
} from "../support/breaking-upstream.ts";
import type { Answer } from "../support/call.ts";
import {
  addNumber,
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
  textMessage,
} from "../support/gateway.ts";

const HEAD = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
const BODY = '{"messages":[{"id":"wamid.A"}]}';
const FIXED = `${HEAD}content-length: ${BODY.length}\r\n\r\n${BODY}`;
const CHUNKED =
  `${HEAD}transfer-encoding: chunked\r\n\r\n` +
  `f\r\n${BODY.slice(0, 15)}\r\n10\r\n${BODY.slice(15)}\r\n0\r\n\r\n`;
const ANNOUNCED = `HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${FIXED}`;
const LAST = FIXED.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n");
const UNTIL_CLOSED = `${HEAD}\r\n${BODY}`;

let upstream: BreakingUpstream;
let gateway: TestGateway;
let tenant: TestTenant;
const phoneNumberIds: string[] = [];

beforeAll(async () => {
  upstream = await startBreakingUpstream();
  gateway = await startTestGateway({
    env: { D360_TIMEOUT: "1s", D360_BASE_URL: upstream.url },
  });
  upstream.passTo(gateway.simulator.url);
  tenant = await buildTenant(gateway);
  for (const { numberId, phoneNumberId } of [
    tenant,
    await addNumber(gateway, tenant.id),
    await addNumber(gateway, tenant.id),
    await addNumber(gateway, tenant.id),
  ]) {
    await gateway.partner("PATCH", `/partner/v1/numbers/${numberId}`, { throughput: 1000 });
    phoneNumberIds.push(phoneNumberId);
  }
  upstream.plan({ answer: LAST, end: "stays" });
  await send();
});
afterAll(async () => {
  await gateway.stop();
  await upstream.stop();
});

let sends = 0;
/** From each number in turn and each to another user, so that no limit has a say. */
function send(text = "hi"): Promise<Answer> {
  sends += 1;
  const phoneNumberId = phoneNumberIds[sends % phoneNumberIds.length];
  const body = textMessage(`${15_550_000_000 + sends}`, text);
  return tenant.call("POST", `/${phoneNumberId}/messages`, { body });
}

/** What is wrong with an answer, given what upstream saw; empty when nothing is. */
function wrongs(answer: Answer, seen: Seen): string[] {
  const { status, json } = answer;
  const isWhole = status === 200 && answer.body.toString() === BODY && seen.wholeAnswers === 1;
  const isUnsent = status === 502 && json.code === "upstream_unreachable" && seen.bytes === 0;
  const isUnknown =
    status === 504 &&
    json.code === "outcome_unknown" &&
    json.message_id === answer.headers["gateway-message-id"];
  return [
    ...(seen.wholeRequests > 1 ? ["it was sent twice"] : []),
    ...(isWhole || isUnsent || isUnknown
      ? []
      : [`it was answered ${status} ${answer.body.toString()}`]),
  ];
}

/** One exchange after another, each over a connection that has been used `before` times. */
async function breakEach(
  plans: Plan[],
  before: number,
  text?: string,
): Promise<Map<number, number>> {
  const statuses = new Map<number, number>();
  const faults: unknown[] = [];
  for (const plan of plans) {
    for (let kept = 0; kept < before; kept++) {
      upstream.plan({ answer: FIXED, end: "stays" });
      await send();
    }
    const seen = upstream.plan(plan);
    const answer = await send(text);
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    const wrong = wrongs(answer, seen);
    if (seen.before !== before && seen.bytes > 0) {
      wrong.push(`the connection had been used ${seen.before} times`);
    }
    if (wrong.length > 0) {
      faults.push({ wrong, plan, seen });
    }
  }
  expect(faults).toEqual([]);
  return statuses;
}

const count = (length: number) => Array.from({ length }, (_, index) => index);
const ends = ["fin", "rst"] as const;

describe.each([
  ["a new connection", 0],
  ["a connection that was kept alive", 1],
])("over %s", (_name, before) => {
  it("a send that breaks off after any byte of its request is never sent twice", async () => {
    const whole = upstream.plan({ answer: LAST, end: "stays" });
    await send();
    const plans = ends.flatMap((end) =>
      count(whole.bytes + 1).map((takes): Plan => ({ takes, answer: FIXED, end })),
    );
    const statuses = await breakEach(plans.slice(before), before);
    expect(statuses.get(200)).toBeUndefined();
    expect(whole.bytes).toBeGreaterThan(200);
  });

  it.each([
    ["of a fixed length", FIXED],
    ["in chunks", CHUNKED],
    ["announced by a 103", ANNOUNCED],
    ["that is the connection's last", LAST],
  ])(
    "a send that breaks off after any byte of an answer %s is answered with all of it or none",
    async (_n, text) => {
      const plans = ends.flatMap((end) =>
        count(text.length + 1).map((gives): Plan => ({ answer: text, gives, end })),
      );
      const statuses = await breakEach(plans, before);
      expect(statuses.get(200) ?? 0).toBeLessThanOrEqual(2);
      expect(statuses.get(502)).toBeUndefined();
    },
  );

  it("a send whose answer ends with the connection is not taken for whole when that is reset", async () => {
    const plans = count(UNTIL_CLOSED.length).map((gives): Plan => ({
      answer: UNTIL_CLOSED,
      gives,
      end: "rst",
    }));
    expect([...(await breakEach(plans, before)).keys()]).toEqual([504]);
    await breakEach([{ answer: UNTIL_CLOSED, end: "fin" }], before);
  });

  it("a large send that breaks off half written is never sent twice", async () => {
    const large = "x".repeat(900_000);
    const plans = ends.flatMap((end) =>
      [1, 100_000, 500_000].map((takes): Plan => ({ takes, answer: FIXED, end })),
    );
    expect([...(await breakEach(plans, before, large)).keys()]).toEqual([504]);
  });
});

describe("a send over a connection that is hung up on in that moment", () => {
  it.each(ends)("is not sent twice, whichever comes first (%s)", async (end) => {
    const faults: unknown[] = [];
    for (const ticks of count(80)) {
      upstream.plan({ answer: FIXED, end: "stays" });
      await send();
      const seen = upstream.plan({ answer: FIXED, end: "stays" });
      const sending = send();
      for (let tick = 0; tick < ticks; tick++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      upstream.hangUpOnIdle(end);
      const wrong = wrongs(await sending, seen);
      if (wrong.length > 0) {
        faults.push({ wrong, ticks, seen });
      }
    }
    expect(faults).toEqual([]);
  });
});

describe("an answer that breaks the protocol", () => {
  it.each<[string, number, string]>([
    ["is announced by a 100 that nobody asked for", 504, `HTTP/1.1 100 Continue\r\n\r\n${FIXED}`],
    ["switches protocols", 504, "HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"],
    ["is none", 504, "SSH-2.0-OpenSSH_9.6\r\n"],
    ["promises more than comes", 504, FIXED.replace("length: 31", "length: 32")],
    ["has two lengths", 504, FIXED.replace("\r\n\r\n", "\r\ncontent-length: 30\r\n\r\n")],
    ["is followed by rubbish", 200, `${FIXED}rubbish`],
    ["is followed by another", 200, FIXED + FIXED.replace("wamid.A", "wamid.B")],
  ])("and %s is %d, and no later send is answered by it", async (_name, status, text) => {
    const seen = upstream.plan({ answer: text, end: "stays" });
    const answer = await send();
    expect([answer.status, wrongs(answer, seen)]).toEqual([status, []]);
    const next = upstream.plan({ answer: FIXED, end: "stays" });
    const later = await send();
    expect([later.status, wrongs(later, next)]).toEqual([200, []]);
  });
});
