import { expect } from "vitest";
import type { Answer } from "./call.ts";
import { eventually } from "./eventually.ts";
import { buildTenant, type TestGateway, type TestTenant, textMessage } from "./gateway.ts";

export const DAY_MS = 86_400_000;
export const IN_CUBA = "5352345678";
const GUARDS = ["customer_service_window", "opt_in", "destination", "template"] as const;

let made = 0;

/** In Germany, and nobody whom this file has written to. */
export const newUser = (): string => `49151${String(23_450_000 + ++made)}`;

export const text = (to: string): object => textMessage(to, "x");

export function template(to: string, name: string, language = "en"): object {
  const of = { name, language: { code: language } };
  return { messaging_product: "whatsapp", to, type: "template", template: of };
}

export async function setGuards(
  tenant: TestTenant,
  mode: string | null,
  names: readonly string[] = GUARDS,
): Promise<void> {
  const guards = Object.fromEntries(names.map((name) => [name, mode]));
  const { status } = await tenant.call("PATCH", `/tenant/v1/numbers/${tenant.phoneNumberId}`, {
    body: { guards },
  });
  expect(status).toBe(200);
}

export type JudgedTenant = Awaited<ReturnType<typeof buildJudgedTenant>>;

/** A tenant whose number has been watched for days, and all that guards go by. */
export async function buildJudgedTenant(gateway: TestGateway) {
  const { simulator } = gateway;
  const { db } = gateway.database;
  const tenant = await buildTenant(gateway);
  const { phoneNumberId } = tenant;
  await db
    .updateTable("phone_number")
    .set({ watched_since: new Date(Date.now() - 3 * DAY_MS) })
    .where("phone_number_id", "=", phoneNumberId)
    .execute();

  const sentUpstream = (): number =>
    simulator.requests.filter(({ url }) => url.endsWith("messages")).length;
  const send = (body: object, path = "/messages"): Promise<Answer> =>
    tenant.call("POST", path, { body });

  async function windowOf(user: string): Promise<string> {
    const path = `/tenant/v1/numbers/${phoneNumberId}/windows/${user}`;
    return (await tenant.call("GET", path)).json.state as string;
  }
  const windowOpens = (user: string) => eventually(async () => (await windowOf(user)) === "open");

  return {
    ...tenant,
    send,
    sentUpstream,
    windowOpens,

    async expectSent(body: object, path?: string): Promise<void> {
      const before = sentUpstream();
      const { status, headers } = await send(body, path);
      expect([status, headers["gateway-warning"]]).toEqual([200, undefined]);
      expect(sentUpstream()).toBe(before + 1);
    },

    /** By us: in our words and in Meta's, and nothing is called upstream. */
    async expectRefused(
      body: object,
      refusal: { code: string; meta: number; path?: string },
    ): Promise<Answer> {
      const before = sentUpstream();
      const answer = await send(body, refusal.path);
      expect([answer.status, answer.json.code]).toEqual([422, refusal.code]);
      expect(answer.json.error).toMatchObject({ type: "OAuthException", code: refusal.meta });
      expect(answer.json.request_id).toBe(answer.headers["x-request-id"]);
      expect(sentUpstream()).toBe(before);
      return answer;
    },

    async optIn(user: string, obtainedAt = new Date()): Promise<void> {
      const { status } = await tenant.call("PUT", `/tenant/v1/opt-ins/${phoneNumberId}/${user}`, {
        body: { source: "checkout", obtained_at: obtainedAt.toISOString(), proof: "order 4711" },
      });
      expect([200, 201]).toContain(status);
    },

    /** The user wrote, and it is known. */
    async receiveFrom(from: string): Promise<void> {
      simulator.receiveMessage({ phoneNumberId, from, text: "Hello" });
      await windowOpens(from);
    },

    async stopMarketing(from: string): Promise<void> {
      simulator.changePreference({ phoneNumberId, from, value: "stop" });
      await eventually(() =>
        db
          .selectFrom("marketing_preference")
          .select("stopped_at")
          .where("user_id", "=", from)
          .executeTakeFirst(),
      );
    },

    async syncTemplates(): Promise<void> {
      await db
        .updateTable("template_sync")
        .set({ asked_at: new Date(0) })
        .execute();
      const since = Date.now();
      const asked = await tenant.call("POST", "/tenant/v1/templates/sync");
      expect(asked.status).toBe(202);
      await eventually(async () => {
        const { json } = await tenant.call("GET", "/tenant/v1/templates");
        return Date.parse(json.syncs[0]?.synced_at as string) >= since;
      });
    },
  };
}
