import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Simulator } from "../../src/simulator/simulator.ts";
import { CallFailed, type Caller, createCaller, fetchToken } from "./call.ts";
import { isReceiverAlive, type Receiver } from "./receiver.ts";

export type DemoTenant = {
  client: { id: string; secret: string };
  phoneNumberId: string;
  endpointId: string;
  /** Whether an earlier start has made it. */
  wasThere: boolean;
};

type Page<T> = { data: T[] };

const ENDPOINT_DESCRIPTION = "npm start";
const DISPLAY_PHONE_NUMBER = "15550100001";

/** Finds the tenant of an earlier start, or makes it: a client, a number and an endpoint. */
export async function prepareDemoTenant(options: {
  url: string;
  simulator: Simulator;
  partner: { id: string; secret: string };
  dataDir: string;
  receiver: Receiver;
}): Promise<DemoTenant> {
  const { url, simulator, dataDir, receiver } = options;
  const partner = createCaller(url, (await fetchToken(url, options.partner)).access_token);
  const { id, state } = await partner.send<{ id: string; state: string }>(
    "PUT",
    "/partner/v1/tenants/by-external-id/demo",
    { name: "Demo" },
  );
  if (state === "suspended") {
    await partner.send("POST", `/partner/v1/tenants/${id}/resume`);
  }
  const file = join(dataDir, "demo-client.json");
  const { client, wasThere } = await findOrMakeClient(partner, url, { id, file });
  const phoneNumberId = await findOrMakeNumber(partner, simulator, id);
  const tenant = createCaller(url, (await fetchToken(url, client)).access_token);
  const endpointId = await replaceEndpoint(tenant, receiver);
  return { client, phoneNumberId, endpointId, wasThere };
}

/**
 * The client is kept in a file, rather than made anew at each start: what a developer has put
 * into another tool goes on working, and a second copy does not end the client of the first.
 */
async function findOrMakeClient(
  partner: Caller,
  url: string,
  { id, file }: { id: string; file: string },
): Promise<Pick<DemoTenant, "client" | "wasThere">> {
  const kept = await readFile(file, "utf8").catch(() => undefined);
  if (kept !== undefined) {
    const client = JSON.parse(kept) as DemoTenant["client"];
    try {
      await fetchToken(url, client);
      return { client, wasThere: true };
    } catch (error) {
      // Revoked since, or of another database: a new one it is.
      if (!(error instanceof CallFailed)) {
        throw error;
      }
    }
  }
  const made = await partner.send<{ client_id: string; client_secret: string }>(
    "POST",
    `/partner/v1/tenants/${id}/clients`,
    { name: "demo" },
  );
  const client = { id: made.client_id, secret: made.client_secret };
  const beside = `${file}.${process.pid}.new`;
  await writeFile(beside, `${JSON.stringify(client, null, 2)}\n`, { mode: 0o600 });
  await rename(beside, file);
  return { client, wasThere: false };
}

async function findOrMakeNumber(
  partner: Caller,
  simulator: Simulator,
  tenantId: string,
): Promise<string> {
  const { data } = await partner.get<Page<{ id: string; phone_number_id: string; state: string }>>(
    `/partner/v1/numbers?tenant_id=${tenantId}&limit=100`,
  );
  const simulated = simulator.listNumbers();
  for (const { id, phone_number_id, state } of data) {
    const known = simulated.find((number) => number.phoneNumberId === phone_number_id);
    if (known !== undefined) {
      // The port may be another one than last time, and the key too: this call checks the key and
      // registers the hook anew.
      const path = `/partner/v1/numbers/${id}`;
      await partner.send("POST", `${path}/api-key`, { api_key: known.apiKey });
      if (state === "suspended") {
        await partner.send("POST", `${path}/resume`);
      }
      return phone_number_id;
    }
  }
  const made = simulator.createNumber({ displayPhoneNumber: DISPLAY_PHONE_NUMBER });
  await partner.send("POST", `/partner/v1/tenants/${tenantId}/numbers`, {
    phone_number_id: made.phoneNumberId,
    display_phone_number: made.displayPhoneNumber,
    channel_id: made.channelId,
    api_key: made.apiKey,
  });
  return made.phoneNumberId;
}

/** Earlier ones are deleted, but for one that a second copy listens at. */
async function replaceEndpoint(tenant: Caller, receiver: Receiver): Promise<string> {
  const path = "/tenant/v1/webhook-endpoints";
  type Endpoint = { id: string; url: string; description: string | null; secret: string };
  const { data } = await tenant.get<Page<Endpoint>>(`${path}?limit=100`);
  for (const { id, url, description } of data) {
    if (description === ENDPOINT_DESCRIPTION && !(await isReceiverAlive(url))) {
      await tenant.send("DELETE", `${path}/${id}`);
    }
  }
  const made = await tenant.send<Endpoint>("POST", path, {
    url: receiver.url,
    description: ENDPOINT_DESCRIPTION,
  });
  receiver.trust(made.secret);
  return made.id;
}
