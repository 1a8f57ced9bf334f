import type { Account } from "./driver.ts";
import { wire } from "./wire.ts";

/**
 * The habits of Chatwoot's provider "360dialog", from the days of the on-premise API: its base ends
 * with /v1, and it leaves messaging_product out. No row of the client table, since 360dialog itself
 * no longer takes its sends.
 */
export function chatwoot360Dialog({ url, token }: Pick<Account, "url" | "token">) {
  const base = `${url}/v1`;
  const http = wire({ "D360-API-KEY": token });
  return {
    setWebhook: (webhook: string) =>
      http.post<{ url: string }>(`${base}/configs/webhook`, { url: webhook }),
    text: (to: string, body: string) =>
      http.post<object>(`${base}/messages`, { to, type: "text", text: { body } }),
    lookUp: (id: string) => http.get<{ id: string }>(`${base}/media/${id}`),
    async listTemplates() {
      const answer = await http.get<{ waba_templates: { name: string }[] }>(
        `${base}/configs/templates`,
      );
      return answer.waba_templates.map(({ name }) => name);
    },
  };
}
