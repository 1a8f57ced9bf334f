import type { Answer } from "./call.ts";
import { buildTenant, type TestGateway, type TestTenant } from "./gateway.ts";

/** A tenant whose number 360dialog can be asked for new keys of. */
export type RotatingTenant = TestTenant & {
  channelId: string;
  keyPath: string;
  rotate(): Promise<Answer>;
  /** What the history tells, newest first. */
  history(): Promise<Rotation[]>;
  /** The state of the number. */
  state(): Promise<string>;
};

export type Rotation = {
  id: string;
  reason: string;
  actor: string | null;
  outcome: string | null;
  code: string | null;
  gap_ms: number | null;
  made_at: string | null;
  key_last4: string | null;
  attempt_count: number;
};

export async function buildRotatingTenant(
  gateway: Pick<TestGateway, "url" | "partner" | "simulator">,
): Promise<RotatingTenant> {
  const { partner, simulator } = gateway;
  const tenant = await buildTenant(gateway);
  const { channelId } = simulator.getNumber(tenant.phoneNumberId);
  const path = `/partner/v1/numbers/${tenant.numberId}`;
  await partner("PATCH", path, { channel_id: channelId });
  const keyPath = `${path}/api-key`;
  return {
    ...tenant,
    channelId,
    keyPath,
    rotate: () => partner("POST", `${keyPath}/rotate`),
    history: async () =>
      (await partner("GET", `${keyPath}/history?limit=200`)).json.data as Rotation[],
    state: async () => (await partner("GET", path)).json.state as string,
  };
}
