import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { ApiError } from "../errors.ts";
import type { Schemas } from "../http/contract-types.ts";
import type { OutboundAgent } from "../outbound/agent.ts";
import type { OutboundResult } from "../outbound/exchange.ts";
import type { Database } from "../store/database.ts";
import { newSigningSecret, type OpenedSecrets } from "./endpoint-secrets.ts";
import type { WebhookEndpointRow } from "./endpoints.ts";
import {
  gradeAll,
  gradeDuplicate,
  gradeLarge,
  gradeReached,
  gradeSpeed,
  gradeSuccess,
  gradeWrongSignature,
} from "./grade-fitness.ts";
import { type Ping, postPing, renderPing } from "./ping.ts";

const BURST = 20;
const BURST_EVERY_MS = 50;
// No more is sent after that, however slow the answers.
const BURST_MS = 4_000;
const ANSWER_MS = 3_000;
// The largest notification that Meta announces.
const LARGE_BYTES = 3 * 1024 * 1024;
// Longer than a test can take: a process that died with one keeps the next from beginning no longer.
const AT_MOST_SECONDS = 30;

/**
 * A contract test for a receiver: what 360dialog asks receivers to bear, with `webhook.ping` events.
 * It is over within 16 s, and there is one at a time for an endpoint over all processes.
 * @throws {ApiError} `rate_limited` while another one is under way
 */
export async function testFitness(options: {
  db: Database;
  outbound: OutboundAgent;
  endpoint: WebhookEndpointRow;
  opened: OpenedSecrets;
}): Promise<Schemas["WebhookFitness"]> {
  const { db, outbound, endpoint, opened } = options;
  await begin(db, endpoint);
  try {
    const checks = await runChecks({ outbound, endpoint, opened });
    return { grade: gradeAll(checks), checks };
  } finally {
    await db
      .updateTable("webhook_endpoint")
      .set({ fitness_until: null })
      .where("tenant_id", "=", endpoint.tenant_id)
      .where("id", "=", endpoint.id)
      .execute();
  }
}

async function begin(db: Database, { tenant_id, id }: WebhookEndpointRow): Promise<void> {
  const begun = await db
    .updateTable("webhook_endpoint")
    .set({ fitness_until: sql`now() + make_interval(secs => ${AT_MOST_SECONDS})` })
    .where("tenant_id", "=", tenant_id)
    .where("id", "=", id)
    .where((where) =>
      where.or([where("fitness_until", "is", null), where("fitness_until", "<", sql<Date>`now()`)]),
    )
    .executeTakeFirst();
  if (begun.numUpdatedRows === 0n) {
    throw new ApiError("rate_limited", "A fitness test of this endpoint is under way.", {
      headers: { "retry-after": String(AT_MOST_SECONDS) },
    });
  }
}

async function runChecks(to: {
  outbound: OutboundAgent;
  endpoint: WebhookEndpointRow;
  opened: OpenedSecrets;
}): Promise<Schemas["WebhookFitnessCheck"][]> {
  const { outbound, endpoint, opened } = to;
  const timeoutMs = Math.min(ANSWER_MS, endpoint.timeout_seconds * 1000);
  const post = (ping: Ping, as = opened): Promise<OutboundResult> =>
    postPing(outbound, { endpoint, opened: as, ping, timeoutMs });

  const first = await post(renderPing(endpoint));
  const reached = gradeReached(first);
  if (first.kind !== "answer") {
    // Whatever else was asked would be answered the same.
    return [reached];
  }
  const burst = await sendBurst(endpoint.max_in_flight, () => post(renderPing(endpoint)));
  const forged = { ...opened, signingSecrets: [newSigningSecret()] as const };
  const [twice, wronglySigned, large] = await Promise.all([
    sendTwice(post, renderPing(endpoint)),
    post(renderPing(endpoint), forged),
    post(renderPing(endpoint, { padding: "x".repeat(LARGE_BYTES) })),
  ]);
  return [
    reached,
    ...gradeSpeed(burst),
    gradeSuccess(burst),
    gradeDuplicate(twice),
    gradeWrongSignature(wronglySigned),
    gradeLarge(large),
  ];
}

async function sendTwice(
  post: (ping: Ping) => Promise<OutboundResult>,
  ping: Ping,
): Promise<OutboundResult[]> {
  return [await post(ping), await post(ping)];
}

/** A modest load at an even pace, never more at once than the endpoint is given. */
async function sendBurst(
  atOnceMax: number,
  send: () => Promise<OutboundResult>,
): Promise<OutboundResult[]> {
  const results: OutboundResult[] = [];
  const underWay = new Set<Promise<unknown>>();
  const startedMs = performance.now();
  for (let sent = 0; sent < BURST && performance.now() - startedMs < BURST_MS; sent++) {
    if (underWay.size >= atOnceMax) {
      await Promise.race(underWay);
    }
    const sending = send()
      .then((result) => results.push(result))
      .finally(() => underWay.delete(sending));
    underWay.add(sending);
    await sleep(BURST_EVERY_MS);
  }
  await Promise.all(underWay);
  return results;
}
