import { sql } from "kysely";
import type { Secret } from "../secret.ts";
import type { DatabaseTransaction } from "../store/database.ts";
import { type EndpointSecrets, newSigningSecret } from "./endpoint-secrets.ts";
import { forgetFailures } from "./endpoint-state.ts";
import type { WebhookEndpointRow } from "./endpoints.ts";

/**
 * A new signing secret. The one before it signs too for 24 h more, so that no delivery is refused while
 * a receiver changes over; one before that ends at once. The row must be locked.
 */
export async function rotateSecret(
  trx: DatabaseTransaction,
  row: WebhookEndpointRow,
  endpointSecrets: EndpointSecrets,
): Promise<{ endpoint: WebhookEndpointRow; signingSecret: Secret }> {
  const signingSecret = newSigningSecret();
  const rotated = await trx
    .updateTable("webhook_endpoint")
    .set({
      signing_secret_sealed: endpointSecrets.sealSigningSecret(row, signingSecret),
      previous_signing_secret_sealed: row.signing_secret_sealed,
      previous_signing_secret_until: sql`now() + interval '24 hours'`,
    })
    .where("tenant_id", "=", row.tenant_id)
    .where("id", "=", row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  return { endpoint: await forgetFailures(trx, rotated), signingSecret };
}
