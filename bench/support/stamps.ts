import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { request } from "undici";

/** When each delivery's first attempt came, by `webhook-id`, since this was last asked. */
export async function takeStamps(receiverUrl: string): Promise<Map<string, number>> {
  const { body } = await request(`${receiverUrl}/stamps`);
  return new Map(Object.entries((await body.json()) as Record<string, number>));
}

export async function withClient<T>(
  databaseUrl: string,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const LOOK_EVERY_MS = 200;

/** Waits until nothing of these tenants is waiting or under way. */
export async function waitUntilDelivered(
  databaseUrl: string,
  tenantIds: readonly string[],
): Promise<void> {
  await withClient(databaseUrl, async (client) => {
    for (;;) {
      const { rows } = await client.query(
        "select 1 from delivery where tenant_id = any ($1::text[]) limit 1",
        [tenantIds],
      );
      if (rows.length === 0) {
        return;
      }
      await delay(LOOK_EVERY_MS);
    }
  });
}

/**
 * How long after its event was written each delivery came: from the beginning of the transaction that
 * commits it, so that the commit itself counts too.
 */
export async function firstAttemptLatencies(options: {
  databaseUrl: string;
  receiverUrl: string;
  tenantIds: readonly string[];
  /** Of events that were written from then on; of all if unsaid. */
  sinceMs?: number;
}): Promise<number[]> {
  const { databaseUrl, receiverUrl, tenantIds, sinceMs = 0 } = options;
  await waitUntilDelivered(databaseUrl, tenantIds);
  const stamps = await takeStamps(receiverUrl);
  return withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<{ id: string; at_ms: number }>(
      `select id, (extract(epoch from event_received_at) * 1000)::float8 as at_ms
       from delivery_finished where id = any ($1::text[]) and tenant_id = any ($2::text[])`,
      [[...stamps.keys()], tenantIds],
    );
    return rows
      .filter(({ at_ms }) => at_ms >= sinceMs)
      .map(({ id, at_ms }) => (stamps.get(id) ?? Number.NaN) - at_ms);
  });
}
